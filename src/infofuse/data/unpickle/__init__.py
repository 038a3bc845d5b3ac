"""Pickles read as data: numbers, strings, containers and NumPy arrays, and nothing else.

A pickle is a program that may call any function by name, which is why `pickle.load` on a file
from elsewhere runs whatever its author wrote. Here no unpickler runs. A small machine follows the
opcodes that build data, and knows only the names in `constructors`; a file that asks for
anything else is refused by that name. What it allocates, how long it takes and how deep it nests
are bounded by the file's size, and arrays are views of the memory-mapped file, so that to open
one of several GB takes no memory.
"""

import contextlib
import gc
import mmap
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from infofuse.data.unpickle.machine import Refused
from infofuse.data.unpickle.opcodes import build
from infofuse.errors import InfofuseError

_WRAPPED = {
    b"\x1f\x8b": "compressed by gzip: decompress it first (gunzip)",
    b"PK\x03\x04": "a zip archive: unpack it first (a PyTorch checkpoint is no data set)",
    b"BZh": "compressed by bzip2: decompress it first (bunzip2)",
    b"\xfd7zXZ": "compressed by xz: decompress it first (unxz)",
    b"\x28\xb5\x2f\xfd": "compressed by Zstandard: decompress it first (unzstd)",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array file",
    b"ARROW1": "an Arrow file",
}


_loaded: ContextVar[dict[Path, Any] | None] = ContextVar("_loaded", default=None)


@contextlib.contextmanager
def loading_once() -> Iterator[None]:
    """Within this block no pickle is loaded twice, be it refused: all readers may look into it."""
    outer = _loaded.get()
    token = _loaded.set({} if outer is None else outer)
    try:
        yield
    finally:
        _loaded.reset(token)


def looks_like_pickle(path: Path) -> bool:
    """Whether the name, or the first two bytes (protocols 2 to 5), are those of a pickle."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(2)
    binary = len(start) == 2 and start[0] == 0x80 and 2 <= start[1] <= 5
    return binary or path.suffix.lower() in {".pkl", ".pickle", ".p"}


def load_pickle(path: Path | str, max_bytes: int = 1 << 36) -> Any:
    """The data in a pickle of any protocol; nothing of the file is executed.

    Arrays are read-only views of the mapped file, and so are bytes beyond 4 KB (memoryviews).
    Raises InfofuseError if the file asks for code, is truncated, compressed or no pickle, or is
    larger than `max_bytes`.
    """
    path, loaded = Path(path), _loaded.get()
    if loaded is None:
        return _load(path, max_bytes)
    if path not in loaded:
        try:
            loaded[path] = _load(path, max_bytes)
        except InfofuseError as refusal:
            loaded[path] = refusal
    if isinstance(loaded[path], InfofuseError):
        raise loaded[path]
    return loaded[path]


def _load(path: Path, max_bytes: int) -> Any:
    if not path.is_file():
        raise InfofuseError(f"there is no file {path}")
    with path.open("rb") as file:
        start = file.read(8)
        size = file.seek(0, 2)
        _check_outside(path, start, size, max_bytes)
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        with _no_collection():
            return build(content)
    except Refused as what:
        raise InfofuseError(
            f"{path} asks for {what}, which is code, not data; nothing of it was executed. "
            f"Numbers, strings, containers and NumPy arrays are read: save it again as these"
        ) from None
    except (ArithmeticError, LookupError, TypeError, ValueError, MemoryError) as error:
        raise InfofuseError(
            f"{path} cannot be read as a pickle of data, at byte {content.tell()} of {size}: "
            f"{error}; if it was downloaded or copied, do so again"
        ) from None


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Without the search for cycles, which half of the time would go to: everything is kept."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check_outside(path: Path, start: bytes, size: int, max_bytes: int) -> None:
    for magic, what in _WRAPPED.items():
        if start.startswith(magic):
            raise InfofuseError(f"{path} is no pickle but {what}")
    if size == 0:
        raise InfofuseError(f"{path} is empty; a pickle was expected")
    if size > max_bytes:
        raise InfofuseError(f"{path} has {size:,} bytes, and at most {max_bytes:,} are read")
