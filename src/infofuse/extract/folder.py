"""From a folder of media to a store: in several processes, and on from where it was stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import unread
from infofuse.data.layouts.clip_table import corpus_of, find_roles
from infofuse.data.store import REPORT, create_store, free_for_store
from infofuse.errors import InfofuseError, counted, not_yours
from infofuse.extract.clip import Extracted, extract_clip
from infofuse.extract.kept import keep, key_of, load
from infofuse.extract.listing import Clip, Listing, deal, list_clips
from infofuse.extract.pool import Failed, run
from infofuse.extract.recipe import FeatureRecipe
from infofuse.files import locked, sha256, write_json
from infofuse.types import Clips, Json, Ragged

_AT_ONCE = 64
MODALITIES = ("audio", "vision")
_NAMES = ("video_id", "clip_id")


@dataclass(frozen=True)
class Extraction:
    """What became of a folder. failed: reasons by clip. kept: features of the clips that were
    made, for another try; None where none failed and all are in the store."""

    store: Path
    clips: dict[str, int]
    failed: dict[str, str]
    notes: tuple[str, ...]
    kept: Path | None


def extract_folder(
    media: Path | Sequence[Path],
    out: Path,
    recipe: FeatureRecipe,
    labels: Path | None = None,
    *,
    jobs: int = 1,
    overwrite: bool = False,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Extraction:
    """Extract the clips of folders and files by a recipe, and write them as a store.

    media, labels: as `infofuse.extract.listing.list_clips` reads them. jobs: processes; the store
    is the same, byte for byte, whatever their number. report: is told (done, total).

    Each clip is kept in `.OUT.clips` beside the store as soon as it is made. Stopped at any moment,
    the same call goes on from there. A clip that cannot be read is left out and listed, with the
    reason, here and in OUT/extraction.json, which also has the words with their times.

    Raises InfofuseError if no clip can be read, if labels are not what they should be, or if a
    store is there and `overwrite` is not set.
    """
    free_for_store(out, overwrite)
    listing = list_clips([media] if isinstance(media, Path) else media, labels)
    made_by = recipe.to_json()
    kept = out.with_name(f".{out.name}.clips")
    kept.mkdir(parents=True, exist_ok=True)
    with locked(kept / ".lock"):
        free_for_store(out, overwrite)  # another process may have held the lock, and be done
        kept.mkdir(parents=True, exist_ok=True)
        found = run(_Work(recipe, made_by, kept), listing.clips, jobs, report)
        results = dict(zip((clip.id for clip in listing.clips), found, strict=True))
        files = {id: kept / key for id, key in results.items() if not isinstance(key, Failed)}
        failed = {id: r.reason for id, r in results.items() if isinstance(r, Failed)}
        failed = {**listing.missing, **failed}
        if not files:
            raise InfofuseError(f"no clip could be extracted; {_first(failed)}")
        corpus = _write(out, listing, files, failed, made_by, overwrite)
        if not failed:
            _remove(kept)
    counts = {split: len(clips) for split, clips in corpus.splits.items()}
    return Extraction(out, counts, failed, corpus.notes, kept if failed else None)


@dataclass(frozen=True)
class _Work:
    """Makes a clip's features, unless they are kept from before, and says in which file."""

    recipe: FeatureRecipe
    made_by: Json
    kept: Path

    def __call__(self, clip: Clip) -> str:
        try:
            content = "" if clip.file is None else sha256(clip.file)
            transcript = b"" if clip.transcript is None else clip.transcript.read_bytes()
        except PermissionError as error:
            raise not_yours(error.filename) from None
        except FileNotFoundError as error:
            raise InfofuseError(f"{error.filename} is a link to what is not there") from None
        name = f"{key_of(self.made_by, content, clip.text, transcript)}.safetensors"
        if load(self.kept / name) is None:
            made = extract_clip(clip.file, self.recipe, text=clip.text, transcript=clip.transcript)
            keep(self.kept / name, made)
        return name


def _first(failed: Mapping[str, str]) -> str:
    id, reason = next(iter(failed.items()))
    rest = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{id}: {reason}{rest}"


