"""The measures side by side, from the facts that each class states of itself.

`python -m infofuse.measures.catalogue` prints the table of docs/measures.md.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from infofuse import measures
from infofuse.measures.measure import Measure


@dataclass(frozen=True)
class Entry:
    """What one chooses a measure by."""

    name: str
    formula: str
    side: str
    unit: str
    views: str
    fitted: bool
    cost: str
    ceiling: bool
    min_batch: int
    paper: str


def catalogue() -> list[Entry]:
    """Every public measure, the bounds from below first, then from above, then the others."""
    order = ("lower", "upper", "exact", "estimate")
    found = [_entry(cls) for cls in _classes()]
    return sorted(found, key=lambda e: (e.unit != "nats", order.index(e.side), e.name))


def build(name: str, dims: Sequence[int]) -> Measure:
    """The measure of this name, for views of these widths."""
    cls = getattr(measures, name)
    options = inspect.signature(cls).parameters
    if "dims" in options:
        return cls(dims)
    return cls(*dims) if "dim_x" in options else cls()


def _classes() -> list[type[Measure]]:
    public = (getattr(measures, name) for name in measures.__all__)
    return [
        cls
        for cls in public
        if inspect.isclass(cls) and issubclass(cls, Measure) and cls is not Measure
    ]


def _entry(cls: type[Measure]) -> Entry:
    options = inspect.signature(cls).parameters
    formula = (cls.__doc__ or "").splitlines()[0].rstrip(".")
    return Entry(
        name=cls.__name__,
        formula=formula,
        side=cls.side,
        unit=cls.unit,
        views="k" if cls.many_views else "2",
        fitted="dim_x" in options or "dims" in options,
        cost="B²" if cls.pairs_cost else "B",
        ceiling=hasattr(cls, "ceiling"),
        min_batch=cls.min_batch,
        paper=cls.paper,
    )


def table() -> str:
    """The catalogue as Markdown."""
    columns = ("measure", "reads", "unit", "views", "fits a network", "cost", "ceiling")
    head = [*columns, "smallest batch", "source"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for e in catalogue():
        reads = {"lower": "under", "upper": "over", "exact": "on it", "estimate": "either side"}
        cells = [
            f"`{e.name}`",
            reads[e.side],
            e.unit,
            e.views,
            "yes" if e.fitted else "no",
            e.cost,
            "yes" if e.ceiling else "no",
            str(e.min_batch),
            e.paper,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
