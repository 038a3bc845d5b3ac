"""The constructors by which Python and NumPy write data into a pickle, restated.

Each is called only with what the file holds, makes a container, a string, a number or an array,
and takes memory in proportion to its arguments. Anything else raises ValueError or TypeError.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

_DTYPE = re.compile(r"[<>|=]?(b1|[biufcSUV]\d{1,9}|O[48]?|\?)")


class Hollow:
    """An array, or the type of an array by its `code`, whose state has not been read yet."""

    def __init__(self, code: str = "") -> None:
        self.code = code
        self.place: int | None = None  # in the memo, where the finished thing must replace it

    def finish(self, state: Any) -> np.ndarray | np.dtype:
        if not isinstance(state, tuple) or len(state) < 4:
            raise ValueError("an array whose state is not four values or more")
        if self.code:
            return _finish_dtype(self.code, state)
        shape, dtype, fortran, raw = state[-4:]
        return array(raw, dtype, shape, "F" if fortran else "C")


def key(value: Any) -> Hashable:
    """A dictionary's key or a set's member: plain, as to hash nested tuples can take forever.

    Of numbers, those of which few can have one hash: a table of complex ones, or of floats beyond
    64 bits, can be made to take the square of its size.
    """
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair names nothing that could be written down
    plain = value is None or isinstance(value, str | bytes | float)
    if plain or (isinstance(value, int) and value.bit_length() <= 64):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and value.itemsize <= 8:
        return value
    raise ValueError(f"a key or member of type {type(value).__name__}, not a string or a number")


def pairs(flat: list) -> dict:
    """A dictionary of key, value, key, value, ..."""
    return {key(k): value for k, value in zip(flat[::2], flat[1::2], strict=True)}


def members(items: Any = ()) -> set:
    return {key(item) for item in _sequence(items)}


def array(raw: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> np.ndarray:
    """The array of this shape, laid over its raw bytes or made of its list of objects."""
    if not isinstance(dtype, np.dtype):
        raise ValueError("an array without a type")
    counts = type(shape) is tuple and len(shape) <= 64 and all(map(_is_count, shape))
    if not counts:
        raise ValueError("an array whose shape is no tuple of up to 64 counts below 2^48")
    count, raw = math.prod(shape), _text_to_bytes(raw)
    size = count if dtype.hasobject else count * dtype.itemsize
    if dtype.hasobject != isinstance(raw, list) or len(raw) != size:
        raise ValueError(f"an array of {count:.6g} {dtype} over {len(raw)} bytes or objects")
    flat = np.fromiter(raw, dtype, count) if dtype.hasobject else np.frombuffer(raw, dtype)
    _check_characters(flat)
    result = flat.reshape(shape, order="F" if order == "F" else "C")
    return result if axes is None else result.transpose(axes)


def _is_count(n: Any) -> bool:
    """Before the product is taken, which of numbers of any length takes any time."""
    return type(n) is int and 0 <= n < 1 << 48


def _check_characters(flat: np.ndarray) -> None:
    if flat.dtype.kind == "U":
        points = flat.view(np.dtype("u4").newbyteorder(flat.dtype.byteorder))
        if points.max(initial=0) > 0x10FFFF:
            raise ValueError("an array of text with characters that do not exist")


def _text_to_bytes(raw: Any) -> Any:
    """Python 2 kept an array's bytes as a string, which is read as Latin-1."""
    return raw.encode("latin1") if isinstance(raw, str) else raw


def _dtype(code: Any, *_: Any) -> Hollow:
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        raise ValueError("an array of a type other than numbers, strings and objects")
    return Hollow(code)


def _finish_dtype(code: str, state: tuple) -> np.dtype:
    _version, order, *structure = state[:5]
    plain = isinstance(order, str) and all(part is None for part in structure)
    if len(state) != 8 or not plain:
        raise ValueError("an array with named fields or metadata")
    dtype = np.dtype(code).newbyteorder(order)
    if dtype.itemsize == 0:
        raise ValueError(f"an array of type {code}, of no bytes an item")
    return dtype


def _reconstruct(kind: Any, shape: Any, _code: Any) -> Hollow:
    if kind is not _ndarray or shape != (0,):
        raise ValueError("an array that does not begin as an empty numpy.ndarray")
    return Hollow()


def _ndarray(*_: Any) -> None:
    raise ValueError("numpy.ndarray called by itself")


def _scalar(dtype: Any, raw: Any) -> Any:
    if isinstance(dtype, np.dtype) and dtype.hasobject:
        raise ValueError("a scalar of type object")
    return array(raw, dtype, (), "C")[()]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes that are not written as Latin-1")
    return text.encode("latin1")


def _bytes(content: Any = b"", encoding: Any = "latin1") -> bytes:
    return _encode(content, encoding) if isinstance(content, str) else b"".join([content])


def _sequence(items: Any = ()) -> list:
    if not isinstance(items, list | tuple | set | frozenset):
        raise ValueError(f"a container made of a {type(items).__name__}")
    return list(items)


def _ordered(items: Any = ()) -> OrderedDict:
    return OrderedDict((key(k), value) for k, value in _sequence(items))


def _constructors() -> dict[tuple[str, str], Callable[..., Any]]:
    table: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "ndarray"): _ndarray,
        ("numpy", "dtype"): _dtype,
        ("collections", "OrderedDict"): _ordered,
        ("_codecs", "encode"): _encode,
    }
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray", "_reconstruct"] = _reconstruct
        table[f"{core}.multiarray", "scalar"] = _scalar
        table[f"{core}.numeric", "_frombuffer"] = array
    for module in ("builtins", "__builtin__"):
        table[module, "set"] = members
        table[module, "frozenset"] = lambda items=(): frozenset(members(items))
        table[module, "list"] = _sequence
        table[module, "bytes"] = table[module, "bytearray"] = _bytes
        table[module, "complex"] = complex
    return table


CONSTRUCTORS = _constructors()
"""By module and name, as Python 2 and 3 and NumPy 1 and 2 wrote them."""
