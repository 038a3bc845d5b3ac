"""Tables in Markdown by the standard library alone, for peers' environments without infofuse."""

from collections.abc import Iterable, Sequence


def tabled(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A line for the heading and for each row."""
    first, *rest = ("| " + " | ".join(map(str, row)) + " |" for row in (heading, *rows))
    return "\n".join([first, "|---" * len(heading) + "|", *rest])
