"""The one error a user is meant to read, and the hint that goes with it."""

import difflib
from collections.abc import Iterable


class InfofuseError(ValueError):
    """A mistake in what the user gave: what was found, what was expected, what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, the known name closest to `name`; where none is close, what there is."""
    names = sorted(known)
    near = closest(name, names)
    return f"did you mean {near!r}?" if near else f"known: {listed(names)}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` may be a slip for, if one is close."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)


def missing(what: str, extra: str, otherwise: str = "") -> InfofuseError:
    """The refusal of what needs a package that is not there, with the extra that brings it."""
    install = f"pip install 'infofuse[{extra}]'{otherwise}"
    return InfofuseError(f"{what}, which is not installed: {install}")


def not_yours(path: object) -> InfofuseError:
    """The refusal of a file or folder that is there and may not be read."""
    return InfofuseError(f"{path} is not yours to read: ask its owner, or change its permissions")


def listed(names: Iterable[str], most: int = 20) -> str:
    """The names, the first few where there are many: "a, b, … and 1,274 more"."""
    names = list(names)
    more = f", … and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, what: str) -> str:
    """Such as "1 seed" and "1,284 clips"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def unknown(kind: str, name: str, known: Iterable[str]) -> InfofuseError:
    """The refusal of a name that does not exist, with the nearest one that does."""
    return InfofuseError(f"unknown {kind} {name!r}; {nearest(name, known)}")
