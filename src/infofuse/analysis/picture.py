"""The dependence of every pair of views as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from infofuse.analysis.dependence import Estimate, Report
from infofuse.figures import blank, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(report: Report, path: Path) -> None:
    """A heat map of the pairs, nats and interval in each cell, and the joint value above it."""
    names = _names(report)
    side = 1.6 + 1.35 * len(names)
    figure = blank((side + 0.9, side))
    axes = figure.add_subplot()
    top = max(0.1, *(e.nats for e in report.pairs))
    image = axes.imshow(_matrix(report, names), cmap="viridis", vmin=0, vmax=top)
    for pair in report.pairs:
        _write(axes, pair, names, bright=pair.nats > 0.6 * top)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_title(_title(report), fontsize=10)
    figure.colorbar(image, ax=axes, label="nats", shrink=0.8)
    save(figure, path)


def _names(report: Report) -> list[str]:
    return list(dict.fromkeys(name for pair in report.pairs for name in pair.views))


def _matrix(report: Report, names: list[str]) -> Float[np.ndarray, "k k"]:
    """Nats of each pair, on both sides of an empty diagonal."""
    cells = np.full((len(names), len(names)), np.nan)
    for pair in report.pairs:
        i, j = (names.index(name) for name in pair.views)
        cells[i, j] = cells[j, i] = pair.nats
    return cells


def _write(axes: "Axes", pair: Estimate, names: list[str], bright: bool) -> None:
    i, j = (names.index(name) for name in pair.views)
    text = f"{pair.nats:.2f}\n{interval(pair)}"
    for x, y in ((i, j), (j, i)):
        axes.text(x, y, text, ha="center", va="center", color="black" if bright else "white")


def _title(report: Report) -> str:
    title = f"Dependence of views by {report.pairs[0].estimator}, {report.estimated_on} clips"
    if report.joint is None:
        return title
    value = f"{report.joint.nats:.2f} {interval(report.joint)} nats"
    return f"{title}\nall together {value} by {report.joint.estimator}"


def interval(found: Estimate) -> str:
    """The 95 % interval as `[low, high]`."""
    low, high = found.interval
    return f"[{low:.2f}, {high:.2f}]"
