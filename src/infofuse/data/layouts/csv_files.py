"""Csv files of clips, read as text by pyarrow, and known by how they name their clips.

Columns are separated by commas, semicolons or tabs, whichever the names of the columns are; the
file is in UTF-8, or in UTF-16 with a byte order mark. Spaces around a name or a cell are not its
own, and a row of empty cells is no row.
"""

import csv
import functools
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from infofuse.data.layouts.clip_table import SPLIT_COLUMNS, TEXT_COLUMNS, split_of
from infofuse.errors import InfofuseError, not_yours

SUFFIXES = (".csv", ".tsv")
PARQUET = ".parquet"
_LONGEST_LINE = 1 << 20  # of names of columns
_WORDS = {*TEXT_COLUMNS, "english", "chinese"}  # what is said is kept as it is written
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_QUOTED = re.compile(r'\s+"(.*)"\s*')
_QUOTE_AFTER_SPACE = re.compile(rb"[,;\t] +\"")


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
    """The csv files at a path, or directly in it, whose clips are named by this key.

    Those of segments, whose key is "file", may be in parquet as well.
    """
    found = sorted(path.iterdir()) if path.is_dir() else [path]
    endings = (*SUFFIXES, PARQUET) if key == "file" else SUFFIXES
    files = [file for file in found if file.suffix.lower() in endings]
    return [file for file in files if clip_key(header(file)) == key]


@dataclass(frozen=True)
class _Form:
    """How a csv is written, and the names of its columns as they stand there."""

    encoding: str
    separator: str
    names: tuple[str, ...]

    @property
    def notes(self) -> list[str]:
        """What is unusual about it."""
        said = [] if self.separator == "," else [f"separated by {_SEPARATORS[self.separator]}"]
        return said if self.encoding.startswith("utf-8") else [*said, "in UTF-16"]


def header(file: Path) -> list[str]:
    """The names of the columns; empty for what is no file of lines."""
    try:
        if file.suffix.lower() == PARQUET:
            return _index_first(parquet.read_schema(file).names)
        return [name.strip() for name in _form(file).names]
    except PermissionError:
        raise not_yours(file) from None
    except (OSError, csv.Error, pa.ArrowException):
        return []


def _form(file: Path) -> _Form:
    """Raises OSError or csv.Error for what is no file of lines."""
    with file.open("rb") as content:
        wide = content.read(2) in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if wide else "utf-8-sig"
    found = {separator: _names(file, encoding, separator) for separator in _SEPARATORS}
    best = max(found, key=lambda separator: len(found[separator]))
    return _Form(encoding, best, tuple(found[best]))


def _names(file: Path, encoding: str, separator: str) -> list[str]:
    """The first row that has a cell."""
    with file.open(encoding=encoding, errors="replace", newline="") as lines:
        rows = csv.reader(iter(lambda: lines.readline(_LONGEST_LINE), ""), delimiter=separator)
        first = next((row for row in rows if row), [])
    return [_QUOTED.sub(r" \1", name) for name in first]


def read_csv(file: Path) -> pa.Table:
    """All cells as text, "" where there is none; the names of columns in lower case.

    Raises InfofuseError for what is no csv in UTF-8 or UTF-16, or has a column twice.
    """
    return _read(file)[0]


def read_table(file: Path) -> pa.Table:
    """A table in csv, as `read_csv` reads it, or in parquet, whose cells keep their types."""
    return _read(file)[0]


def _index_first(names: Sequence[str]) -> list[str]:
    """The names of the columns as csv has them: pandas writes those of an index at the end."""
    index = [name for name in ("file", "start", "end") if name in names]
    return [*index, *(name for name in names if name not in index)]


def _read_parquet(file: Path) -> pa.Table:
    """Names in lower case, times in seconds. Raises InfofuseError for what is no parquet."""
    try:
        table = parquet.read_table(file)
    except PermissionError:
        raise not_yours(file) from None
    except (pa.ArrowException, OSError) as error:
        raise InfofuseError(f"{file} cannot be read as parquet: {error}") from None
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_duration(column.type):
            ticks = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
            column = pc.divide(pc.cast(column.cast(pa.int64()), pa.float64(), safe=False), ticks)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        columns[name.lower()] = column
    return pa.table({name: columns[name] for name in _index_first([*columns])})


