"""The feature modalities of a file, split by split, unpadded and checked against one another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from infofuse.data.layouts.columns import frames, lengths, sequences
from infofuse.data.layouts.padding import join, unpad, unpad_aligned
from infofuse.errors import InfofuseError
from infofuse.types import Ragged

Part = Mapping[str, Any]
"""The columns of a split, by the names that their file gives them."""


def read_features(
    parts: Mapping[str, Part], modalities: Sequence[str], clips: Mapping[str, int]
) -> tuple[dict[str, dict[str, Ragged]], list[str]]:
    """The sequences, by modality and split, of each modality that any clip has, and notes.

    clips: how many there are, by split. A column is an array (n, time, width) or n arrays
    (steps, width). Raises InfofuseError if columns do not fit one another.
    """
    shared = _unpad_shared(parts, modalities, clips)
    features: dict[str, dict[str, Ragged]] = {}
    notes: list[str] = []
    for modality in modalities:
        found, noticed = shared.get(modality) or _modality(parts, modality, clips)
        notes += noticed
        if any(ragged.offsets[-1] > ragged.offsets[0] for ragged in found.values()):
            features[modality] = found
    steps = [f"{', '.join(shared)}: equally many steps and no lengths, read as aligned"]
    return features, [*(steps if shared else []), *notes]


def aligned(parts: Mapping[str, Part], modalities: Sequence[str]) -> bool:
    """Whether several modalities are all padded to the same number of steps: one a word, say."""
    for part in parts.values():
        present = [m for m in modalities if part.get(m) is not None]
        shapes = [np.shape(part[m]) for m in present if isinstance(part[m], np.ndarray)]
        alike = len({shape[1:2] for shape in shapes}) == 1 and len(shapes) == len(present)
        if len(present) < 2 or not alike or shapes[0][1:2] <= (1,):
            return False
    return True


def where(split: str, key: str) -> str:
    """A column, as a sentence names it."""
    return f"split {split!r}: {key!r}"


def check_count(split: str, key: str, found: int, expected: int) -> None:
    """Raises InfofuseError if a column has not as many rows as there are ids."""
    if found != expected:
        raise InfofuseError(f"split {split!r} has {found} rows of {key!r} for {expected} ids")


def check_widths(key: str, by_split: Mapping[str, int]) -> None:
    """Raises InfofuseError if a column is not equally wide in all splits."""
    if len(set(by_split.values())) > 1:
        raise InfofuseError(f"{key!r} has different widths by split: {dict(by_split)}")


def _unpad_shared(
    parts: Mapping[str, Part], modalities: Sequence[str], clips: Mapping[str, int]
) -> dict[str, tuple[dict[str, Ragged], list[str]]]:
    """All modalities at once if they are aligned and no lengths say how long their clips are."""
    told = any(part.get(f"{m}_lengths") is not None for part in parts.values() for m in modalities)
    if told or not aligned(parts, modalities):
        return {}
    columns = {m: _by_split(parts, m, frames, clips) for m in modalities}
    present = {m: by_split for m, by_split in columns.items() if by_split}
    for modality, by_split in present.items():
        _check_alike(modality, by_split, parts)
    return unpad_aligned(present)


def _modality(
    parts: Mapping[str, Part], modality: str, clips: Mapping[str, int]
) -> tuple[dict[str, Ragged], list[str]]:
    columns = _by_split(parts, modality, _sequences_or_frames, clips)
    if not columns:
        return {}, [f"{modality}: no features"]
    _check_alike(modality, columns, parts)
    padded = {s: column for s, column in columns.items() if isinstance(column, np.ndarray)}
    if padded and len(padded) < len(columns):
        raise InfofuseError(f"{modality!r} is padded in one split and a list of arrays in another")
    if not padded:
        return join(modality, columns)
    return unpad(modality, padded, _by_split(parts, f"{modality}_lengths", lengths, clips))


def _sequences_or_frames(place: str, column: Any) -> Any:
    objects = isinstance(column, np.ndarray) and column.dtype.hasobject
    if objects and column.ndim == 1:
        column = column.tolist()
    if isinstance(column, list | tuple) and any(isinstance(x, np.ndarray) for x in column):
        return sequences(place, column)
    return frames(place, column)


def _by_split(
    parts: Mapping[str, Part],
    key: str,
    read_column: Callable[[str, Any], Any],
    clips: Mapping[str, int],
) -> dict[str, Any]:
    """A column of the splits that have it, one row per clip."""
    columns = {
        split: read_column(where(split, key), part[key])
        for split, part in parts.items()
        if part.get(key) is not None
    }
    for split, column in columns.items():
        check_count(split, key, len(column), clips[split])
    return columns


def _check_alike(modality: str, columns: Mapping[str, Any], parts: Mapping[str, Part]) -> None:
    missing = [split for split in parts if split not in columns]
    if missing:
        raise InfofuseError(f"split {missing[0]!r} has no {modality!r}, and another split has it")
    widths = {split: column[0].shape[-1] for split, column in columns.items()}
    check_widths(modality, {split: width for split, width in widths.items() if width})
