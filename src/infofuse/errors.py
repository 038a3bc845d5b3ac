"""The one error a user is meant to read, and the hint that goes with it."""

import difflib
import errno
import os
import re
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


MACHINE = (OSError, MemoryError, RecursionError)
"""What the machine refuses, whatever a user gave."""

FULL = "free some space; what was begun goes on when the same command is given again"
_DISK = {
    errno.ENOSPC: f"the disk is full{{}}: {FULL}",
    errno.EDQUOT: f"your share of the disk, its quota, is used up{{}}: {FULL}",
    errno.EFBIG: "a file grew beyond the largest that is allowed here{} (`ulimit -f`, or the file "
    "system's limit): raise it; what was begun goes on when the same command is given again",
}
_MEMORY = "there is not enough memory{}: take smaller batches or less data, or a larger machine"
_NO_MEMORY = re.compile(r"out of memory|(can't|cannot|unable to) allocate", re.IGNORECASE)


def refusal_of(error: BaseException) -> str:
    """One sentence on what the machine refused, for one of `MACHINE`: what was it, what to do."""
    if isinstance(error, RecursionError):
        return "what was given is nested too deeply to be read: give it in fewer levels"
    if not isinstance(error, OSError) or number_of(error) == errno.ENOMEM:
        said = str(error).strip().partition("\n")[0]
        return _MEMORY.format(f" ({said})" if said else "")
    number, file = number_of(error), error.filename
    if number in _DISK:
        return _DISK[number].format(f" under {file}" if file else "")
    if file and isinstance(error, PermissionError):
        return f"{file} cannot be used: it is not yours to read or to write in"
    said = error.strerror or str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{file} cannot be used: {said}" if file else f"the system refused: {said}"


def number_of(error: Exception) -> int | None:
    """The system's number of an error; libraries may have it in their words alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = re.search(r"\b(?:os error|errno) (\d+)", str(error), re.IGNORECASE)
    return int(found[1]) if found else None


def as_system_error(error: Exception, file: str | os.PathLike[str]) -> OSError | None:
    """The OSError that a library tells of in its own words, if it does."""
    number = number_of(error)
    return None if number is None else OSError(number, os.strerror(number), str(file))


def lacks_memory(error: BaseException) -> bool:
    """Whether torch says that memory is wanting, which it does by a RuntimeError."""
    return isinstance(error, RuntimeError) and bool(_NO_MEMORY.search(str(error)))
