"""A table once, and what it looks like as CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation; the latter is NaN of one value."""

    mean: float
    sd: float

    @classmethod
    def of(cls, values: Float[np.ndarray, "n"]) -> "Spread":
        """The mean and the sample standard deviation of one value at least."""
        sd = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
        return cls(float(values.mean()), sd)

    def __str__(self) -> str:
        if self.mean != self.mean:
            return "–"
        return text(self.mean) + ("" if self.sd != self.sd else f" ± {self.sd:.3f}")


@dataclass(frozen=True)
class Interval:
    """An interval, NaN where none is known."""

    low: float | int
    high: float | int

    def __str__(self) -> str:
        return "–" if self.low != self.low else f"[{text(self.low)}, {text(self.high)}]"


Value = str | int | float | Spread | Interval | None


@dataclass(frozen=True)
class Table:
    """Columns of values. best: of columns in which less or more is better, which.

    digits: after the point, of plain numbers.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    best: Mapping[str, Literal["min", "max"]] = field(default_factory=dict)
    digits: int = 3

    def winners(self) -> set[tuple[int, int]]:
        """Row and column of the best value of each column that has one."""
        found = set()
        for j, column in enumerate(self.columns):
            if column in self.best:
                keys = {i: key(row[j]) for i, row in enumerate(self.rows)}
                known = {i: v for i, v in keys.items() if isinstance(v, float) and v == v}
                if known:
                    choose = min if self.best[column] == "min" else max
                    found.add((choose(known, key=known.__getitem__), j))
        return found


def text(value: Value, digits: int = 3) -> str:
    """A value as it is shown, with "–" for what is not known."""
    if value is None or value != value:
        return "–"
    if not isinstance(value, float):
        return str(value)
    rounded = round(value, digits) + 0.0  # no "-0.000"
    return f"{rounded:.{digits}f}"


def key(value: Value) -> float | str:
    """What a value is sorted by; NaN where it is not known."""
    if isinstance(value, Spread):
        return value.mean
    if isinstance(value, Interval):
        return float(value.low)
    if value is None:
        return float("nan")
    return float(value) if isinstance(value, int | float) else value


def to_csv(table: Table) -> str:
    """Every digit, a spread as two columns and an interval as two."""
    kinds = [_kind(row[j] for row in table.rows) for j in range(len(table.columns))]
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write([f"{c}{end}" for c, k in zip(table.columns, kinds, strict=True) for end in ENDS[k]])
    for row in table.rows:
        write([part for v, k in zip(row, kinds, strict=True) for part in _parts(v, len(ENDS[k]))])
    return out.getvalue()


ENDS: Mapping[type, tuple[str, ...]] = {
    Spread: (" mean", " sd"),
    Interval: (" low", " high"),
    str: ("",),
}


def _kind(values: Iterable[Value]) -> type:
    kinds = {type(v) for v in values}
    return Spread if Spread in kinds else Interval if Interval in kinds else str


def _parts(value: Value, count: int) -> list[object]:
    if isinstance(value, Spread):
        return [_exact(value.mean), _exact(value.sd)]
    if isinstance(value, Interval):
        return [_exact(value.low), _exact(value.high)]
    return [_exact(value), *[""] * (count - 1)]


def _exact(value: str | int | float | None) -> object:
    return "" if value is None or value != value else value


def to_markdown(table: Table) -> str:
    """A table in Markdown, the best of a column in bold."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"

    rows = _marked(table, lambda cell: f"**{cell}**")
    heading = [line(table.columns), "|---" * len(table.columns) + "|"]
    body = "\n".join([*heading, *map(line, rows)])
    return "\n\n".join(filter(None, [f"### {table.title}", body, table.note])) + "\n"


def to_latex(table: Table) -> str:
    """A table for LaTeX with the package booktabs, the best of a column in bold."""
    rows = _marked(table, lambda cell: rf"\textbf{{{cell}}}", _latex)
    lines = [" & ".join(row) + r" \\" for row in rows]
    return "\n".join(
        [
            rf"% {table.title}",
            r"\begin{tabular}{l" + "r" * (len(table.columns) - 1) + "}",
            r"\toprule",
            " & ".join(map(_latex, table.columns)) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


_LATEX = {
    "\\": r"\textbackslash{}", "±": r"$\pm$", "–": "--", "≤": r"$\leq$", "−": "$-$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
}  # fmt: skip


def _latex(cell: str) -> str:
    return "".join(_LATEX.get(c, c) for c in cell)


def _marked(
    table: Table, mark: Callable[[str], str], escape: Callable[[str], str] = str
) -> list[list[str]]:
    winners = table.winners()
    shown = [[escape(text(v, table.digits)) for v in row] for row in table.rows]
    return [
        [mark(cell) if (i, j) in winners else cell for j, cell in enumerate(row)]
        for i, row in enumerate(shown)
    ]
