"""The one error a user is meant to read, and the hint that goes with it."""

import difflib
from collections.abc import Iterable


class InfofuseError(ValueError):
    """A mistake in what the user gave: what was found, what was expected, what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, the known name closest to `name`; where none is close, all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}"


def unknown(kind: str, name: str, known: Iterable[str]) -> InfofuseError:
    """The refusal of a name that does not exist, with the nearest one that does."""
    return InfofuseError(f"unknown {kind} {name!r}; {nearest(name, known)}")
