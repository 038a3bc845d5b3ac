"""Which clips there are to extract: media files, and the rows of a table of labels."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from infofuse.data.layouts.clip_files import MEDIA_SUFFIXES
from infofuse.data.layouts.clip_table import UNKNOWN, find_roles, is_missing
from infofuse.data.layouts.csv_files import read_csv
from infofuse.data.layouts.places import NearNames, files_below, same_form
from infofuse.errors import InfofuseError, listed, not_yours

TRANSCRIPTS = (".srt", ".vtt", ".txt")
_NO_MEDIA = (
    ".csv", ".tsv", ".json", ".toml", ".yaml", ".md", ".npy", ".npz", ".parquet", ".pkl", ".py",
    ".png", ".jpg", ".jpeg", "none",
)  # fmt: skip
HELD = {"test": 0.2, "valid": 0.1}
"""Parts of the clips, where no column says which split they are in; the rest is for training."""

Table = Mapping[str, Sequence[object]]
Files = Mapping[str, Path]
Places = Mapping[str, Path | str | None]
"""A clip's file, None for words alone, or in a string why it has none; by id."""


@dataclass(frozen=True)
class Clip:
    """What one clip is made from. file: None for words alone."""

    id: str
    file: Path | None
    text: str | None = None
    transcript: Path | None = None


@dataclass(frozen=True)
class Listing:
    """What there is to extract.

    table: every clip's row, also of those that are missing. missing: why a row has no clip, by id.
    classes: their names, where labels are names; the table then has their numbers.
    """

    clips: Sequence[Clip]
    table: Table
    classes: tuple[str, ...]
    missing: Mapping[str, str]
    notes: tuple[str, ...]

    def rows(self, ids: Sequence[str]) -> dict[str, list[object]]:
        """The table of these clips, in this order."""
        row = {id: i for i, id in enumerate(self.table["id"])}
        return {name: [column[row[id]] for id in ids] for name, column in self.table.items()}


def list_clips(media: Sequence[Path], labels: Path | None = None) -> Listing:
    """The clips of media files or of folders of them, or those that a table of labels names.

    labels: csv with one row per clip and the columns of `infofuse.data.layouts.clip_table`. A clip
    is named by "id" (or "video_id" and "clip_id"), its file by "path", relative to the table or to
    a folder of media, or else by the id: "VIDEO$_$CLIP" is VIDEO/CLIP or VIDEO_CLIP with any
    ending. Where a column of paths has none, the clip is its words alone. A label that is no number
    is a class.

    Raises InfofuseError if there is no clip, or if two of them have one name.
    """
    files = find_media(media)
    notes = _unread(media)
    table: Table = {"id": list(files)}
    places: Places = dict(files)
    if labels is not None:
        table, places = _read(labels, media, files)
        rest = len(set(files.values()) - {p for p in places.values() if isinstance(p, Path)})
        notes += [f"{rest} media files are in no row of the labels"] if rest else []
    roles = find_roles([*table])
    table, classes = _numbered(table, roles.labels)
    texts = _texts(table, roles.text)
    clips = [
        Clip(id, place, texts.get(id), None if id in texts else transcript_beside(place))
        for id, place in places.items()
        if not isinstance(place, str)
    ]
    missing = {id: place for id, place in places.items() if isinstance(place, str)}
    if not clips:
        why = next(iter(missing.values()), f"there are no media in {_names(media)}")
        raise InfofuseError(f"no clip was found: {why}")
    if classes:
        notes.append(f"labels: {len(classes)} classes, {', '.join(classes)}")
    if not roles.labels:
        notes.append("there are no labels: " + ("no table" if labels is None else "no column"))
    return Listing(clips, table, classes, missing, tuple(notes))


def find_media(media: Sequence[Path]) -> dict[str, Path]:
    """The media files by id: a file's name, or its path in its folder as VIDEO$_$CLIP.

    Raises InfofuseError if there is nothing at a path, two files have one id, or a name is not in
    UTF-8.
    """
    found: dict[str, Path] = {}
    for place in media:
        if not place.exists():
            raise InfofuseError(f"there is no {place}")
        for file, inside in _files(place):
            if (readable := inside.encode("utf-8", "replace").decode()) != inside:
                raise InfofuseError(f"{place}: the name {readable!r} is not in UTF-8; rename it")
            id = same_form("$_$".join(PurePosixPath(inside).with_suffix("").parts))
            if id in found:
                raise InfofuseError(
                    f"{found[id]} and {file} are both the clip {id!r}; name one of them"
                )
            found[id] = file
    return found


def _files(place: Path) -> list[tuple[Path, str]]:
    """Files and their paths inside a place; those that begin with a dot are nobody's clips.

    Links to what is not there are among them, so that it is said; pipes and the like are not.
    """
    if not place.is_dir():
        return [(place, place.name)]
    found, closed = files_below(place)
    if closed == [place]:
        raise not_yours(place)
    there = [file for file in found if file.is_file() or not file.exists()]
    inside = {file: file.relative_to(place) for file in there}
    return [
        (file, path.as_posix())
        for file, path in inside.items()
        if file.suffix.lower() in MEDIA_SUFFIXES and not any(p.startswith(".") for p in path.parts)
    ]


def _unread(media: Sequence[Path]) -> list[str]:
    """Notes of what lies in folders of media and is not listed."""
    notes = []
    for place in (place for place in media if place.is_dir()):
        found, closed = files_below(place)
        notes += [
            f"{folder} is not yours to read, and what is in it is left out" for folder in closed
        ]
        other = Counter(f.suffix.lower() or "none" for f in found if f.name[:1] != ".")
        known = {*MEDIA_SUFFIXES, *TRANSCRIPTS, *_NO_MEDIA}
        left = [
            f"{ending} ({count})" for ending, count in sorted(other.items()) if ending not in known
        ]
        notes += [f"{place}: files with other endings are not read: {listed(left)}"] if left else []
    return notes


