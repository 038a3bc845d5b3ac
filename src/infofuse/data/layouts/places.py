"""Files below a folder, whatever links lead there, and names as they are compared."""

import os
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from infofuse.errors import InfofuseError

_MOST = 5 * 10**6


def same_form(name: str) -> str:
    """A name in the one form in which names are compared: "é" may be one character or two."""
    return unicodedata.normalize("NFC", name)


@dataclass(frozen=True)
class NearNames:
    """Finds the known name that differs from another only by case, by spaces around it or by an
    ending of a file, such as one of these endings."""

    known: Iterable[str]
    endings: Collection[str]

    @cached_property
    def _by_plain_name(self) -> dict[str, str]:
        return {self._plain(name): name for name in self.known}

    def find(self, name: str) -> str | None:
        return self._by_plain_name.get(self._plain(name))

    def _plain(self, name: str) -> str:
        plain = same_form(name).strip().casefold()
        stem, _, ending = plain.rpartition(".")
        return stem.strip() if stem and f".{ending}" in self.endings else plain


def files_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """All files below a folder, in the order of their paths, and the folders that may not be read.

    Folders that links lead to are gone through as well, each once, and after those that are there
    themselves; a link to what the folder lies in leads nowhere.

    Raises InfofuseError if there are more than anybody means.
    """
    found: list[Path] = []
    closed: list[Path] = []
    above = {_identity(parent) for parent in folder.resolve().parents}
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        links: list[Path] = []
        for start in sorted(waiting):
            for place, folders, names in os.walk(start, onerror=lambda e: _note(e, closed)):
                identity = _identity(Path(place))
                if identity in seen or identity in above:
                    folders.clear()
                    continue
                seen.add(identity)
                here = [Path(place, name) for name in folders]
                links += [each for each in here if each.is_symlink()]
                found += [Path(place, name) for name in names]
                if len(found) > _MOST:
                    raise InfofuseError(f"{folder} leads to more than {_MOST:,} files")
        waiting = links
    return sorted(found), closed


def _identity(folder: Path) -> tuple[int, int]:
    facts = folder.stat()
    return facts.st_dev, facts.st_ino


def _note(error: OSError, closed: list[Path]) -> None:
    if not isinstance(error, PermissionError):
        raise error
    closed.append(Path(error.filename))
