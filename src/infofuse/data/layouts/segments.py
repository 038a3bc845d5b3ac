"""Clips that are segments of files, and features at times of files, as audformat keeps both.

Every table has a file, a start and an end a row, as audformat's segmented tables and the answers of
opensmile have. A row of features belongs to the clips of its file in whose time its middle lies: so
frames are gathered to their clips, and functionals of a clip are its one step. Where a start or
an end is missing, it is the file's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import unread
from infofuse.data.layouts.clip_table import Column, Table, cells, corpus_of, find_roles, is_missing
from infofuse.data.layouts.columns import strings
from infofuse.data.layouts.places import same_form
from infofuse.data.layouts.steps import plain
from infofuse.errors import InfofuseError
from infofuse.types import Ragged

_INDEX = ("file", "start", "end")
_LAST = np.finfo(float).max  # the middle of a row without an end: after all others
_TIME = re.compile(
    r"(?:P?(\d+)(?: days?,? ?|DT|D))?(?:(\d+)[:H](\d+)[:M](\d+(?:\.\d+)?)S?)?", re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class Times:
    """Files, and starts and ends in seconds; an end is infinite where it is the file's."""

    files: Sequence[str]
    starts: Float[np.ndarray, "n"]
    ends: Float[np.ndarray, "n"]

    @classmethod
    def of(cls, table: Table) -> "Times":
        """The index of a table. Raises InfofuseError if a column or a time in it is wrong."""
        for name in _INDEX:
            if name not in table:
                raise InfofuseError(f"there is no column {name!r} among {', '.join(table)}")
        start, end = (_seconds(name, cells(table[name])) for name in _INDEX[1:])
        times = cls(
            [same_form(file) for file in strings("column 'file'", cells(table["file"]))],
            np.where(np.isnan(start), 0.0, start),
            np.where(np.isnan(end), np.inf, end),
        )
        backward = np.flatnonzero(times.starts > times.ends)
        if len(backward):
            raise InfofuseError(f"row {backward[0]} of the segments ends before it starts")
        return times

    @property
    def names(self) -> list[str]:
        """The file, and which seconds of it unless it is the whole."""
        return [
            file if start == 0 and end == np.inf else f"{file}[{start:g}-{end:g}]"
            for file, start, end in zip(self.files, self.starts, self.ends, strict=True)
        ]


def corpus_of_segments(
    name: str, table: Table, features: Mapping[str, Table], notes: Sequence[str] = ()
) -> Corpus:
    """The corpus of labelled segments and of a table of features a modality.

    Without a column "id", a clip is called what its file and its seconds are; without a group,
    it is of its file's.

    Raises InfofuseError if a cell is not what its column is for.
    """
    clips = Times.of(table)
    if "id" not in map(str.lower, table):
        table = {**table, "id": clips.names}
    roles = find_roles([*table])
    group = roles.group or "group"
    said = cells(table.get(group, clips.files))
    groups = [file if is_missing(g) else g for g, file in zip(said, clips.files, strict=True)]
    table, roles = {**table, group: groups}, replace(roles, group=group)
    gathered, notes = {}, [*notes, *unread(table, {*roles.columns, *_INDEX})]
    for modality, rows in features.items():
        gathered[modality], noticed = gather(modality, clips, rows)
        notes += noticed
    return corpus_of(name, table, roles, gathered, notes)


def gather(modality: str, clips: Times, table: Table) -> tuple[Ragged, list[str]]:
    """The rows of a table of features that lie in each clip, by time, and what was noticed."""
    rows = _rows(clips, Times.of(table))
    columns = [_numbers(modality, n, column) for n, column in table.items() if n not in _INDEX]
    if not columns:
        raise InfofuseError(f"{modality!r} has no column of features")
    where = np.concatenate([np.zeros(0, int), *rows])
    values = np.column_stack(columns)[where]
    ragged, notes = plain(modality, Ragged.laid(values, [len(found) for found in rows]))
    absent = sum(len(found) == 0 for found in rows)
    outside = len(columns[0]) - len(np.unique(where))
    if absent:
        notes.append(f"{modality}: no rows in {absent} of {len(rows)} clips, which lack it")
    if outside:
        notes.append(f"{modality}: {outside} rows lie in no clip, not read")
    return ragged, notes


def _rows(clips: Times, rows: Times) -> list[Int[np.ndarray, "_"]]:
    """Which rows lie in each clip, in the order of their middles."""
    middles = np.where(np.isinf(rows.ends), _LAST, (rows.starts + rows.ends) / 2)
    of_file: dict[str, list[int]] = {file: [] for file in clips.files}
    for i in np.argsort(middles, kind="stable"):
        of_file.setdefault(rows.files[i], []).append(int(i))
    order = {file: np.array(some, int) for file, some in of_file.items()}
    found = []
    for file, start, end in zip(clips.files, clips.starts, clips.ends, strict=True):
        times = middles[order[file]]
        begin = np.searchsorted(times, start)
        until = max(np.searchsorted(times, end), np.searchsorted(times, start, "right"))
        found.append(order[file][begin:until])  # a clip of no length has what lies at its start
    return found


def _numbers(modality: str, name: str, column: Column) -> Float[np.ndarray, "rows"]:
    try:
        if isinstance(column, pa.ChunkedArray):
            if pa.types.is_string(column.type):
                column = pc.if_else(pc.equal(column, ""), None, column)
            column = pc.cast(column, pa.float32(), safe=False).to_numpy()
        with np.errstate(over="ignore"):
            values = np.asarray(column, np.float32)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        values = np.zeros((0, 0), np.float32)
    if values.ndim != 1:
        raise InfofuseError(f"{modality!r}: column {name!r} does not hold numbers")
    return values


def _seconds(name: str, column: list[Any]) -> Float[np.ndarray, "n"]:
    """Times in seconds, NaN where there is none."""
    return np.array([_time(name, row, value) for row, value in enumerate(column)], float)


def _time(name: str, row: int, value: Any) -> float:
    if is_missing(value) or (isinstance(value, str) and value == "NaT"):
        return float("nan")
    if isinstance(value, timedelta):
        value = value.total_seconds()
    days = _TIME.fullmatch(value) if isinstance(value, str) else None
    if days and value:
        count, hours, minutes, seconds = (float(part or 0) for part in days.groups())
        value = ((count * 24 + hours) * 60 + minutes) * 60 + seconds
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if seconds < 0:
        raise InfofuseError(f"column {name!r} holds {value!r} in row {row}, which is no time")
    return seconds
