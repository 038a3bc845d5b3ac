"""One small picture: as SVG in a page that may be dark, and as files."""

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from infofuse import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1c1d"
"""The colour of text and axes; in a page it becomes the colour of the page's own text."""
WARNING = "#c4332b"
COLOURS = (
    "#3b82c4", "#d9822b", "#2f9e74", "#b65fa8", "#8d8a2b", "#c4554d", "#7a6fd0", "#4f9aa6",
    "#a0724a", "#6b8f3a",
)  # fmt: skip
"""Middle tones, which are seen on white and on black."""
WIDTH = 3.9
"""Inches: on a phone, letters keep nearly their size."""
LABEL = 24
"""Letters of a label of which two stand side by side."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A figure with the name of its files, a title, and what is to be seen in words."""

    name: str
    title: str
    words: str
    figure: "Figure"

    def peeked(self) -> "Panel":
        """The same panel, marked as made of scores by which epochs were chosen."""
        mark = self.figure.text(0.5, 0.5, "epochs chosen by test", ha="center", va="center")
        mark.set(rotation=20, fontsize=15, color=WARNING, alpha=0.5)
        return replace(self, title=f"[release] {self.title}")

    @cached_property
    def svg(self) -> str:
        """For a file, or to be put into a page."""
        return _render(self.figure, "svg", self.name).decode()

    def png(self) -> bytes:
        """On white."""
        return _render(self.figure, "png", self.name)

    def html(self) -> str:
        """A <figure> whose colours follow the page's, with ids that no other panel has."""
        svg = self.svg
        svg = svg[svg.index("<svg") :]
        width = float(re.search(r'width="([\d.]+)pt"', svg)[1]) * 4 / 3  # type: ignore[index]
        svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        svg = re.sub(r'(id="|url\(#|href="#)', rf"\1{self.name}-", svg)
        svg = svg.replace(INK, "currentColor").replace("'DejaVu Sans', ", "")
        svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(self.words)}"', 1)
        return (
            f'<figure style="max-width: {width:.0f}px"><figcaption>{escape(self.title)}'
            f"</figcaption>{svg}</figure>"
        )


def blank(height: float) -> tuple["Figure", "Axes"]:
    """A figure with one pair of axes."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figure = figures.blank((WIDTH, height))
        return figure, figure.add_subplot()


def legend(figure: "Figure", axes: "Axes") -> None:
    """What the lines are, below them: in two columns, or in one of a taller figure."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < 2:
        return
    columns = 2 if max(map(len, labels)) <= LABEL else 1
    more_rows = math.ceil(len(labels) / columns) - math.ceil(len(labels) / 2)
    figure.set_figheight(figure.get_figheight() + 0.17 * more_rows)
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        labelcolor=INK,
        fontsize=8,
    )


def heat_map(
    axes: "Axes",
    values: Float[np.ndarray, "k k"],
    names: Sequence[str],
    say: Callable[[float], str],
) -> None:
    """Values from 0 to 1 as shades of cells, with what there is to say in each. NaN is left out."""
    axes.pcolormesh(np.ma.masked_invalid(values), cmap="Blues", vmin=0, vmax=1)
    axes.invert_yaxis()
    for i, j in np.argwhere(np.isfinite(values)):
        shade = "white" if values[i, j] > 0.5 else "#222222"
        said = say(float(values[i, j]))
        axes.text(j + 0.5, i + 0.5, said, ha="center", va="center", color=shade, fontsize=8)
    middles = np.arange(len(names)) + 0.5
    axes.set_xticks(middles, names)
    axes.set_yticks(middles, names)


STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), INK
    ),
}


def _render(figure: "Figure", kind: str, name: str) -> bytes:
    """The same bytes for the same figure."""
    import matplotlib

    out = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        if kind == "svg":
            figure.savefig(out, format=kind, metadata={"Date": None}, transparent=True)
        else:
            figure.savefig(out, format=kind, dpi=160, facecolor="white")
    return out.getvalue()
