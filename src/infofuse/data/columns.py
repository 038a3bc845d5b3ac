"""Columns as files hold them, checked and made plain: strings, numbers, labels, lengths.

`where` names the column in what a user reads, such as "split 'train': 'id'".
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from infofuse.errors import InfofuseError

_MOST_TEXT = 2**31 - 1


def strings(where: str, column: Any) -> list[str]:
    """A list or array of strings, bytes (read as UTF-8) or whole numbers, as strings."""
    if not isinstance(column, list | tuple | np.ndarray):
        raise InfofuseError(f"{where} is a {type(column).__name__}, not a list of strings")
    items = column.ravel().tolist() if isinstance(column, np.ndarray) else column
    texts = [_string(where, item) for item in items]
    if sum(map(len, texts)) > _MOST_TEXT:  # one string may stand in a list a million times
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


def labels(where: str, column: Any) -> Float[np.ndarray, "n 1"]:
    """One label a clip, NaN where unknown."""
    array = numbers(where, column)
    if array.ndim == 0 or array.size != len(array):
        raise InfofuseError(f"{where} has shape {array.shape}; one label a clip was expected")
    with np.errstate(over="ignore"):
        array = array.reshape(-1, 1).astype(np.float32)
    if np.isinf(array).any():
        raise InfofuseError(f"{where} holds infinity; a label is a number, or NaN if unknown")
    return array


def lengths(where: str, column: Any) -> Int[np.ndarray, "n"]:
    """Counts of steps."""
    array = numbers(where, column).ravel()
    if not np.isfinite(array).all() or (array != np.floor(array)).any():
        raise InfofuseError(f"{where} holds values that are no whole numbers")
    return array.astype(np.int64)


def frames(where: str, column: Any) -> np.ndarray:
    """Padded sequences of shape (n, time, width), of any type of number."""
    array = numbers(where, column)
    if array.ndim != 3 or array.shape[2] == 0:
        raise InfofuseError(
            f"{where} has shape {array.shape}; (clips, steps, features) was expected"
        )
    return array


def video(clip: str) -> str:
    """The video of a clip: what stands before "$_$", or before the last "_"."""
    separator = "$_$" if "$_$" in clip else "_"
    return clip.rpartition(separator)[0] or clip


def scale(labels: Float[np.ndarray, "n 1"]) -> tuple[tuple[float, float] | None, str]:
    """The label's scale and the convention of its scores, by the range that it stays in."""
    largest = np.abs(labels[~np.isnan(labels)]).max(initial=0)
    if largest <= 1:
        return (-1.0, 1.0), "sims"
    return ((-3.0, 3.0), "mosi") if largest <= 3 else (None, "plain")
