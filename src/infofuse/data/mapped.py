"""Columns that lie in files: mapped, opened without being read, let go again as they are read.

Pages of a mapped file that were read count as a process's memory until the kernel wants them back.
So that reading a store of any size stays small by every count, they are given back on the way. The
kernel keeps them cached, and having them again is cheap.
"""

import ctypes
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from infofuse.types import Clips, Ragged

RESIDENT = 2**26
"""Bytes that are read before the pages they lie in are let go."""

_MADV_DONTNEED = 4
_madvise: Any = getattr(ctypes.CDLL(None), "madvise", None) if os.name == "posix" else None


class Pages:
    """The mapped files of a store, and how much was read since their pages were let go."""

    def __init__(self) -> None:
        self.files: list[pa.Buffer] = []
        self.read = 0

    def map(self, file: Path) -> pa.Buffer:
        """The content of a file. The file is closed again: only its mapping stays."""
        with pa.memory_map(str(file)) as source:
            # Arrow has the kernel fetch whatever it is asked for, which may be all of the file.
            first = source.read_buffer(1)
            self.files.append(pa.foreign_buffer(first.address, source.size(), base=first))
        return self.files[-1]

    def count(self, size: int) -> None:
        """Note that so many bytes are being read."""
        self.read += size
        if self.read >= RESIDENT and _madvise is not None:
            self.read = 0
            for file in self.files:
                where = ctypes.c_void_p(file.address), ctypes.c_size_t(file.size)
                _madvise(*where, _MADV_DONTNEED)


class Mapped(Ragged):
    """Sequences that lie in several arrays, one a file.

    `values` of more than one file is a copy of everything; `blocks()` and single sequences are not.
    """

    def __init__(self, parts: Sequence[Ragged], pages: Pages):
        firsts = list(accumulate((len(part) for part in parts), initial=0))
        vars(self).update(parts=tuple(parts), pages=pages, firsts=firsts)

    parts: tuple[Ragged, ...]
    pages: Pages
    firsts: list[int]

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
        self.pages.count(sequence.nbytes)
        return sequence

    def blocks(self) -> Iterator[np.ndarray]:
        for part in self.parts:
            for block in part.blocks():
                yield block
                self.pages.count(block.nbytes)


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


def clips_of(batches: Sequence[pa.RecordBatch], pages: Pages) -> Clips:
    """The clips of the record batches of `infofuse.data.arrow`, in their order; at least one."""
    table = pa.Table.from_batches(batches)
    names = [n for n in table.column_names if n.startswith("features.")]
    features = {
        name.removeprefix("features."): Mapped([_ragged(b.column(name)) for b in batches], pages)
        for name in names
    }
    return Clips(
        ids=Strings(table.column("id")),
        labels=np.concatenate([_vectors(batch.column("label")) for batch in batches]),
        features=features,
        texts=Strings(table.column("text")),
        groups=Strings(table.column("group")),
    )


def _ragged(lists: Any) -> Ragged:
    return Ragged(_vectors(lists.values), lists.offsets.to_numpy())


def _vectors(column: Any) -> np.ndarray:
    """The numbers of a column of vectors, (rows, width), where they lie."""
    return column.values.to_numpy(zero_copy_only=True).reshape(-1, column.type.list_size)
