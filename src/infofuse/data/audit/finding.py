"""What an audit finds: a sentence, how grave it is, and the numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One finding.

    error: scores on this data are false, or it cannot be used as it is. warning: they may not be
    comparable, or are flattered a little. note: worth knowing. examples: a few of the clips.
    """

    severity: Severity
    check: str
    what: str
    examples: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def some(names: Sequence[str]) -> tuple[str, ...]:
    """The first few."""
    return tuple(names[:EXAMPLES])
