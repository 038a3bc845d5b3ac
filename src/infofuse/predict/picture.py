"""A clip's timeline as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infofuse.figures import blank, save
from infofuse.predict.clip import ClipPrediction
from infofuse.predict.prediction import Prediction
from infofuse.predict.timeline import Moment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOLD = 5
"""Classes at most that have a line."""


def draw_timeline(found: ClipPrediction, classes: Sequence[str], path: Path) -> None:
    """Above, the scores over time with their interval; below, what each modality adds: PNG or SVG.

    classes: their names, where the scores are the chances of classes. A clip that has no windows
    is drawn as one. Raises InfofuseError for another ending of the file.
    """
    moments = found.timeline or (Moment(0.0, found.seconds or 1.0, found.prediction),)
    figure = blank((8.0, 4.8))
    above, below = figure.subplots(2, 1, sharex=True)
    first = _told(found.prediction)[0]
    _draw_scores(above, moments, classes, _told(found.prediction))
    _draw_contributions(below, moments, first)
    above.set_title(found.prediction.id, fontsize=10)
    above.set_ylabel("chance" if classes else "score", fontsize=9)
    below.set_ylabel(f"added to {classes[first] if classes else 'the score'}", fontsize=9)
    below.set_xlabel("seconds", fontsize=9)
    for axes in (above, below):
        axes.axhline(0, color="0.6", linewidth=0.8)
        axes.grid(alpha=0.25)
        axes.tick_params(labelsize=8)
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    below.set_xlim(0, moments[-1].end)
    save(figure, path)


def _told(prediction: Prediction) -> list[int]:
    """The columns that are drawn, the highest score of the whole clip first."""
    return np.argsort(prediction.scores)[::-1][:_TOLD].tolist()


def _draw_scores(
    axes: "Axes", moments: Sequence[Moment], classes: Sequence[str], columns: Sequence[int]
) -> None:
    for column in columns:
        name = classes[column] if classes else "score" if len(columns) == 1 else str(column + 1)
        (line,) = _steps(axes, moments, [m.prediction.scores[column] for m in moments], name)
        intervals = [m.prediction.interval for m in moments]
        low, high = (
            [float("nan") if found is None else found[column][end] for found in intervals]
            for end in (0, 1)
        )
        if not np.isnan(low).all():
            middles = _middles(moments)
            axes.fill_between(middles, low, high, alpha=0.15, color=line.get_color(), linewidth=0)


def _draw_contributions(axes: "Axes", moments: Sequence[Moment], column: int) -> None:
    names = dict.fromkeys(name for m in moments for name in m.prediction.contributions)
    for name in names:
        added = [m.prediction.contributions.get(name) for m in moments]
        _steps(axes, moments, [0.0 if a is None else a[column] for a in added], name)


def _steps(axes: "Axes", moments: Sequence[Moment], values: Sequence[float], name: str) -> list:
    return axes.plot(_middles(moments), values, marker=".", linewidth=1.4, label=name)


def _middles(moments: Sequence[Moment]) -> list[float]:
    return [(m.start + m.end) / 2 for m in moments]
