"""What ties a checkpoint's files to one another: config.json has the SHA-256 of each of them.

Weights without their tokenizer, or with that of another encoder, would give other answers without
a word. The model card is for people and may be edited; checkpoints from before there were digests
have none, and are read as they are.
"""

from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

from infofuse.errors import InfofuseError
from infofuse.files import read_json, sha256, write_json

CONFIG, CARD, FILES = "config.json", "README.md", "files"


def seal(folder: Path) -> None:
    """Write the digests of all files into config.json; what is written later is not among them."""
    digests = _digests(folder, _names(folder))
    write_json(folder / CONFIG, read_json(folder / CONFIG) | {FILES: digests})


def seal_also(folder: Path, name: str) -> None:
    """Add the digest of one file, if the checkpoint has digests."""
    config = read_json(folder / CONFIG)
    if FILES in config:
        write_json(folder / CONFIG, config | {FILES: config[FILES] | _digests(folder, [name])})


def check_seal(folder: Path, config: dict[str, Any], names: Collection[str] | None = None) -> None:
    """Raise InfofuseError for a file that is missing or another; reads each of them once.

    names: of the files to look at, all that have digests by default.
    """
    digests = config.get(FILES)
    if digests is None:
        return
    for name in digests if names is None else names:
        expected = digests.get(name)
        if expected is None and (folder / name).exists():
            raise _other(folder, f"{name} was not written with it")
        if expected is not None:
            _check(folder, name, expected)


def sealed(config: dict[str, Any]) -> frozenset[str]:
    """The files that have digests."""
    return frozenset(config.get(FILES, ()))


def _check(folder: Path, name: str, expected: str) -> None:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise _other(folder, f"{name!r} is not the name of a file in it")
    if not (folder / name).is_file():
        raise _other(folder, f"{name} is missing")
    found = sha256(folder / name)
    if found != expected:
        raise _other(
            folder, f"{name} is another file (sha256 {found[:12]}…, expected {str(expected)[:12]}…)"
        )


def _other(folder: Path, what: str) -> InfofuseError:
    return InfofuseError(
        f"{folder} is not as it was saved: {what}; copy the whole folder again, or train it again"
    )


def _names(folder: Path) -> list[str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    names = sorted(file.relative_to(folder).as_posix() for file in files)
    return [name for name in names if name not in (CONFIG, CARD)]


def _digests(folder: Path, names: Collection[str]) -> dict[str, str]:
    return {name: sha256(folder / name) for name in names}