def _read(labels: Path, media: Sequence[Path], files: Files) -> tuple[Table, Places]:
    """The table, and of each clip the file or why there is none."""
    if not labels.is_file():
        raise InfofuseError(f"there is no file {labels}")
    read = read_csv(labels)
    table = {name: read[name].to_pylist() for name in read.column_names}
    path = next((name for name in ("path", "file") if name in table), None)
    ids = _ids(labels, table, path)
    twice = [id for id, count in Counter(ids).items() if count > 1]
    if twice:
        raise InfofuseError(f"{labels} has {twice[0]!r} in more than one row; a clip has one")
    rest = {name: column for name, column in table.items() if name not in ("id", path)}
    if path is None:
        return {"id": ids, **rest}, _by_id(ids, media, files)
    folders = [labels.parent, *(place for place in media if place.is_dir())]
    places = {id: _at(cell, folders) for id, cell in zip(ids, table[path], strict=True)}
    return {"id": ids, **rest}, places


def _by_id(ids: Sequence[str], media: Sequence[Path], files: Files) -> Places:
    plain: dict[str, Path] = {}
    for id, file in files.items():
        if _plain(id) in plain:
            raise InfofuseError(f"{plain[_plain(id)]} and {file} may both be the clip {id!r}")
        plain[_plain(id)] = file
    near = NearNames({_plain(id): id for id in files}, MEDIA_SUFFIXES)
    return {id: plain.get(_plain(id)) or _lost(id, near, media) for id in ids}


def _lost(id: str, names: NearNames, media: Sequence[Path]) -> str:
    """Why a clip has no file, and what may have been meant."""
    near = names.find(_plain(id))
    hint = f"; did you mean {near!r}?" if near else ""
    return f"no media for it in {_names(media)}{hint}"


def _plain(id: str) -> str:
    return same_form(id).replace("$_$", "_").replace("/", "_")


def _ids(labels: Path, table: Table, path: str | None) -> list[str]:
    if "id" in table:
        ids = [str(id) for id in table["id"]]
    elif {"video_id", "clip_id"} <= set(table):
        pairs = zip(table["video_id"], table["clip_id"], strict=True)
        ids = [f"{video}$_${clip}" if video and clip else "" for video, clip in pairs]
    elif path is not None:
        paths = [PurePosixPath(str(cell)) for cell in table[path]]
        ids = ["$_$".join(p.with_suffix("").parts) if p.name else "" for p in paths]
    else:
        raise InfofuseError(
            f"{labels} has the columns {', '.join(map(repr, table))}; a clip is named by 'id', by "
            f"'path', or by 'video_id' and 'clip_id'"
        )
    if "" in ids:
        raise InfofuseError(f"{labels}: row {ids.index('')} names no clip")
    return ids


def _at(cell: object, folders: Sequence[Path]) -> Path | str | None:
    """The file that a cell names, or why there is none; None for an empty cell."""
    if is_missing(cell):
        return None
    forms = dict.fromkeys(
        [str(cell), *(unicodedata.normalize(f, str(cell)) for f in ("NFC", "NFD"))]
    )
    places = [folder / form for form in forms for folder in folders]
    return next((p for p in places if p.is_file()), f"there is no file {places[0]}")


def _names(media: Sequence[Path]) -> str:
    return ", ".join(map(str, media[:3])) + (", …" if len(media) > 3 else "")


def _numbered(table: Table, labels: Sequence[str]) -> tuple[Table, tuple[str, ...]]:
    """The table with the numbers of classes in place of their names, and the names, if any.

    Raises InfofuseError if some are numbers and some are not.
    """
    if len(labels) != 1:
        return table, ()
    column = [str(cell).strip() for cell in table[labels[0]]]
    known = [cell for cell in column if cell.lower() not in UNKNOWN]
    names = [cell for cell in known if not _is_number(cell)]
    if not names:
        return table, ()
    if len(names) < len(known):
        raise InfofuseError(
            f"the label {names[0]!r} is no number, and {len(known) - len(names)} of {len(known)} "
            f"labels are: write numbers for scores, or names for classes"
        )
    classes = sorted(set(known))
    numbers = [classes.index(cell) if cell in classes else None for cell in column]
    return {**table, labels[0]: numbers}, tuple(classes)


def _is_number(cell: str) -> bool:
    try:
        float("nan" if cell.lower() in UNKNOWN else cell)
    except ValueError:
        return False
    return True


def _texts(table: Table, column: str | None) -> dict[str, str]:
    """The words that the table gives, by id; none for an empty cell."""
    if column is None:
        return {}
    pairs = zip(table["id"], table[column], strict=True)
    return {str(id): str(text) for id, text in pairs if not is_missing(text)}


def transcript_beside(file: Path | None) -> Path | None:
    """Subtitles or words beside a media file, of its name."""
    if file is None:
        return None
    places = [file.with_suffix(suffix) for suffix in TRANSCRIPTS]
    return next((place for place in places if place.is_file()), None)


def deal(groups: Sequence[str]) -> list[str]:
    """A split for each clip: no group is in two, and the same groups are dealt alike anywhere.

    Groups come in the order of their SHA-256, first to the test split until it has a fifth of the
    clips, then to the validation split until it has a tenth, then to training.
    """
    size, dealt, split = Counter(groups), Counter[str](), {}
    for group in sorted(size, key=lambda g: hashlib.sha256(g.encode()).digest()):
        open_ = (name for name, part in HELD.items() if dealt[name] < part * len(groups))
        split[group] = next(open_, "train")
        dealt[split[group]] += size[group]
    return [split[group] for group in groups]
