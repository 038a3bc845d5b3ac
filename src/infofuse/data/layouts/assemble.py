"""From the clips of splits to a corpus whose spec is what the clips show."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from infofuse.data.corpus import SPLITS, Corpus
from infofuse.data.layouts.columns import scale
from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Ragged


def assemble(name: str, splits: Mapping[str, Clips], notes: Sequence[str] = ()) -> Corpus:
    """The corpus of these clips.

    A modality or unimodal label that only some splits have is absent from, or unknown to, the
    others; a modality that no clip has is left out, with a note.

    Raises InfofuseError if there are no clips, or if splits differ in a width or in their labels.
    """
    if not any(len(clips) for clips in splits.values()):
        raise InfofuseError("it holds no clips")
    widths, left_out = _widths(splits)
    unimodal = _names(clips.unimodal for clips in splits.values())
    outputs = _one({s: clips.labels.shape[1] for s, clips in splits.items()}, "labels a clip")
    filled = {s: splits[s] for s in SPLITS if s in splits}
    filled = {s: _fill(clips, widths, unimodal) for s, clips in filled.items()}
    scores = np.concatenate([clips.labels for clips in filled.values()])
    label_range, metrics = scale(scores)
    guess = ["labels: all within [-1, 1], scored as CH-SIMS' are"] if metrics == "sims" else []
    spec = DataSpec(
        name=name,
        features=widths,
        text=any(any(clips.texts) for clips in filled.values()),
        outputs=outputs,
        label_range=label_range,
        metrics=metrics,
        unimodal=tuple(unimodal),
    )
    return Corpus(spec, filled, (*notes, *left_out, *_odd(filled), *guess))


def _names(columns: Iterable[Iterable[str]]) -> list[str]:
    """The names in all of them, in the order in which they first come."""
    return list(dict.fromkeys(name for names in columns for name in names))


def _widths(splits: Mapping[str, Clips]) -> tuple[dict[str, int], list[str]]:
    """Features a step by modality, and notes of the modalities that no clip has."""
    widths, notes = {}, []
    for modality in _names(clips.features for clips in splits.values()):
        found = {
            s: clips.features[modality].width
            for s, clips in splits.items()
            if modality in clips.features and clips.features[modality].lengths.any()
        }
        if found:
            widths[modality] = _one(found, f"features a step of {modality!r}")
        else:
            notes.append(f"{modality}: no clip has it, left out")
    return widths, notes


def _one(found: Mapping[str, int], what: str) -> int:
    if len(set(found.values())) > 1:
        counts = ", ".join(f"{count} in {split!r}" for split, count in found.items())
        raise InfofuseError(f"splits differ in {what}: {counts}")
    return next(iter(found.values()))


def _fill(clips: Clips, widths: Mapping[str, int], unimodal: Sequence[str]) -> Clips:
    """The same clips, with every modality and every unimodal label, absent or unknown if new."""
    none = {m: Ragged.absent(len(clips), width) for m, width in widths.items()}
    has = {m: r for m, r in clips.features.items() if m in widths and r.lengths.any()}
    unknown = np.full_like(clips.labels, np.nan)
    labels = {m: clips.unimodal.get(m, unknown) for m in unimodal}
    return replace(clips, features=none | has, unimodal=labels)


def _odd(splits: Mapping[str, Clips]) -> list[str]:
    """What is odd about labels and ids."""
    unlabelled = sum(int(np.isnan(clips.labels).any(axis=1).sum()) for clips in splits.values())
    ids = Counter(clip for clips in splits.values() for clip in clips.ids)
    twice = sum(count > 1 for count in ids.values())
    notes = [f"labels: unknown for {unlabelled} clips"] if unlabelled else []
    return [*notes, f"ids: {twice} stand for more than one clip"] if twice else notes
