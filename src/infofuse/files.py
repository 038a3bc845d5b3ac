"""Files that are whole or not there: written beside their place, then renamed into it."""

import contextlib
import hashlib
import json
import math
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
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
            _remove(path.with_name(f".{path.name}.old"))  # of one that was killed in between
    finally:
        _remove(new)


def holds_others(folder: Path) -> bool:
    """Whether anything is in a folder but what a process of ours that was killed has left."""
    return any(not _OURS.fullmatch(entry.name) for entry in folder.iterdir())


_OURS = re.compile(r"\.(.+\.(new|old|lock)|lock)", re.DOTALL)


def remove_folder(folder: Path) -> None:
    """Remove a folder if it is there: killed meanwhile, it is gone by its name, or whole."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.is_dir():
        folder.rename(old)
        shutil.rmtree(old, ignore_errors=True)


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
def alone(out: Path, wait: bool = False) -> Iterator[None]:
    """The one process that writes to this file or folder, until the block ends.

    The lock is the file `.NAME.lock` beside it, which has the number of the process and goes with
    the block; in a process that has the lock, further blocks are within the first. wait: until the
    other process is done. As with `locked`, the kernel keeps the lock, and nobody is alone where
    there are none.

    Raises InfofuseError, which names the process, if another one writes there.
    """
    check_place(out, folder=True)
    place = Path(os.path.realpath(out))
    if place in _WRITTEN or not place.name:
        yield
        return
    lock = place.with_name(f".{place.name}.lock")
    with _folders(lock.parent):
        handle = _lock(lock, wait, out)
        _WRITTEN.add(place)
        try:
            yield
        finally:
            _WRITTEN.discard(place)
            with contextlib.suppress(OSError):
                lock.unlink()  # as long as the lock is ours; others look whether it still is
            os.close(handle)


_WRITTEN: set[Path] = set()
"""What this process is alone in."""


@contextlib.contextmanager
def _folders(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; what of it is empty afterwards, and was not there, goes."""
    new = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for made in new:
                made.rmdir()


def _lock(path: Path, wait: bool, out: Path) -> int:
    """An open file that is locked, and is the one that has this name."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _wait_for(handle, wait)
            if _is_at(handle, path):
                os.ftruncate(handle, 0)
                os.pwrite(handle, str(os.getpid()).encode(), 0)
                return handle
        except BlockingIOError:
            other = os.pread(handle, 20, 0).decode(errors="replace")
            os.close(handle)
            raise InfofuseError(
                f"{out} is being written by another process (pid {other or 'not yet known'}): wait "
                f"until it is done, end it, or name another place"
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # removed by who had it before: there is another, or will be


def _wait_for(handle: int, wait: bool) -> None:
    """Lock an open file. Raises BlockingIOError if another has it and is not waited for."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


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


MOST_BYTES = 1 << 28
"""Of a file of JSON or TOML: ours have a few MB at most, and what is read takes ten times that."""

DEEPEST = 64
"""Nesting: what walks such content later is then safe to call itself for each level."""

_MOST_DIGITS = 20  # those of 64 bits; more are no count, seed or number of a clip


def read_json(path: Path) -> Any:
    """Read JSON. Raises InfofuseError if there is no such file or it holds something else.

    That is so too for more than `MOST_BYTES`, nesting beyond `DEEPEST`, whole numbers beyond 64
    bits, and text that no file can hold.
    """
    return _read(path, "JSON", lambda text: json.loads(text, parse_int=_integer))


def read_toml(path: Path) -> dict[str, Any]:
    """Read TOML, within the bounds of `read_json`."""
    return _read(path, "TOML", toml)


def read_object(path: Path, **wanted: type) -> dict[str, Any]:
    """Read an object of JSON that has these keys, with values of these types, and maybe others.

    Raises InfofuseError, with the key and what is there instead.
    """
    return checked_object(read_json(path), path, wanted)


def checked_object(
    content: Any, path: Path, wanted: Mapping[str, type], allowed: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """The content of the file, if it is an object with keys of these types.

    allowed: keys that need not be there. Raises InfofuseError, with the key and what is there.
    """
    if not isinstance(content, dict):
        raise InfofuseError(f"{path} is damaged: an object was expected, found {_kind(content)}")
    given = {name: kind for name, kind in (allowed or {}).items() if name in content}
    for name, kind in {**wanted, **given}.items():
        found = content.get(name)
        if not isinstance(found, kind):
            was = _kind(found) if name in content else "nothing"
            raise InfofuseError(
                f"{path} is damaged: {name!r} should be {_NAMES[kind]}, found {was}; take the "
                f"file from where it was written, or make it again"
            )
    return content


_NAMES = {dict: "an object", list: "a list", str: "text", int: "a whole number", float: "a number"}
_NAMES |= {bool: "true or false", type(None): "null"}


def _kind(content: Any) -> str:
    return _NAMES[type(content)]


def _read(path: Path, what: str, parse: Callable[[str], Any]) -> Any:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"it has {size:,} bytes, and at most {MOST_BYTES:,} are read")
        text = path.read_text(encoding="utf-8")
        content = parse(text)
        check_plain(content)
        if _HALF_A_PAIR.search(text):
            dumps(content).encode()
        return content
    except FileNotFoundError:
        raise InfofuseError(f"there is no file {path}") from None
    except RecursionError:
        raise InfofuseError(f"{path} is not {what}: it is nested too deeply") from None
    except UnicodeEncodeError:
        said = "its text holds half of a surrogate pair, which is no character"
        raise InfofuseError(f"{path} is not {what}: {said}") from None
    except ValueError as error:
        raise InfofuseError(f"{path} is not {what}: {error}") from None


_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")  # escapes alone can say it


def toml(text: str) -> dict[str, Any]:
    """The tables that a text in TOML holds. Raises ValueError for what is not, or is too much."""
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    check_plain(content)
    return content


_TOO_DEEP = f"it is nested more than {DEEPEST} levels deep"


def check_plain(content: Any) -> None:
    """Raise ValueError for nesting beyond `DEEPEST`, and for whole numbers beyond 64 bits."""
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(DEEPEST):
        inner = [v for c in level for v in (c.values() if isinstance(c, dict) else c)]
        if any(type(v) is int and v.bit_length() > 64 for v in inner):
            raise ValueError("it has a whole number of more than 64 bits")
        level = [v for v in inner if isinstance(v, dict | list)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _MOST_DIGITS:
        raise ValueError(f"it has a whole number of {len(digits)} digits, beyond 64 bits")
    return int(digits)
