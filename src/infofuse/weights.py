"""Weights that come inside packages: files that are read, never imported, and known by SHA-256.

Nothing is downloaded. A file or folder that the user names is taken in their place.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from infofuse.errors import InfofuseError
from infofuse.files import sha256


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
            found = digest(folder / name)
            if found != expected:
                raise InfofuseError(
                    f"{folder / name} is not the file it should be (sha256 {found[:12]}…, "
                    f"expected {expected[:12]}…): pip install --force-reinstall {self.install}"
                )
        return folder


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
