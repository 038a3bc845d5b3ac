"""Robustness curves of one or several runs in one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infofuse.analysis.robustness import Curve
from infofuse.figures import blank, save
from infofuse.metrics import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_curves(runs: Mapping[str, Sequence[Curve]], metric: str, path: Path) -> None:
    """A panel for each corruption (down) and modality (across), a line with a band for each run.

    The line is the mean over a run's models, the band one standard deviation to either side.
    """
    chosen = {run: [c for c in curves if c.metric == metric] for run, curves in runs.items()}
    everything = [curve for curves in chosen.values() for curve in curves]
    down = list(dict.fromkeys(c.corruption for c in everything))
    across = list(dict.fromkeys(c.modality for c in everything))
    figure = blank((1.2 + 2.9 * len(across), 0.9 + 2.1 * len(down)))
    panels = figure.subplots(len(down), len(across), sharex=True, sharey=True, squeeze=False)
    for run, curves in chosen.items():
        for curve in curves:
            axes = panels[down.index(curve.corruption)][across.index(curve.modality)]
            _line(axes, curve, run)
    for row, corruption in zip(panels, down, strict=True):
        row[0].set_ylabel(named(metric), fontsize=8)
        for axes, modality in zip(row, across, strict=True):
            axes.set_title(f"{modality} {corruption}", fontsize=9)
            axes.grid(alpha=0.25)
            axes.tick_params(labelsize=8)
    for axes in panels[-1]:
        axes.set_xlabel("rate", fontsize=8)
    if len(chosen) > 1:
        panels[0][0].legend(fontsize=7)
    save(figure, path, dpi=120)


def _line(axes: "Axes", curve: Curve, run: str) -> None:
    middle = curve.scores.mean(0)
    (line,) = axes.plot(curve.rates, middle, label=run, linewidth=1.3)
    if len(curve.scores) > 1:
        spread = np.std(curve.scores, axis=0, ddof=1)
        low, high = middle - spread, middle + spread
        axes.fill_between(curve.rates, low, high, alpha=0.15, color=line.get_color(), linewidth=0)