def _write(
    out: Path,
    listing: Listing,
    files: Mapping[str, Path],
    failed: Mapping[str, str],
    made_by: Json,
    overwrite: bool,
) -> Corpus:
    """The store of the clips that were made, and the report in it."""
    corpus = _corpus(out.resolve().name, listing, files, len(failed))
    widths, facts = _look([clip for clip in listing.clips if clip.id in files], files)
    text = any(clip["text"] for clip in facts)
    spec = replace(corpus.spec, features=widths, text=text, extraction=made_by)
    with create_store(out, spec, corpus.notes, overwrite=overwrite) as store:
        for split, clips in corpus.splits.items():
            for part in _filled(clips, files, spec.features):
                store.add(split, part)
        listed = [{"id": id, "reason": reason} for id, reason in failed.items()]
        write_json(store.folder / REPORT, {"recipe": made_by, "clips": facts, "failed": listed})
    return corpus


def _corpus(name: str, listing: Listing, files: Mapping[str, Path], failed: int) -> Corpus:
    """The clips as their table has them, in splits, before their features."""
    table = listing.rows([clip.id for clip in listing.clips if clip.id in files])
    roles, notes = find_roles([*table]), list(listing.notes)
    if roles.split is None:
        table["split"], noticed = _deal(name, table)
        roles = replace(roles, split="split")
        notes += noticed
    notes += unread(table, {*roles.columns, *_NAMES})
    notes += [f"{counted(failed, 'clip')} left out; {REPORT} says why"] if failed else []
    corpus = corpus_of(name, table, roles, {}, notes)
    if not listing.classes:
        return corpus
    spec = replace(corpus.spec, metrics="classification", classes=listing.classes, label_range=None)
    return replace(corpus, spec=spec)


def _deal(name: str, table: Mapping[str, list[object]]) -> tuple[list[object], list[str]]:
    """A split for each clip by its group, or by itself where there are fewer than three groups."""
    everyone = corpus_of(name, table, find_roles([*table]), {}).splits["train"]
    groups, what = everyone.groups, "by group"
    if len(set(groups)) < 3 or list(groups) == list(everyone.ids):
        groups, what = everyone.ids, "one by one, for no three groups of them are known"
    return [*deal(groups)], [f"splits: there is no column of them, the clips are dealt {what}"]


def _look(clips: Sequence[Clip], files: Mapping[str, Path]) -> tuple[dict[str, int], list[Json]]:
    """Widths of the modalities that any clip has, and what there is to say of each clip."""
    widths: dict[str, int] = {}
    facts = []
    for clip in clips:
        made = _load(files[clip.id])
        widths |= {name: values.shape[1] for name, values in made.sample.features.items()}
        facts.append(_facts(clip, made))
    return {name: widths[name] for name in MODALITIES if name in widths}, facts


def _facts(clip: Clip, made: Extracted) -> Json:
    return {
        "id": clip.id,
        "file": None if clip.file is None else clip.file.name,
        "seconds": round(made.seconds, 3),
        "steps": {name: len(values) for name, values in made.sample.features.items()},
        "text": made.sample.text,
        "words": [[word.text, word.start, word.end] for word in made.words],
        "notes": list(made.notes),
    }


def _filled(clips: Clips, files: Mapping[str, Path], widths: Mapping[str, int]) -> Iterator[Clips]:
    """The clips with their features and words, some at a time."""
    for begin in range(0, len(clips), _AT_ONCE):
        part = clips.take(range(begin, min(begin + _AT_ONCE, len(clips))))
        made = [_load(files[id]).sample for id in part.ids]
        none = {name: np.zeros((0, width), np.float32) for name, width in widths.items()}
        features = {
            name: Ragged.of([sample.features.get(name, empty) for sample in made])
            for name, empty in none.items()
        }
        yield replace(part, features=features, texts=[sample.text for sample in made])


def _load(file: Path) -> Extracted:
    made = load(file)
    if made is None:
        raise InfofuseError(f"{file} was damaged while the store was written; run it again")
    return made


def _remove(kept: Path) -> None:
    for file in kept.iterdir():
        file.unlink()
    kept.rmdir()
