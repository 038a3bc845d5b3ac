"""Tables in memory to a corpus: DataFrames of pandas and polars, Arrow tables, `datasets`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from infofuse.data.corpus import SPLITS, Corpus
from infofuse.data.layouts.arrays import unread
from infofuse.data.layouts.assemble import assemble
from infofuse.data.layouts.clip_table import (
    SPLIT_COLUMNS,
    Column,
    Roles,
    Table,
    clips_of,
    corpus_of,
    find_roles,
    split_of,
)
from infofuse.data.layouts.segments import corpus_of_segments
from infofuse.data.layouts.steps import as_steps, holds_steps, join, join_column
from infofuse.errors import InfofuseError, unknown
from infofuse.types import Ragged


def from_frame(
    frame: Any,
    name: str = "frame",
    *,
    id: str = "id",
    label: str | Sequence[str] | None = None,
    text: str | None = None,
    split: str | None = None,
    group: str | None = None,
    features: Mapping[str, str] | None = None,
) -> Corpus:
    """A corpus from a table with one row per clip: of pandas, polars, Arrow or Hugging Face
    `datasets`, or a dictionary of such tables by split (a `DatasetDict` is one).

    id, label, text, split, group: the columns that hold these, where they are not called so (see
    `infofuse.data.layouts.clip_table`). features: the column of each modality; without it, every
    column of lists or arrays of numbers is one, under its own name. A row of it is (steps,
    features), or (features,) for one step, or None where the clip lacks the modality.

    Raises InfofuseError if a column is missing, or a cell is not what its column is for.
    """
    labels = (label,) if isinstance(label, str) else label and tuple(label)
    given = {"labels": labels, "text": text, "split": split, "group": group}
    if not isinstance(frame, Mapping):
        table, roles, columns, notes = _read(frame, id, given, features)
        return corpus_of(name, table, roles, columns, notes)
    splits, notes = {}, []
    for key, part in frame.items():
        known = split_of(str(key))
        if known is None:
            raise unknown("split", str(key), SPLITS)
        if known in splits:
            raise InfofuseError(f"there are two tables of the split {known!r}; join them")
        table, roles, columns, noticed = _read(part, id, given, features)
        splits[known] = clips_of(table, roles, columns)
        notes += [f"{key}: {note}" for note in noticed]
    return assemble(name, splits, notes)


def from_segments(segments: Any, features: Mapping[str, Any], name: str = "segments") -> Corpus:
    """A corpus from audformat's tables in memory: segments with labels, and features a modality.

    segments, and each of `features`: a DataFrame with the index (file, start, end), or with such
    columns. The other columns of `segments` are those of `infofuse.data.layouts.clip_table`; those
    of a table of features are numbers. `infofuse.data.layouts.segments` says which of its rows are
    a clip's.

    Raises InfofuseError if a column is missing, or a cell is not what its column is for.
    """
    table, notes = _table(segments)
    return corpus_of_segments(name, table, {m: _table(f)[0] for m, f in features.items()}, notes)


def _read(
    frame: Any, id: str, given: Mapping[str, Any], features: Mapping[str, str] | None
) -> tuple[Table, Roles, dict[str, Ragged], list[str]]:
    """A table, what its columns are for, the features in it, and what was noticed."""
    table, notes = _table(frame)
    roles, modalities = _roles(table, id, given, features)
    columns = {}
    for modality, column in modalities.items():
        columns[modality], noticed = _steps(modality, table[column])
        notes += noticed
    known = {*roles.columns, *modalities.values()}
    return table, roles, columns, [*notes, *unread(table, known)]


def _roles(
    table: Table, id: str, given: Mapping[str, Any], features: Mapping[str, str] | None
) -> tuple[Roles, Mapping[str, str]]:
    """What the columns of single values are for, and the column of each modality."""
    asked = {role: column for role, column in given.items() if column is not None}
    labels = asked.get("labels", ())
    single = [column for role, column in asked.items() if role != "labels"]
    for column in (*labels, *single, *(features or {}).values()):
        if column not in table:
            raise unknown("column", column, table)
    steps = {name for name, column in table.items() if holds_steps(column)}
    found = find_roles([*table], id)
    scores = {*labels, *found.labels, *found.unimodal.values()}
    plain = [name for name in table if name not in steps or name in scores]
    if features is None:
        features = {name.removeprefix("features."): name for name in table if name not in plain}
    for column in features.values():
        if column not in steps:
            raise InfofuseError(f"column {column!r} holds no lists or arrays of numbers")
    return replace(find_roles(plain, id), **asked), features


def _steps(modality: str, column: Column) -> tuple[Ragged, list[str]]:
    if isinstance(column, pa.ChunkedArray):
        return join_column(modality, column)
    rows = [f"row {i}" for i in range(len(column))]
    arrays = [as_steps(f"{modality!r}: row {i}", value) for i, value in enumerate(column)]
    return join(modality, arrays, rows)


def _table(frame: Any) -> tuple[Table, list[str]]:
    """The columns of a table, and notes of those that are left out."""
    if hasattr(frame, "iloc"):  # pandas
        return _by_name(_from_pandas(frame)), []
    if hasattr(frame, "get_columns"):  # polars
        return _by_name(_from_polars(frame)), []
    if hasattr(frame, "with_format") and hasattr(frame, "__getitem__"):  # datasets
        frame = with_split(frame.with_format("arrow")[:], frame.split)
    if not isinstance(frame, pa.Table):
        raise InfofuseError(
            f"a {type(frame).__name__} is no table; a DataFrame of pandas or polars, an Arrow "
            f"table, a Dataset, or a dictionary of them by split was expected"
        )
    columns = _by_name(zip(frame.column_names, frame.columns, strict=True))
    classes = _classes(frame.schema.metadata or {})
    notes = [f"{name}: classes, not read" for name in columns if name in classes]
    return {name: column for name, column in columns.items() if name not in classes}, notes


def with_split(table: pa.Table, split: Any) -> pa.Table:
    """The same with the split that a Dataset is known to be, unless a column says more."""
    if split is None or SPLIT_COLUMNS & {name.lower() for name in table.column_names}:
        return table
    return table.append_column("split", pa.array([str(split)] * len(table), pa.string()))


def _classes(metadata: Mapping[bytes, bytes]) -> set[str]:
    """The columns that `datasets` notes down to be of class numbers."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {name for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
    except (AttributeError, LookupError, TypeError, ValueError):
        return set()


def _by_name(columns: Iterable[tuple[str, Column]]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name, column in columns:
        if name in found:
            raise InfofuseError(f"there are two columns {name!r}; keep one")
        found[name] = column
    return found


def _from_pandas(frame: Any) -> Iterable[tuple[str, Column]]:
    """The columns, and those of the index if they have names; None for what is missing."""
    levels = [name for name in frame.index.names if name is not None]
    index = [(name, frame.index.get_level_values(name).to_series()) for name in levels]
    for name, series in (*index, *frame.items()):
        plain = isinstance(series.dtype, np.dtype) and series.dtype.kind in "fiub"
        yield str(name), series.to_numpy() if plain else _objects(series)


def _objects(series: Any) -> list[Any]:
    return series.astype(object).where(series.notna(), None).tolist()


def _from_polars(frame: Any) -> Iterable[tuple[str, Column]]:
    for series in frame.get_columns():
        is_object = str(series.dtype) == "Object"
        yield series.name, series.to_list() if is_object else pa.chunked_array(series)
