"""A folder of computational sequences (.csd) as the CMU Multimodal SDK downloads and writes them.

    PATH/*.csd          one modality a file, and one of labels, as `layouts.csd_files` reads them
    PATH/splits.json    {"train": [VIDEO or VIDEO[3], ...], "valid": [...], "test": [...]}; ours

What a file holds is told by its name, or that of its root: labels, glove or word vectors ("text"),
COVAREP or openSMILE ("audio"), FACET or OpenFace ("vision"); another is a modality by its own name.
Strings are the words. Each row of the labels is a clip, VIDEO[0], VIDEO[1], ..., and has the frames
whose middle lies between its begin and end, each file at its own rate; `pool_intervals`, or
`read(path, pooling)`, brings them to words. Files that the SDK has aligned hold a clip by a key.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from infofuse.data.alignment import pool_intervals
from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import Layout, corpus_of, naming, seven_labels, splits_of
from infofuse.data.layouts.columns import numbers, video
from infofuse.data.layouts.csd_files import Sequence, open_sequences
from infofuse.data.layouts.places import same_form
from infofuse.data.readers import Sureness
from infofuse.errors import InfofuseError
from infofuse.files import read_json

SPLITS_FILE = "splits.json"
_PAUSE = "sp"
_HINTS = {
    "labels": ("label",),
    "text": ("glove", "wordvector", "embedding", "bert"),
    "audio": ("covarep", "opensmile", "acoustic", "audio", "mfcc"),
    "vision": ("facet", "openface", "visual", "vision", "video"),
}

Piece = tuple[np.ndarray, np.ndarray]
"""Intervals (steps, 2) and features (steps, width)."""


@dataclass(frozen=True)
class Segment:
    """A clip: its id, its video, its begin and end in seconds (NaN if unknown), its labels."""

    id: str
    video: str
    interval: np.ndarray
    labels: np.ndarray


def recognises(path: Path) -> Sureness:
    """Certain of a folder with .csd files, and of one of these."""
    found = path.suffix == ".csd" if path.is_file() else any(path.glob("*.csd"))
    return Sureness.CERTAIN if found else Sureness.NO


def read(path: Path, pooling: str | None = None) -> Corpus:
    """The corpus in such a folder; its features are copied into memory.

    pooling: "mean", "max" or "last" gives every modality one step per word, by `pool_intervals`;
    the words are those of the strings, or of "text".

    Raises InfofuseError without h5py, and for files that do not fit one another.
    """
    if path.is_file():
        raise InfofuseError(f"{path} is one sequence of several; name its folder, {path.parent}")
    with naming(path), open_sequences(path) as sequences:
        roles, left_out = _roles(sequences)
        segments = _segments(roles.pop("labels"))
        columns = {name: _cut(sequence, segments) for name, sequence in roles.items()}
        words = columns.pop("words", None)
        texts = [" ".join(map(str, rows.ravel())) for _, rows in words] if words else None
        if pooling is not None:
            columns = _pooled(columns, words or columns.get("text"), pooling)
        features = {m: [rows for _, rows in pieces] for m, pieces in columns.items()}
        parts, notes = _parts(path, segments, features | ({"raw_text": texts} if texts else {}))
        corpus = corpus_of(path.name, parts, Layout(modalities=list(features)))
    known = seven_labels(corpus.spec.outputs)
    return replace(corpus, notes=(*known, *left_out, *notes, *corpus.notes))


def _roles(sequences: list[Sequence]) -> tuple[dict[str, Sequence], list[str]]:
    """The sequences by what they hold, "labels" among them, and notes on those not read."""
    roles: dict[str, Sequence] = {}
    notes = []
    for sequence in sequences:
        role = _role(sequence)
        if role in roles:
            both = f"{roles[role].path.name} and {sequence.path.name}"
            raise InfofuseError(f"both {both} hold {role}; keep one of them in the folder")
        if role == "phones":
            notes.append(f"{sequence.path.name}: not read")
        else:
            roles[role] = sequence
    if "labels" not in roles:
        names = ", ".join(sequence.path.name for sequence in sequences)
        raise InfofuseError(f"no file has labels, by its name ('label'); found {names}")
    return roles, notes


def _role(sequence: Sequence) -> str:
    names = [re.sub(r"[^a-z0-9]", "", n.lower()) for n in (sequence.path.stem, sequence.root)]
    if sequence.is_text:
        return "phones" if any("phone" in name for name in names) else "words"
    for name in names:
        for role, hints in _HINTS.items():
            if any(hint in name for hint in hints):
                return role
    return sequence.path.stem


def _segments(labels: Sequence) -> list[Segment]:
    """The clips: the rows of the labels, numbered within their video unless the key does so."""
    segments = []
    for key in labels.keys:
        intervals, rows = labels.piece(key) or ((), ())
        single = video(key) != key and key.endswith("]")
        if single and len(rows) != 1:
            raise InfofuseError(
                f"{labels.path.name}: {key!r} has {len(rows)} labels; 1 was expected"
            )
        for i, (interval, row) in enumerate(zip(intervals, rows, strict=True)):
            clip, name = (key, video(key)) if single else (f"{key}[{i}]", key)
            segments.append(Segment(clip, name, interval, row))
    if not segments:
        raise InfofuseError(f"{labels.path.name} holds no labels")
    return segments


def _cut(sequence: Sequence, segments: list[Segment]) -> list[Piece]:
    """The steps of each clip: those of its own key, or those of its video in its time."""
    nothing = (np.zeros((0, 2)), np.zeros((0, 0), np.float32))
    pieces = []
    name, whole = "", None
    for segment in segments:
        if segment.id in sequence.keys:
            pieces.append(sequence.piece(segment.id) or nothing)
            continue
        if segment.video != name:
            name, whole = segment.video, sequence.video(segment.video)
        if whole and np.isnan([segment.interval.sum(), whole[0].sum()]).any():
            raise InfofuseError(
                f"{sequence.path.name} has no {segment.id!r}, and lacks the times ('intervals'), "
                f"or the labels do, by which to cut it from {name!r}"
            )
        pieces.append(_within(whole or nothing, segment.interval))
    return list(map(_without_pauses, pieces)) if sequence.is_text else pieces


def _within(piece: Piece, interval: np.ndarray) -> Piece:
    """The steps whose middle lies between begin and end: one across a border is in one clip."""
    intervals, rows = piece
    middle = intervals.mean(axis=1)
    inside = (interval[0] <= middle) & (middle < interval[1])
    return intervals[inside], rows[inside]


def _without_pauses(piece: Piece) -> Piece:
    intervals, words = piece
    spoken = words.ravel() != _PAUSE
    return (intervals[spoken], words[spoken]) if words.shape[1:] == (1,) else piece


def _pooled(
    columns: Mapping[str, list[Piece]], words: list[Piece] | None, pooling: str
) -> dict[str, list[Piece]]:
    """The features with one step per word."""
    if words is None:
        raise InfofuseError(f"to pool by words takes words with times; found {', '.join(columns)}")
    times = [intervals for intervals, _ in words]
    return {
        name: [
            (time, pool_intervals(time, intervals, numbers(f"{name!r}", rows), pooling))
            for time, (intervals, rows) in zip(times, pieces, strict=True)
        ]
        for name, pieces in columns.items()
    }


def _parts(
    path: Path, segments: list[Segment], columns: Mapping[str, list[Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The columns of each split, by splits.json where there is one."""
    file = path / SPLITS_FILE
    if not file.is_file():
        note = f"every clip is in the split 'train', as there is no {SPLITS_FILE} that says more"
        return {"train": _part(segments, columns, range(len(segments)))}, [note]
    names = splits_of(read_json(file), list, lambda _: True)
    split_of = {same_form(str(name)): split for split, listed in names.items() for name in listed}
    rows: dict[str, list[int]] = {}
    for i, segment in enumerate(segments):
        split = split_of.get(same_form(segment.id)) or split_of.get(same_form(segment.video)) or ""
        rows.setdefault(split, []).append(i)
    out = len(rows.pop("", []))
    notes = [f"{out} clips are in no split of {SPLITS_FILE}, left out"] if out else []
    if not rows:
        raise InfofuseError(
            f"{SPLITS_FILE} names none of the videos, such as {segments[0].video!r}"
        )
    return {split: _part(segments, columns, chosen) for split, chosen in rows.items()}, notes


def _part(
    segments: list[Segment], columns: Mapping[str, list[Any]], rows: Iterable[int]
) -> dict[str, Any]:
    chosen = list(rows)
    widths = sorted({segments[i].labels.size for i in chosen})
    if len(widths) > 1:
        raise InfofuseError(f"clips have {widths[0]} labels and {widths[-1]} labels")
    return {
        "id": [segments[i].id for i in chosen],
        "labels": np.stack([segments[i].labels for i in chosen]),
        **{name: [column[i] for i in chosen] for name, column in columns.items()},
    }
