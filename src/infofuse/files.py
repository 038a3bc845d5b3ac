"""Files that are whole or not there: written beside their place, then renamed into it."""

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infofuse.errors import InfofuseError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file or folder that takes the place of `path` when the block ends well.

    Yields the temporary path to write to. A folder that is replaced is moved aside first, so
    there is a moment without it, but never one with half of it. Raises InfofuseError, and changes
    nothing, if a file was written to take the place of a folder.
    """
    check_place(path, folder=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    _remove(new)
    try:
        yield new
        if path.is_dir():
            if not new.is_dir():
                check_place(path)
            old = path.with_name(f".{path.name}.old")
            _remove(old)
            path.rename(old)
            new.rename(path)
            _remove(old)
        else:
            os.replace(new, path)
    finally:
        _remove(new)


def check_place(path: Path, *, folder: bool = False) -> None:
    """Raise InfofuseError unless a file, or a folder, can be written there; writes nothing.

    Asked before what takes long, so that its result is not lost for a slip in a name.
    """
    if not path.name:
        raise InfofuseError(f"{path} has no name of its own: give one, such as {path / 'new'}")
    if path.is_dir() and not folder:
        raise InfofuseError(f"{path} is a folder, and a file was to be written: name a file")
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise InfofuseError(f"{path} cannot be written: {above} is a file, and no folder")
    if not os.access(above, os.W_OK):
        raise InfofuseError(f"{path} cannot be written: {above} is not yours to write in")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone among the processes that lock this file; others wait until the block ends.

    The file is made if need be, and stays. The kernel keeps the lock, so that it goes with a
    process that is killed. Where there are no such locks (Windows, some network file systems),
    nobody waits.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(path, os.O_RDWR | os.O_CREAT)  # over NFS, a lock needs the right to write
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON, whole or not at all. A number that is not finite becomes null."""
    write_text(path, dumps(content) + "\n")


def dumps(content: Any) -> str:
    """JSON as the project writes it: indented, null for a number that is not finite."""
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)


def as_written(content: Any) -> Any:
    """What `read_json` gives of it once it was written: lists for tuples, null for infinity."""
    return json.loads(dumps(content))


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def number(value: float | None) -> float:
    """A score that was read: JSON has no NaN, so one that is undefined was written as null."""
    return float("nan") if value is None else float(value)


def sha256(file: Path) -> str:
    """The checksum of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_json(path: Path) -> Any:
    """Read JSON. Raises InfofuseError if there is no such file or it holds something else."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InfofuseError(f"there is no file {path}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InfofuseError(f"{path} is not JSON: {error}") from None
