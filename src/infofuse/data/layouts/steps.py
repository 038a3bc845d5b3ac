"""The steps of clips, as arrays or as a column of nested lists, joined to one ragged column."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Shaped

from infofuse.errors import InfofuseError
from infofuse.types import Ragged

NOTHING = np.zeros((0, 0), np.float32)
"""The steps of a clip that lacks a modality, of whichever width."""


def as_steps(where: str, value: Any) -> Shaped[np.ndarray, "_ _"]:
    """An array or nested list as (steps, width): a vector is one step, and (1, steps, width) drops
    its first axis. What is None or empty is `NOTHING`.

    Raises InfofuseError for what holds no numbers or has another shape.
    """
    array = NOTHING if value is None else _array(where, value)
    shape = array.shape
    while array.ndim > 2 and len(array) == 1:
        array = array[0]
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or (len(array) and array.shape[1] == 0 and len(shape) > 1):
        raise InfofuseError(f"{where} has shape {shape}; (steps, features) was expected")
    return array if array.size else NOTHING


def join(
    modality: str, sequences: Sequence[Shaped[np.ndarray, "_ _"]], names: Sequence[str]
) -> tuple[Ragged, list[str]]:
    """The sequences of a modality, end to end, and what was noticed.

    names: what each is called in the refusal of two that differ in width. Where no sequence has a
    step, the width is 0. Otherwise as `plain` says.
    """
    first = next((i for i, steps in enumerate(sequences) if len(steps)), None)
    if first is None:
        return Ragged.absent(len(sequences), 0), []
    width = sequences[first].shape[1]
    for steps, name in zip(sequences, names, strict=True):
        if len(steps) and steps.shape[1] != width:
            raise _two_widths(modality, names[first], width, name, steps.shape[1])
    with np.errstate(over="ignore"):
        parts = [steps.reshape(-1, width).astype(np.float32, copy=False) for steps in sequences]
    return plain(modality, Ragged.of(parts))


def join_column(modality: str, column: pa.ChunkedArray) -> tuple[Ragged, list[str]]:
    """The same for an Arrow column: of lists of vectors, or of vectors that are one step each.

    A row that is null or empty lacks the modality.
    """
    lengths, inner = _unnest(_storage(column))
    if _is_list(inner.type):
        steps, rows = lengths, np.repeat(np.arange(len(lengths)), lengths)
        widths, inner = _unnest(inner)
    else:
        steps, rows = (lengths > 0).astype(np.int64), np.flatnonzero(lengths)
        widths = lengths[rows]
    if _is_list(inner.type):
        raise InfofuseError(f"{modality!r} is nested too deeply; (steps, features) was expected")
    if not len(rows):
        return Ragged.absent(len(lengths), 0), []
    other = np.flatnonzero(widths != widths[0])
    if len(other):
        place, found = f"row {rows[other[0]]}", int(widths[other[0]])
        raise _two_widths(modality, f"row {rows[0]}", int(widths[0]), place, found)
    if widths[0] == 0:
        raise InfofuseError(f"{modality!r}: row {rows[0]} has steps without features")
    values = pc.cast(inner, pa.float32(), safe=False).to_numpy().reshape(-1, widths[0])
    return plain(modality, Ragged.laid(values, steps))


def holds_steps(column: Any) -> bool:
    """Whether a column holds lists or arrays of numbers, and not one value a row."""
    if isinstance(column, pa.ChunkedArray):
        dtype = getattr(column.type, "storage_type", column.type)
        return _is_list(dtype) and _is_number(_leaf_type(dtype))
    value = next((v for v in column if is_sequence(v) and len(v)), None)
    if value is None:
        return False
    while is_sequence(value) and len(value):
        value = value[0]
    return isinstance(value, int | float | np.number | np.bool_)


def _array(where: str, value: Any) -> np.ndarray:
    try:
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            value = np.array([np.asarray(item, float) for item in value])
    except (TypeError, ValueError, OverflowError):
        raise InfofuseError(f"{where} is no array of numbers of one width") from None
    if value.dtype.kind not in "fiub":
        raise InfofuseError(f"{where} is of type {value.dtype}, not an array of numbers")
    return value


def _two_widths(modality: str, one: str, width: int, other: str, found: int) -> InfofuseError:
    return InfofuseError(
        f"{modality!r} has {width} features a step in {one}, and {found} in {other}; the "
        f"clips of a modality must have the same"
    )


def plain(modality: str, ragged: Ragged) -> tuple[Ragged, list[str]]:
    """The same as models read it, and what was noticed.

    A sequence of zeros or of numbers that are not finite is absent, for that is how extractors
    write what they did not find. In the others, such numbers become 0.
    """
    ragged, nothing, bad = plain_counts(ragged)
    return ragged, plain_notes(modality, nothing, len(ragged), bad)


def plain_counts(ragged: Ragged) -> tuple[Ragged, int, int]:
    """What `plain` makes of it, how many sequences it took away, and how many numbers became 0."""
    nothing = ragged.contentless
    if nothing.any():
        ragged = ragged.without(nothing)
    bad = ~np.isfinite(ragged.values)
    if bad.any():
        values = np.where(bad, ragged.values.dtype.type(0), ragged.values)
        ragged = Ragged(values, ragged.offsets)
    return ragged, int(nothing.sum()), int(bad.sum())


def plain_notes(modality: str, nothing: int, clips: int, bad: int) -> list[str]:
    """The notes of what `plain_counts` found."""
    absent = f"{modality}: all zero or NaN in {nothing} of {clips} clips, which count as without it"
    odd = f"{modality}: {bad} numbers are not finite, read as 0"
    return [absent] * bool(nothing) + [odd] * bool(bad)


def _unnest(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.ChunkedArray]:
    """How many items each list has, 0 for a null, and all items, end to end."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return lengths.astype(np.int64), pc.list_flatten(column)


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The lists behind an extension type such as those of Hugging Face."""
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    return pa.chunked_array([c.storage for c in column.chunks], column.type.storage_type)


def is_sequence(value: Any) -> bool:
    """Whether it has items: a list, a tuple or an array that is no single number."""
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _is_list(dtype: pa.DataType) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(dtype) for is_kind in kinds)


def _leaf_type(dtype: pa.DataType) -> pa.DataType:
    return _leaf_type(dtype.value_type) if _is_list(dtype) else dtype


def _is_number(dtype: pa.DataType) -> bool:
    kinds = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)
    return any(is_kind(dtype) for is_kind in kinds)