def _read(file: Path) -> tuple[pa.Table, list[str]]:
    """The table, and notes of how it is written and of what was left out."""
    if file.suffix.lower() == PARQUET:
        return _read_parquet(file), []
    try:
        form = _form(file)
        columns = _parse(file, form)
    except (pa.ArrowException, OSError, UnicodeError, csv.Error) as error:
        raise InfofuseError(f"{file} cannot be read as csv in UTF-8: {error}") from None
    plain = [pc.utf8_trim_whitespace(column) for column in columns]
    filled = [pc.not_equal(column, "") for column in plain]
    table: dict[str, pa.ChunkedArray] = {}
    for raw, cells, trimmed, some in zip(form.names, columns, plain, filled, strict=True):
        name = raw.strip().lower()
        if name in table:
            raise InfofuseError(f"{file} has two columns {name!r}; keep one")
        if name or pc.any(some).as_py():  # a spreadsheet may write columns that have nothing
            table[name] = cells if name in _WORDS and raw == raw.strip() else trimmed
    notes = [f"{file.name}: {what}" for what in form.notes]
    rows = functools.reduce(pc.or_, filled) if filled else pa.chunked_array([], pa.bool_())
    empty = len(rows) - (pc.sum(rows).as_py() or 0)
    if empty:
        notes.append(f"{file.name}: {empty} rows of empty cells, left out")
    whole = pa.table(table)
    return (whole.filter(rows) if empty else whole), notes


def _parse(file: Path, form: _Form) -> list[pa.ChunkedArray]:
    """The cells of each column."""
    content = file.read_bytes() if form.encoding == "utf-8-sig" else _as_utf8(file)
    spaced = _QUOTE_AFTER_SPACE.search(content) is not None
    if spaced and any(name != name.strip() for name in form.names):
        return _parse_slowly(content, form)
    try:
        return _parse_quickly(content, form)
    except pa.ArrowException:
        if spaced:
            return _parse_slowly(content, form)
        raise


def _as_utf8(file: Path) -> bytes:
    return file.read_text(encoding="utf-16").encode()


def _parse_quickly(content: bytes, form: _Form) -> list[pa.ChunkedArray]:
    names = [str(i) for i in range(len(form.names))]
    if not names:
        return []
    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        read_options=arrow_csv.ReadOptions(column_names=names),
        parse_options=arrow_csv.ParseOptions(delimiter=form.separator, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    return table.slice(1).columns


def _parse_slowly(content: bytes, form: _Form) -> list[pa.ChunkedArray]:
    """The same by Python, which knows that a quote after a space is one."""
    lines = io.StringIO(content.decode("utf-8-sig"), newline="")
    rows = csv.reader(lines, delimiter=form.separator, skipinitialspace=True)
    cells = [row for row in rows if row][1:]
    for i, row in enumerate(cells):
        if len(row) != len(form.names):
            raise csv.Error(f"row {i} has {len(row)} cells for {len(form.names)} columns")
    columns = zip(*cells, strict=True) if cells else [()] * len(form.names)
    return [pa.chunked_array([pa.array(column, pa.string())]) for column in columns]


def read_tables(files: Sequence[Path]) -> tuple[dict[str, pa.ChunkedArray], list[str]]:
    """The clips of one csv, or of one csv a split, and what was left out.

    Without a column of splits, "split" is what a file's name says, such as "dev" in
    `db.dev.csv` or `dev-label.csv`. Of several files, those whose name says none are left out.

    Raises InfofuseError if there are several and no name says a split.
    """
    read = {file: _read(file) for file in files}
    kept = [_with_split(file, table) for file, (table, _) in read.items()]
    notes = [note for _, noticed in read.values() for note in noticed]
    if len(files) > 1:
        told = [bool(SPLIT_COLUMNS & set(table.column_names)) for table in kept]
        if not any(told):
            raise InfofuseError(
                f"{files[0]} and {files[1]} both hold clips; keep one, add a column 'split', or "
                f"name them by their splits, such as train.csv and test.csv"
            )
        notes += [
            f"{file.name}: not read" for file, has in zip(files, told, strict=True) if not has
        ]
        kept = [table for table, has in zip(kept, told, strict=True) if has]
    table = pa.concat_tables(kept, promote_options="default")
    return dict(zip(table.column_names, table.columns, strict=True)), notes


def _with_split(file: Path, table: pa.Table) -> pa.Table:
    said = {split_of(part) for part in re.split(r"[\W_]+", file.stem)} - {None}
    if SPLIT_COLUMNS & set(table.column_names) or len(said) != 1:
        return table
    return table.append_column("split", pa.array(list(said) * len(table), pa.string()))
