"""Computational sequences of the CMU Multimodal SDK: HDF5 files, read as data and in bounds.

    NAME.csd: {ROOT: {"data": {KEY: {"features": (steps, width), "intervals": (steps, 2)}}}}

A key is a video, or a piece of one, "VIDEO[3]". Beside "data" there is "metadata", not needed and
not read. An HDF5 file can point into other files and announce more than it holds; such are
refused, and what is read of a file is bounded by its size.
"""

import contextlib
import importlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from infofuse.data.layouts.columns import numbers, strings, video
from infofuse.errors import InfofuseError, missing

_EXPANSION = 200  # the most that compressed features are taken to grow by
_SLACK = 1 << 26
_STRING = 1024  # bytes that one string of any length is taken for, as each is read by itself
_PIECE = re.compile(r"(.*)\[(\d{1,9})\]")


@contextlib.contextmanager
def open_sequences(folder: Path) -> Iterator[list["Sequence"]]:
    """The sequences in the .csd files of a folder, within the block.

    Raises InfofuseError without h5py, and for a file that is not such a sequence.
    """
    h5py = _h5py()
    with contextlib.ExitStack() as stack:
        opened = []
        for path in sorted(folder.glob("*.csd")):
            with _reading(path):
                opened.append(Sequence(path, stack.enter_context(h5py.File(path, "r"))))
        yield opened


class Sequence:
    """The data of one file, read key by key. path: of the file. root: what the file calls it."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path = path
        self.root, self._data = _root(path, file)
        if not hasattr(self._data, "keys") or not len(self._data):
            raise InfofuseError(f"{path.name} holds no sequence: its 'data' is empty")
        self.keys = dict.fromkeys(sorted(self._data, key=_natural))
        self._credit = _EXPANSION * path.stat().st_size + _SLACK
        self._pieces: dict[str, list[str]] = {}
        for key in self.keys:
            self._pieces.setdefault(video(key) if _PIECE.fullmatch(key) else key, []).append(key)

    @property
    def is_text(self) -> bool:
        """Whether its features are strings."""
        with _reading(self.path):
            features = self._dataset(next(iter(self.keys)), "features")
            return features is not None and features.dtype.kind in "SO"

    def piece(self, key: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Intervals (steps, 2) and features (steps, width) of a key, None if there is no such key.

        Features are strings or float32. Intervals are NaN where the file has none.
        """
        if key not in self.keys:
            return None
        with _reading(self.path):
            features, intervals = self._read(key, "features"), self._read(key, "intervals")
        if features is None:
            raise InfofuseError(f"{self.path.name}: {key!r} has no 'features'")
        if intervals is None:
            intervals = np.full((len(np.atleast_1d(features)), 2), np.nan)
        if intervals.ndim == 1:  # of one step
            intervals, features = intervals[None], features[None]
        if features.ndim < 1 or intervals.shape != (len(features), 2):
            raise InfofuseError(
                f"{self.path.name}: {key!r} has features of shape {features.shape} and intervals "
                f"of {intervals.shape}; (steps, width) and (steps, 2) were expected"
            )
        return intervals, features.reshape(len(features), math.prod(features.shape[1:]))

    def video(self, name: str) -> tuple[np.ndarray, np.ndarray] | None:
        """The same for a video, its pieces joined in order of time."""
        pieces = [found for key in self._pieces.get(name, []) if (found := self.piece(key))]
        widths = {features.shape[1] for _, features in pieces if len(features)}
        if len(widths) > 1:
            raise InfofuseError(
                f"{self.path.name}: pieces of {name!r} have {sorted(widths)} features"
            )
        pieces = [(intervals, features) for intervals, features in pieces if len(features)]
        if not pieces:
            return None
        intervals, features = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        order = np.argsort(intervals[:, 0], kind="stable")
        return intervals[order], features[order]

    def _read(self, key: str, column: str) -> np.ndarray | None:
        dataset, where = self._dataset(key, column), f"{self.path.name}: {column} of {key!r}"
        if dataset is None:
            return None
        self._pay(dataset.nbytes)
        if dataset.dtype.kind in "SO":
            return self._strings(where, dataset)
        values = numbers(where, dataset[()])
        with np.errstate(over="ignore"):
            return values.astype(np.float32 if column == "features" else np.float64)

    def _strings(self, where: str, dataset: Any) -> np.ndarray:
        """Strings of any length come one by one: each may be as long as the file."""
        if dataset.dtype.kind == "S":
            return np.array(strings(where, dataset[()]), object).reshape(dataset.shape)
        self._pay(_STRING * dataset.size)
        texts = np.empty(dataset.shape, object)
        for place in np.ndindex(dataset.shape):
            [texts[place]] = strings(where, [dataset[place]])
            self._pay(len(texts[place]))
        return texts

    def _dataset(self, key: str, column: str) -> Any:
        """A column, None if there is none, refused if it lies outside the file."""
        dataset = _member(self.path, _member(self.path, self._data, key), column)
        if dataset is None:
            return None
        if not hasattr(dataset, "dtype") or dataset.is_virtual or dataset.external:
            raise InfofuseError(
                f"{self.path.name}: {column} of {key!r} is no array within the file"
            )
        return dataset

    def _pay(self, size: int) -> None:
        self._credit -= size
        if self._credit < 0:
            raise InfofuseError(
                f"{self.path.name} announces more than {_EXPANSION} times its own size; it is "
                f"damaged, or not meant to be read"
            )


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns what h5py raises into a refusal."""
    try:
        yield
    except InfofuseError:
        raise
    except (AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError,
            ValueError) as error:  # fmt: skip
        raise InfofuseError(
            f"{path.name} cannot be read as HDF5: {error}; if it was downloaded or copied, do so "
            f"again"
        ) from None


def _h5py() -> ModuleType:
    try:
        return importlib.import_module("h5py")
    except ImportError:
        raise missing(".csd files are read by h5py", "csd") from None


def _root(path: Path, file: Any) -> tuple[str, Any]:
    """The name of the sequence, and the group of its data."""
    roots = {path.stem: file} if "data" in list(file) else {n: _member(path, file, n) for n in file}
    for name, root in roots.items():
        if hasattr(root, "keys") and "data" in list(root):
            return name, _member(path, root, "data")
    raise InfofuseError(f"{path.name} has no group 'data'; it holds {', '.join(file) or 'nothing'}")


def _natural(key: str) -> tuple[str, int]:
    piece = _PIECE.fullmatch(key)
    return (piece[1], int(piece[2])) if piece else (key, -1)


def _member(path: Path, group: Any, name: str) -> Any:
    """What a group has by a name, None if nothing, refused if it is a link to somewhere else."""
    if not hasattr(group, "keys"):
        raise InfofuseError(
            f"{path.name}: an array stands where a group with {name!r} was expected"
        )
    link = group.get(name, getlink=True)
    if link is not None and not isinstance(link, _h5py().HardLink):
        raise InfofuseError(
            f"{path.name}: {name!r} is a link to somewhere else, which is not followed"
        )
    return group.get(name)
