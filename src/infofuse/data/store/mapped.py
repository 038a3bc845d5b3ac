"""Columns that lie in files: mapped, opened without being read, let go again as they are read.

Pages of a mapped file that were read count as a process's memory until the kernel wants them back.
So that reading a store of any size stays small by every count, they are given back on the way. The
kernel keeps them cached, and having them again is cheap.
"""

import ctypes
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from infofuse.types import Clips, Ragged

RESIDENT = 2**27
"""Bytes of mapped files that are in memory at most, about, before they are let go."""

_LARGEST_PAGE = 2**21  # what a touch may bring with it
_MADV_DONTNEED = 4
_madvise: Any = getattr(ctypes.CDLL(None), "madvise", None) if os.name == "posix" else None


class Pages:
    """What was read of some mapped files since it was let go."""

    def __init__(self) -> None:
        self.touched: set[MappedFile] = set()
        self.size = 0

    def touch(self, file: "MappedFile", size: int) -> None:
        """Note that so much of the file is about to be read."""
        self.touched.add(file)
        self.size += max(size, _LARGEST_PAGE)
        if self.size >= RESIDENT:
            for each in self.touched:
                each.let_go()
            self.touched, self.size = set(), 0


class MappedFile:
    """A file as a buffer. It is closed again: only its mapping stays."""

    def __init__(self, file: Path, pages: Pages):
        self.pages = pages
        with pa.memory_map(str(file)) as source:
            # Arrow has the kernel fetch whatever it is asked for, which may be all of the file.
            first = source.read_buffer(1)
            self.buffer = pa.foreign_buffer(first.address, source.size(), base=first)

    def let_go(self) -> None:
        """Take the file's pages from this process's memory; reading brings them back."""
        if _madvise is not None:
            where = ctypes.c_void_p(self.buffer.address), ctypes.c_size_t(self.buffer.size)
            _madvise(*where, _MADV_DONTNEED)


class Mapped(Ragged):
    """Sequences that lie in several arrays, each in a mapped file, or in memory (None).

    `values` of more than one file is a copy of everything; `blocks()` and single sequences are not.
    """

    parts: Sequence[Ragged]
    files: Sequence[MappedFile | None]
    firsts: list[int]

    def __init__(self, parts: Sequence[Ragged], files: Sequence[MappedFile | None]):
        firsts = list(accumulate((len(part) for part in parts), initial=0))
        vars(self).update(parts=parts, files=files, firsts=firsts)

    @cached_property
    def values(self) -> np.ndarray:
        if len(self.parts) == 1:
            return self.parts[0].values
        return np.concatenate([part.values for part in self.parts])

    @cached_property
    def offsets(self) -> Int[np.ndarray, "n_plus_1"]:
        lengths = np.concatenate([part.lengths for part in self.parts])
        return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])

    @property
    def empty(self) -> np.ndarray:
        return self.parts[0].empty

    def __len__(self) -> int:
        return self.firsts[-1]

    def __getitem__(self, i: int) -> np.ndarray:
        part = bisect_right(self.firsts, i, hi=len(self.parts)) - 1
        sequence = self.parts[part][i - self.firsts[part]]
        _touch(self.files[part], sequence)
        return sequence

    def blocks(self) -> Iterator[np.ndarray]:
        for part, file in zip(self.parts, self.files, strict=True):
            for block in part.blocks():
                _touch(file, block)
                yield block


def _touch(file: MappedFile | None, values: np.ndarray) -> None:
    if file is not None:
        file.pages.touch(file, values.nbytes)


class Strings(Sequence[str]):
    """A column of strings that stays in its files; each is read when it is asked for."""

    def __init__(self, column: pa.ChunkedArray):
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, i: Any) -> Any:
        found = self.column[i]
        return found.to_pylist() if isinstance(i, slice) else found.as_py()

    def __iter__(self) -> Iterator[str]:
        for chunk in self.column.chunks:
            yield from chunk.to_pylist()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Part:
    """The clips of a shard, and the file they are mapped from; None if it was fetched."""

    batch: pa.RecordBatch
    file: MappedFile | None
    labels: np.ndarray
    unimodal: dict[str, np.ndarray]
    features: dict[str, Ragged]


def part_of(batch: pa.RecordBatch, file: MappedFile | None) -> Part:
    """The columns of a record batch of `store.arrow`. What was read for it is let go."""
    features = {name: _ragged(column) for name, column in _columns(batch, "features.")}
    labels = _vectors(batch.column("label")).copy()
    unimodal = {name: _vectors(column).copy() for name, column in _columns(batch, "label.")}
    part = Part(batch, file, labels, unimodal, features)
    if file is not None:
        file.let_go()
    return part


def clips_of(parts: Sequence[Part]) -> Clips:
    """The clips of the shards of a split; at least one."""
    table = pa.Table.from_batches([part.batch for part in parts])
    files = [part.file for part in parts]
    return Clips(
        ids=Strings(table.column("id")),
        labels=np.concatenate([part.labels for part in parts]),
        features={
            name: Mapped([part.features[name] for part in parts], files)
            for name in parts[0].features
        },
        texts=Strings(table.column("text")),
        groups=Strings(table.column("group")),
        unimodal={
            name: np.concatenate([part.unimodal[name] for part in parts])
            for name in parts[0].unimodal
        },
    )


def _columns(batch: pa.RecordBatch, prefix: str) -> Iterator[tuple[str, Any]]:
    """The columns whose names begin so, by the rest of their names."""
    for name in batch.schema.names:
        if name.startswith(prefix):
            yield name.removeprefix(prefix), batch.column(name)


def _ragged(lists: Any) -> Ragged:
    offsets = lists.offsets.to_numpy()
    begin, end = offsets[0], offsets[-1]
    return Ragged(_vectors(lists.values)[begin:end], offsets - begin if begin else offsets)


def _vectors(column: Any) -> np.ndarray:
    """The numbers of a column of vectors, (rows, width), where they lie."""
    return column.values.to_numpy(zero_copy_only=True).reshape(-1, column.type.list_size)
