"""Columns as files hold them, checked and made plain: strings, numbers, labels, lengths.

`where` names the column in what a user reads, such as "split 'train': 'id'".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from infofuse.data.layouts.steps import is_sequence
from infofuse.errors import InfofuseError

_MOST_TEXT = 2**31 - 1
_MOST_ID = 1000
_MOST_STEPS = 2**31
_MOST_REPEATED = 2**28
_SEGMENT = re.compile(r"(.+)\[\d+\]")


def strings(where: str, column: Any) -> list[str]:
    """A list or array of strings, bytes (read as UTF-8) or whole numbers, as strings."""
    if not isinstance(column, list | tuple | np.ndarray):
        raise InfofuseError(f"{where} is a {type(column).__name__}, not a list of strings")
    items = column.ravel().tolist() if isinstance(column, np.ndarray) else column
    texts, characters = [], 0
    for item in items:  # one of a million characters may stand in a list a million times
        texts.append(_string(where, item))
        characters += len(texts[-1])
        if characters > _MOST_TEXT:
            raise InfofuseError(f"{where} has more than {_MOST_TEXT:,} characters")
    return texts


def _string(where: str, item: Any) -> str:
    if isinstance(item, bytes):
        return item.decode("utf-8", "replace")
    if isinstance(item, int | np.integer):
        return str(int(item))
    if not isinstance(item, str):
        raise InfofuseError(f"{where} holds a {type(item).__name__}, not a string")
    try:
        item.encode()
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return item.encode("utf-8", "replace").decode()
    return str(item)


def ids(where: str, column: Any) -> list[str]:
    """One id a clip; of several parts, as (video, start, end), it is "VIDEO$_$START_END"."""
    nested = isinstance(column, list | tuple) and any(map(is_sequence, column))
    if not nested and (not isinstance(column, np.ndarray) or column.ndim < 2):
        return strings(where, column)
    return [_joined(where, strings(where, row if is_sequence(row) else [row])) for row in column]


def _joined(where: str, parts: list[str]) -> str:
    if not parts or sum(map(len, parts)) > _MOST_ID:
        raise InfofuseError(f"{where} has an id without a part, or with more than {_MOST_ID}")
    return "$_$".join([parts[0], "_".join(parts[1:])]) if parts[1:] else parts[0]


def numbers(where: str, column: Any) -> np.ndarray:
    """An array of real numbers, or a flat list of them; an array is not copied."""
    objects = isinstance(column, np.ndarray) and column.dtype.hasobject
    if objects or isinstance(column, list | tuple):
        column = _from_objects(where, column)
    if not isinstance(column, np.ndarray) or column.dtype.kind not in "fiub":
        what = getattr(column, "dtype", type(column).__name__)
        raise InfofuseError(f"{where} is of type {what}, not an array of numbers")
    return column


def _from_objects(where: str, column: Any) -> np.ndarray:
    """Only numbers: an array of lists of lists may be small in a file and endless in memory."""
    items = column.ravel().tolist() if isinstance(column, np.ndarray) else list(column)
    for item in items:
        if not isinstance(item, int | float | np.integer | np.floating):
            raise InfofuseError(f"{where} holds a {type(item).__name__} where a number belongs")
    try:
        return np.array([float(item) for item in items])
    except OverflowError:
        raise InfofuseError(f"{where} holds a number too large to be read") from None


def labels(where: str, column: Any) -> Float[np.ndarray, "n k"]:
    """The labels of each clip, (n,), (n, k) or (n, 1, k) in the file; NaN where unknown."""
    array = numbers(where, column)
    if array.ndim == 3 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or array.size == 0:
        raise InfofuseError(
            f"{where} has shape {array.shape}; (clips,), (clips, labels) or (clips, 1, labels) "
            f"was expected"
        )
    with np.errstate(over="ignore"):
        array = array.reshape(len(array), -1).astype(np.float32)
    if np.isinf(array).any():
        raise InfofuseError(f"{where} holds infinity; a label is a number, or NaN if unknown")
    return array


def check_unimodal(
    where: str, found: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
) -> None:
    """Raises InfofuseError if labels by one modality have not the columns of the clips' labels."""
    if found.shape != labels.shape:
        raise InfofuseError(
            f"{where} has {found.shape[1]} labels a clip, and {labels.shape[1]} of all modalities"
        )


def lengths(where: str, column: Any) -> Int[np.ndarray, "n"]:
    """Counts of steps."""
    array = numbers(where, column).ravel()
    if not (np.abs(array) < _MOST_STEPS).all() or (array != np.floor(array)).any():
        raise InfofuseError(f"{where} holds values that are no whole numbers below {_MOST_STEPS}")
    return array.astype(np.int64)


def frames(where: str, column: Any) -> np.ndarray:
    """Padded sequences of shape (n, time, width), of any type of number."""
    array = numbers(where, column)
    if array.ndim != 3 or array.shape[2] == 0:
        raise InfofuseError(
            f"{where} has shape {array.shape}; (clips, steps, features) was expected"
        )
    return array


def sequences(where: str, column: Any) -> list[np.ndarray]:
    """Arrays of shape (steps, width), one a clip, all of one width; an empty one of any shape."""
    arrays = [numbers(f"{where}, clip {i}", array) for i, array in enumerate(column)]
    once = sum({id(array): array.nbytes for array in arrays}.values())
    if sum(array.nbytes for array in arrays) > 4 * once + _MOST_REPEATED:
        raise InfofuseError(f"{where} holds a few arrays over and over, more than fits in memory")
    width = next((array.shape[1] for array in arrays if array.ndim == 2 and array.size), 0)
    nothing = np.zeros((0, width), np.float32)
    for i, array in enumerate(arrays):
        if array.size and array.shape[1:] != (width or None,):
            raise InfofuseError(
                f"{where}, clip {i}, has shape {array.shape}; (steps, {width or 'features'}) was "
                f"expected"
            )
    return [array if array.size else nothing for array in arrays]


def video(clip: str) -> str:
    """The video of a clip: what stands before "$_$", before "[3]", or before the last "_"."""
    if segment := _SEGMENT.fullmatch(clip):
        return segment[1]
    separator = "$_$" if "$_$" in clip else "_"
    return clip.rpartition(separator)[0] or clip


def videos(ids: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The video of each clip, by split. Where all ids begin alike, such as "sample_0001" and
    "sample_0002", "_" tells of no video: each clip is then one by itself.
    """
    found = {split: list(map(video, names)) for split, names in ids.items()}
    every = [clip for names in ids.values() for clip in names]
    guessed = len(every) > 1 and not any("$_$" in c or _SEGMENT.fullmatch(c) for c in every)
    if guessed and len({name for names in found.values() for name in names}) == 1:
        return {split: list(names) for split, names in ids.items()}
    return found


def scale(labels: Float[np.ndarray, "n k"]) -> tuple[tuple[float, float] | None, str]:
    """The labels' scale and the convention of their scores, by the range that they stay in."""
    known = np.abs(labels[~np.isnan(labels)])
    if known.size == 0 or known.max() > 3:
        return None, "plain"
    return ((-1.0, 1.0), "sims") if known.max() <= 1 else ((-3.0, 3.0), "mosi")
