"""Csv files of clips: UTF-8, read as text by pyarrow, and known by how they name their clips."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from infofuse.data.layouts.clip_table import SPLIT_COLUMNS, split_of
from infofuse.errors import InfofuseError

_LONGEST_LINE = 1 << 20  # of names of columns


def clip_key(columns: Sequence[str]) -> str | None:
    """How a table with these columns names its clips: "file", "id", "video_id" or "name".

    Every reader of tables reads one of them, so that no file has two such readers. None if the
    table names no clips.
    """
    names = [name.lower() for name in columns]
    if names[:3] == ["file", "start", "end"]:
        return "file"
    if "id" in names:
        return "id"
    if {"video_id", "clip_id"} <= set(names):
        return "video_id"
    return "name" if {"name", "names"} & set(names) else None


def tables(path: Path, key: str) -> list[Path]:
    """The csv files at a path, or directly in it, whose clips are named by this key."""
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path] * (path.suffix == ".csv")
    return [file for file in files if clip_key(header(file)) == key]


def header(file: Path) -> list[str]:
    """The names of the columns; empty for what is no file of lines."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            return next(csv.reader(iter(lambda: lines.readline(_LONGEST_LINE), "")), [])
    except (OSError, csv.Error):
        return []


def read_csv(file: Path) -> pa.Table:
    """All cells as text, "" where there is none; the names of columns in lower case.

    Raises InfofuseError for what is no csv in UTF-8, and for a column that is there twice.
    """
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    text = arrow_csv.ConvertOptions(column_types=dict.fromkeys(header(file), pa.string()))
    try:
        table = arrow_csv.read_csv(file, parse_options=parse, convert_options=text)
        names = [name.lower() for name in table.column_names]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InfofuseError(f"{file} cannot be read as csv in UTF-8: {error}") from None
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise InfofuseError(f"{file} has two columns {twice[0]!r}; keep one")
    return table.rename_columns(names)


def read_tables(files: Sequence[Path]) -> tuple[dict[str, pa.ChunkedArray], list[str]]:
    """The clips of one csv, or of one csv a split, and what was left out.

    Without a column of splits, "split" is what a file's name says, such as "dev" in
    `db.dev.csv` or `dev-label.csv`. Of several files, those whose name says none are left out.

    Raises InfofuseError if there are several and no name says a split.
    """
    read = {file: read_csv(file) for file in files}
    kept = [_with_split(file, table) for file, table in read.items()]
    notes = []
    if len(files) > 1:
        told = [bool(SPLIT_COLUMNS & set(table.column_names)) for table in kept]
        if not any(told):
            raise InfofuseError(
                f"{files[0]} and {files[1]} both hold clips; keep one, add a column 'split', or "
                f"name them by their splits, such as train.csv and test.csv"
            )
        notes = [f"{file.name}: not read" for file, has in zip(files, told, strict=True) if not has]
        kept = [table for table, has in zip(kept, told, strict=True) if has]
    table = pa.concat_tables(kept, promote_options="default")
    return dict(zip(table.column_names, table.columns, strict=True)), notes


def _with_split(file: Path, table: pa.Table) -> pa.Table:
    said = {split_of(part) for part in re.split(r"[\W_]+", file.stem)} - {None}
    if SPLIT_COLUMNS & set(table.column_names) or len(said) != 1:
        return table
    return table.append_column("split", pa.array(list(said) * len(table), pa.string()))
