"""A table of clips, one row per clip: what its columns mean, and the corpus they make.

Columns are known by name, in any case. A clip needs an "id"; the rest may lack:

label           a number (or a vector) a row; else every column "label_...", one output each
label_T, _A, _V labels that people gave by text, audio or vision alone (also "label.MODALITY")
text            the words
split           train, valid (or validation, val, dev) or test; rows without one are left out
group           the clip's video or speaker; else what its id says
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from infofuse.data.corpus import SPLITS, Corpus
from infofuse.data.layouts.arrays import SPLIT_NAMES
from infofuse.data.layouts.assemble import assemble
from infofuse.data.layouts.columns import check_unimodal, labels, strings, videos
from infofuse.data.layouts.steps import is_sequence
from infofuse.errors import InfofuseError, unknown
from infofuse.types import Clips, Ragged

Column = Any  # a list, a NumPy array or an Arrow ChunkedArray of one cell per clip
Table = Mapping[str, Column]

_NAMES = {
    "text": ("text", "raw_text", "transcript", "transcription", "sentence"),
    "split": ("split", "mode", "subset", "partition"),
    "group": ("group", "video_id", "video", "speaker", "speaker_id"),
}
TEXT_COLUMNS = set(_NAMES["text"])
SPLIT_COLUMNS = set(_NAMES["split"])
LABEL_COLUMNS = ("label", "labels", "regression_labels", "sentiment", "valence", "val")
_UNIMODAL = re.compile(r"(?:label|labels|regression_labels)(?:_([TAV])|\.(\w+))", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_MODALITY = {"t": "text", "a": "audio", "v": "vision"}
UNKNOWN = ("", "nan", "na", "n/a", "none", "null")


@dataclass(frozen=True)
class Roles:
    """The columns of a table by what they are for; None or empty where there is none."""

    id: str
    labels: tuple[str, ...] = ()
    text: str | None = None
    split: str | None = None
    group: str | None = None
    unimodal: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> set[str]:
        """All columns that are for something."""
        single = {name for name in (self.text, self.split, self.group) if name is not None}
        return {self.id, *single, *self.labels, *self.unimodal.values()}


def find_roles(columns: Sequence[str], id: str = "id") -> Roles:
    """What the columns of these names are for; `id` is the one that tells the clips apart.

    Raises InfofuseError if there is no such column.
    """
    by_name = {name.lower(): name for name in reversed(columns)}
    if id.lower() not in by_name:
        raise InfofuseError(f"there is no column {id!r} among {', '.join(map(repr, columns))}")
    label = next((by_name[name] for name in LABEL_COLUMNS if name in by_name), None)
    outputs = tuple(name for name in columns if name.lower().startswith("label_"))
    return Roles(
        id=by_name[id.lower()],
        labels=outputs if label is None else (label,),
        unimodal={} if label is None else _unimodal(columns),
        **{
            role: next((by_name[name] for name in names if name in by_name), None)
            for role, names in _NAMES.items()
        },
    )


def _unimodal(columns: Sequence[str]) -> dict[str, str]:
    matches = {name: _UNIMODAL.fullmatch(name) for name in columns}
    return {m[2] or _MODALITY[m[1].lower()]: name for name, m in matches.items() if m}


def corpus_of(
    name: str, table: Table, roles: Roles, features: Mapping[str, Ragged], notes: Sequence[str] = ()
) -> Corpus:
    """The corpus in a table and in the features of its rows, by its column of splits.

    Raises InfofuseError if a cell is not what its column is for.
    """
    clips = clips_of(table, roles, features)
    if roles.split is None:
        return assemble(name, {"train": clips}, [*notes, "splits: there are none, all is train"])
    column = [_split(i, value) for i, value in enumerate(cells(table[roles.split]))]
    left_out = column.count(None)
    notes = [*notes, f"splits: {left_out} clips are in none, left out"] if left_out else notes
    present = [split for split in SPLITS if split in column]
    rows = {split: np.flatnonzero([s == split for s in column]) for split in present}
    return assemble(name, {split: clips.take(r) for split, r in rows.items()}, notes)


def clips_of(table: Table, roles: Roles, features: Mapping[str, Ragged]) -> Clips:
    """The clips in a table, one a row."""
    ids = strings(f"column {roles.id!r}", cells(table[roles.id]))
    if "" in ids:
        raise InfofuseError(f"row {ids.index('')} has no {roles.id!r}")
    groups = _texts(table, roles.group, len(ids))
    scores = _labels(table, roles.labels, len(ids))
    unimodal = {m: _labels(table, (name,), len(ids)) for m, name in roles.unimodal.items()}
    for modality, column in unimodal.items():
        check_unimodal(f"column {roles.unimodal[modality]!r}", column, scores)
    return Clips(
        ids=ids,
        labels=scores,
        features=features,
        texts=_texts(table, roles.text, len(ids)),
        groups=[group or own for group, own in zip(groups, videos({"": ids})[""], strict=True)],
        unimodal=unimodal,
    )


def cells(column: Column) -> list[Any]:
    """The cells of a column as Python has them."""
    if isinstance(column, pa.ChunkedArray):
        return column.to_pylist()
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def is_missing(value: Any) -> bool:
    """Whether a cell is empty."""
    empty = value is None or (isinstance(value, str) and not value)
    return empty or (isinstance(value, float) and math.isnan(value))


def split_of(name: str) -> str | None:
    """Our name of a split, if it is one."""
    return SPLIT_NAMES.get(name.strip().lower())


def _split(row: int, value: Any) -> str | None:
    if is_missing(value):
        return None
    if not isinstance(value, str) or split_of(value) is None:
        raise InfofuseError(f"row {row}: {unknown('split', str(value), SPLIT_NAMES)}")
    return split_of(value)


def _texts(table: Table, name: str | None, count: int) -> list[str]:
    if name is None:
        return [""] * count
    column = ["" if is_missing(value) else value for value in cells(table[name])]
    return strings(f"column {name!r}", column)


def _labels(table: Table, names: Sequence[str], count: int) -> Float[np.ndarray, "n k"]:
    """The label columns side by side; one column of vectors serves as well."""
    if not names:
        return np.full((count, 1), np.nan, np.float32)
    columns = []
    for name in names:
        where = f"column {name!r}"
        rows = [_numbers(where, i, value) for i, value in enumerate(cells(table[name]))]
        for i, row in enumerate(rows):
            if not row or len(row) != len(rows[0]):
                raise InfofuseError(
                    f"{where} has {len(rows[0])} labels in row 0, {len(row)} in {i}"
                )
        columns += [labels(where, list(column)) for column in zip(*rows, strict=True)]
    return np.hstack(columns) if columns else np.zeros((0, len(names)), np.float32)


def _numbers(where: str, row: int, value: Any) -> list[float]:
    if is_sequence(value):
        return [_number(where, row, item) for item in value]
    return [_number(where, row, value)]


def _number(where: str, row: int, value: Any) -> float:
    if is_missing(value) or (isinstance(value, str) and value.strip().lower() in UNKNOWN):
        return float("nan")
    try:
        if isinstance(value, str | int | float | np.integer | np.floating):
            return float(value)
    except (ValueError, OverflowError):
        pass
    comma = isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip())
    hint = f"; write {value.strip().replace(',', '.')}, with a point" if comma else ""
    raise InfofuseError(f"{where} holds {value!r} in row {row} where a number belongs{hint}")
