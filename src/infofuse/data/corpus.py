"""A data set in memory or mapped from disk: its spec and the clips of its splits."""

import difflib
import hashlib
import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError, unknown
from infofuse.types import Clips, Ragged

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Corpus:
    """A spec and the clips of its splits.

    splits: any of "train", "valid" and "test". notes: what a reader noticed and what it left out,
    a sentence each.
    """

    spec: DataSpec
    splits: Mapping[str, Clips]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, clips in self.splits.items():
            if name not in SPLITS:
                raise unknown("split", name, SPLITS)
            _check(name, clips, self.spec)

    def split(self, name: str) -> Clips:
        """The clips of a split. Raises InfofuseError if the data has none of that name."""
        if name not in self.splits:
            raise InfofuseError(
                f"the data has no split {name!r} (it has {', '.join(self.splits) or 'none'}); "
                f"this step needs one"
            )
        return self.splits[name]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what the clips are: ids, labels, texts and every feature of every split.

        It does not depend on the name, the notes or the format that the data was read from.
        """
        digest = hashlib.sha256()
        for name in sorted(self.splits):
            digest.update(name.encode())
            for part in _content(self.splits[name]):
                digest.update(len(part).to_bytes(8, "little"))
                digest.update(part)
        return digest.hexdigest()


def _check(split: str, clips: Clips, spec: DataSpec) -> None:
    widths = {name: ragged.width for name, ragged in clips.features.items()}
    if widths != spec.features or clips.labels.shape != (len(clips), spec.outputs):
        raise ValueError(
            f"split {split} has features {widths} and labels of shape {clips.labels.shape}; "
            f"its spec says {spec.features} and {spec.outputs} output(s)"
        )
    shapes = {name: labels.shape for name, labels in clips.unimodal.items()}
    if shapes != dict.fromkeys(spec.unimodal, clips.labels.shape):
        raise ValueError(f"split {split} has unimodal labels {shapes}, its spec {spec.unimodal}")
    columns: list[Sized] = [clips.texts, clips.groups, *clips.features.values()]
    if any(len(column) != len(clips) for column in columns):
        raise ValueError(f"the columns of split {split} differ in length")


def _content(clips: Clips) -> Iterable[bytes | memoryview]:
    yield json.dumps([list(clips.ids), list(clips.texts)]).encode()
    yield _scores(clips.labels)
    for name in sorted(clips.unimodal):
        yield f"labels of {name}".encode()
        yield _scores(clips.unimodal[name])
    for name in sorted(clips.features):
        ragged: Ragged = clips.features[name]
        begin, end = int(ragged.offsets[0]), int(ragged.offsets[-1])
        yield f"{name} {ragged.width}".encode()
        yield _raw(ragged.offsets - begin, "<i8")
        yield _raw(ragged.values[begin:end], "<f4")


def _scores(labels: np.ndarray) -> memoryview:
    """The bytes of labels, with one NaN for all."""
    return _raw(np.where(np.isnan(labels), np.nan, labels), "<f4")


def _raw(values: np.ndarray, dtype: str) -> memoryview:
    """The bytes of an array, without a copy if they lie as they should."""
    return np.ascontiguousarray(values, dtype).reshape(-1).view(np.uint8).data


@runtime_checkable
class Reader(Protocol):
    """The face of a module of `infofuse.data.readers`: a format, by the module's name."""

    def recognises(self, path: Path) -> bool:
        """Whether the path is in this format. Raises InfofuseError for a file that is hostile."""
        ...

    def read(self, path: Path) -> Corpus:
        """Read it. Raises InfofuseError, with what is wrong, if it cannot be used."""
        ...


def formats() -> list[str]:
    """The formats that can be read: the modules of `infofuse.data.readers`."""
    package = importlib.import_module("infofuse.data.readers")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def reader(name: str) -> Reader:
    """The reader of a format. Raises InfofuseError, with the nearest name, if there is none."""
    if name not in formats():
        raise unknown("format", name, formats())
    return importlib.import_module(f"infofuse.data.readers.{name}")


def open_corpus(path: Path | str) -> Corpus:
    """Read a data set in whichever known format it is.

    Raises InfofuseError if there is nothing at the path, if no reader recognises it, or if the one
    that does cannot use it.
    """
    path = Path(path)
    if not path.exists():
        raise InfofuseError(f"there is no {path}{_sibling(path)}")
    for name in formats():
        if reader(name).recognises(path):
            return reader(name).read(path)
    raise InfofuseError(
        f"{path} is in no format that is known here ({', '.join(formats())}); "
        f"infofuse.data.readers says what each of them holds"
    )


def _sibling(path: Path) -> str:
    if not path.parent.is_dir():
        return f", nor the folder {path.parent}"
    names = [entry.name for entry in path.parent.iterdir()]
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""
