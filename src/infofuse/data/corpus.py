"""A data set in memory or mapped from disk: its spec and the clips of its splits."""

import difflib
import hashlib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from infofuse.data import readers
from infofuse.data.readers import Sureness
from infofuse.data.spec import DataSpec
from infofuse.data.unpickle import loading_once
from infofuse.errors import InfofuseError, counted, not_yours, unknown
from infofuse.types import Clips

SPLITS = ("train", "valid", "test")
NO_CLIPS = bytes(32)
"""The digest of no clips."""


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
            check(name, clips, self.spec)

    def split(self, name: str) -> Clips:
        """The clips of a split. Raises InfofuseError if the data has none of that name, or if it
        is without clips."""
        if name not in self.splits:
            raise InfofuseError(
                f"the data has no split {name!r} (it has {', '.join(self.splits) or 'none'}); "
                f"this step needs one"
            )
        if not len(self.splits[name]):
            raise InfofuseError(f"split {name!r} of the data has no clips; this step needs some")
        return self.splits[name]

    def unlabelled(self, name: str) -> bool:
        """Whether no clip of a split has a label that is known."""
        return bool(np.isnan(self.splits[name].labels).any(1).all())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what the clips are: ids, labels, texts and every feature of every split.

        It does not depend on the name, the notes or the format that the data was read from.
        """
        return combine({name: digest(clips) for name, clips in self.splits.items()})


def combine(digests: Mapping[str, bytes]) -> str:
    """The fingerprint of a corpus from the digests of its splits."""
    parts = (part for name in sorted(digests) for part in (name.encode(), digests[name]))
    return _hash(parts).hex()


def digest(clips: Clips, before: bytes = NO_CLIPS) -> bytes:
    """d_i = SHA-256(d_(i-1), clip i), for the last clip.

    Since it goes on from the digest of the clips `before`, clips can be added without reading
    those that are there.
    """
    names = sorted(clips.features)
    labels = {f"label.{name}": clips.unimodal[name] for name in sorted(clips.unimodal)}
    for i, words in enumerate(zip(clips.ids, clips.texts, strict=True)):
        label = [_label(clips.labels[i])]
        for name, column in labels.items():
            label += [name.encode(), _label(column[i])]
        steps = [_steps(clips.features[name][i]) for name in names]
        named = (part for pair in zip(names, steps, strict=True) for part in pair)
        before = _hash([before, *words, *label, *named])
    return before


def _label(values: np.ndarray) -> bytes:
    """The bytes of labels, with one NaN for all."""
    return np.where(np.isnan(values), np.nan, values).astype("<f4").tobytes()


def _steps(sequence: np.ndarray) -> memoryview:
    """The bytes of a sequence, without a copy if they lie as they should."""
    return np.ascontiguousarray(sequence, "<f4").reshape(-1).view(np.uint8).data


def _hash(parts: Iterable[str | bytes | memoryview]) -> bytes:
    """SHA-256 of the parts, each after its length, so that none runs into the next."""
    state = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "little"))
        state.update(raw)
    return state.digest()


def check(split: str, clips: Clips, spec: DataSpec) -> None:
    """Raises an error unless the clips have the columns of the spec, all of one length."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    widths = {name: ragged.width for name, ragged in clips.features.items()}
    if widths != spec.features or clips.labels.shape != (len(clips), spec.outputs):
        raise ValueError(
            f"split {split} has features {widths} and labels of shape {clips.labels.shape}; "
            f"its spec says {spec.features} and {counted(spec.outputs, 'output')}"
        )
    shapes = {name: labels.shape for name, labels in clips.unimodal.items()}
    if shapes != dict.fromkeys(spec.unimodal, clips.labels.shape):
        raise ValueError(f"split {split} has unimodal labels {shapes}, its spec {spec.unimodal}")
    columns: list[Sized] = [clips.texts, clips.groups, *clips.features.values()]
    if any(len(column) != len(clips) for column in columns):
        raise ValueError(f"the columns of split {split} differ in length")


@runtime_checkable
class Reader(Protocol):
    """The face of a module of `infofuse.data.readers`: a format, by the module's name."""

    def recognises(self, path: Path) -> Sureness:
        """How surely the path is in this format. Raises InfofuseError for what cannot be looked
        into, such as a hostile pickle."""
        ...

    def read(self, path: Path) -> Corpus:
        """Read it. Raises InfofuseError, with what is wrong, if it cannot be used."""
        ...


def formats() -> list[str]:
    """The formats that can be read: the modules of `infofuse.data.readers`."""
    return sorted(module.name for module in pkgutil.iter_modules(readers.__path__))


def reader(name: str) -> Reader:
    """The reader of a format. Raises InfofuseError, with the nearest name, if there is none."""
    if name not in formats():
        raise unknown("format", name, formats())
    return importlib.import_module(f"infofuse.data.readers.{name}")


def open_corpus(path: Path | str) -> Corpus:
    """Read a data set in whichever known format it is.

    Raises InfofuseError if there is nothing at the path, if no reader recognises it or two do
    equally, or if the one that does cannot use it.
    """
    path = Path(path)
    try:
        with loading_once():
            return reader(format_of(path)).read(path)
    except PermissionError as error:
        raise not_yours(error.filename or path) from None


def format_of(path: Path) -> str:
    """The format that a data set is in, by its reader's name.

    Raises InfofuseError if it is in none, or in two as surely.
    """
    if not path.exists():
        raise InfofuseError(f"there is no {path}{_sibling(path)}")
    name = known_format(path)
    if name is not None:
        return name
    raise InfofuseError(
        f"{path} is in no format that is known here ({', '.join(formats())}); "
        f"infofuse.data.readers says what each of them holds"
    )


def known_format(path: Path) -> str | None:
    """The format of a file or folder that is there, by the surest reader; None if it is in none.

    What a reader cannot look into stops nobody else: its refusal is raised if no other recognises
    the path. Raises InfofuseError also if two are equally sure.
    """
    sureness: dict[str, Sureness] = {}
    refusals = []
    with loading_once():
        for name in formats():
            try:
                sureness[name] = reader(name).recognises(path)
            except InfofuseError as refusal:
                refusals.append(refusal)
            except PermissionError as error:
                refusals.append(not_yours(error.filename or path))
    most = max(sureness.values(), default=Sureness.NO)
    surest = [name for name, sure in sureness.items() if sure and sure is most]
    if len(surest) > 1:
        raise InfofuseError(
            f"{path} is as much {' as '.join(surest)}, by what it holds; give each format a place "
            f"of its own"
        )
    if not surest and refusals:
        raise refusals[0]
    return surest[0] if surest else None


def _sibling(path: Path) -> str:
    if not path.parent.is_dir():
        return f", nor the folder {path.parent}"
    names = [entry.name for entry in path.parent.iterdir()]
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""
