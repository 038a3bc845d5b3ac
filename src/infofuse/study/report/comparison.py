"""Pictures of who is better: differences, ranks, learning curves."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from infofuse.files import read_json
from infofuse.metrics import METRICS
from infofuse.study.gains import ALL, Judged
from infofuse.study.grid import Place, System
from infofuse.study.report.panel import COLOURS, INK, Panel, blank, legend
from infofuse.study.results import Results
from infofuse.study.statistics.ranks import Ranks
from infofuse.study.table import Interval, Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = 46
"""Letters of a line of what is said of a gain; more would be wider than the figure."""
VERDICTS = {"better": COLOURS[2], "worse": COLOURS[5], "equivalent": COLOURS[0]}


def colour(results: Results, system: str) -> str:
    """The same for a system on the whole page."""
    return COLOURS[[s.name for s in results.systems].index(system) % len(COLOURS)]


def forests(results: Results, name: str, judged: Sequence[Judged]) -> Iterator[Panel]:
    """For each data set, each gain of a table of that name with its interval."""
    for where in dict.fromkeys(one.gain.where for one in judged):
        rows = [one for one in judged if one.gain.where == where]
        names = [wrap(_said(one), NAME) for one in rows]
        lines = max(map(len, names))
        figure, axes = blank(0.75 + (0.25 + 0.17 * lines) * len(rows))
        if where != ALL:
            axes.axvspan(-results.study.rope, results.study.rope, color=INK, alpha=0.07, lw=0)
        axes.axvline(0, color=INK, lw=0.8)
        for y, (one, name_of) in enumerate(zip(rows, names, strict=True)):
            _gain(axes, -y, one, "\n".join(name_of))
        axes.set_ylim(-len(rows) + 0.6, 0.85)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=5)
        place = next((p for p in results.places if p.name == where), None)
        unit = METRICS[results.primary(place)].short if place else "normalised score"
        axes.set_xlabel(f"gain in {unit} (right is better)")
        title = ALL if where == ALL else results.surveys[where].title
        words = "; ".join(
            f"{one.gain.comparison.label} {Spread.of(one.gain.values)} "
            f"{Interval(*one.tests.interval)}"
            for one in rows
        )
        yield Panel(f"forest_{name}_{where.replace(' ', '_')}", title, f"Gains: {words}", figure)


def _said(one: Judged) -> str:
    verdict = f", {one.verdict}" if one.tests.n > 1 else ""
    return f"{one.gain.comparison.label}: {one.gain.values.mean():+.3f}{verdict}"


def _gain(axes: "Axes", y: int, one: Judged, said: str) -> None:
    """A point, its interval, and what is said of it above them."""
    shade, mean = VERDICTS.get(one.verdict, INK), float(one.gain.values.mean())
    axes.plot(one.tests.interval, [y, y], color=shade, lw=2)
    axes.plot([mean], [y], "o", color=shade, ms=5)
    across = axes.get_yaxis_transform()
    axes.text(0.01, y + 0.2, said, ha="left", va="bottom", color=INK, transform=across)


def critical_difference(ranks: Ranks) -> Panel:
    """Average ranks, best first; systems that a bar joins do not differ by Nemenyi's test.

    Demšar's diagram (JMLR 7, 2006), turned so that names stand in full on a narrow page.
    """
    k = len(ranks.names)
    figure, axes = blank(1.2 + 0.42 * k)
    axes.plot([1, 1 + ranks.difference], [0.95, 0.95], color=INK, lw=2)
    said = f"critical difference {ranks.difference:.2f}"
    axes.text(1, 1.1, said, va="bottom", color=INK)
    across = axes.get_yaxis_transform()
    for i, (name, average) in enumerate(zip(ranks.names, ranks.average, strict=True)):
        axes.plot([average], [-i], "o", color=INK, ms=5)
        said = f"{name}: {average:.2f}"
        axes.text(0.01, 0.36 - i, said, va="center", color=INK, transform=across)
    for i, clique in enumerate(ranks.cliques):
        ends = [-ranks.names.index(name) for name in (clique[0], clique[-1])]
        (bar,) = axes.plot([1.02 + 0.03 * i] * 2, ends, color=COLOURS[1], lw=4, transform=across)
        bar.set(solid_capstyle="round", clip_on=False)
    axes.set_ylim(0.4 - k, 1.75)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0.8, k + 0.2)
    axes.set_xticks(range(1, k + 1))
    axes.set_xlabel("average rank (left is better)")
    words = ", ".join(f"{n} {a:.2f}" for n, a in zip(ranks.names, ranks.average, strict=True))
    p = "" if ranks.friedman != ranks.friedman else f"; Friedman p = {ranks.friedman:.3g}"
    title = f"Average ranks over {ranks.blocks} blocks (data set, seed){p}"
    return Panel("critical_difference", title, f"Average ranks: {words}", figure)


def learning_curves(results: Results) -> Iterator[Panel]:
    """The score by which epochs are chosen, and the loss; mean and deviation over seeds."""
    split = "test" if results.peeked else "valid"
    for place in results.places:
        shown = [s for s in results.on(place) if any(results.runs(place, s.name))]
        if not shown:
            continue
        metric = results.primary(place)
        score = f"{METRICS[metric].short} ({split})"
        wanted = {f"{split}_{metric}": score, "loss": "training loss"}
        for key, label in wanted.items():
            figure, axes = blank(2.9)
            for system in shown:
                _band(axes, _histories(results, place, system, key), system, results)
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
            axes.set_ylabel(label)
            legend(figure, axes)
            title = f"{label}, {results.surveys[place.name].title}"
            words = f"{title} against the epoch, for {', '.join(s.title for s in shown)}"
            yield Panel(f"curve_{key}_{place.name}", title, words, figure)


def _histories(
    results: Results, place: Place, system: System, key: str
) -> list[Float[np.ndarray, "_"]]:
    kept = [read_json(run / "history.json") for run in results.runs(place, system.name)]
    return [np.array([e.get(key) for e in history], float) for history in kept]


def _band(
    axes: "Axes", runs: Sequence[Float[np.ndarray, "_"]], system: System, results: Results
) -> None:
    """The mean over the seeds that still train, and a band where there are two or more."""
    longest = max(map(len, runs))
    padded = np.array([np.pad(r, (0, longest - len(r)), constant_values=np.nan) for r in runs])
    left = np.isfinite(padded).sum(0)
    epochs = np.flatnonzero(left) + 1
    padded, left = padded[:, left > 0], left[left > 0]
    middle = np.nanmean(padded, 0)
    shade = colour(results, system.name)
    axes.plot(epochs, middle, color=shade, label=system.title, lw=1.4)
    sd = np.sqrt(np.nansum((padded - middle) ** 2, 0) / np.maximum(1, left - 1))
    axes.fill_between(
        epochs, middle - sd, middle + sd, where=left > 1, color=shade, alpha=0.15, lw=0
    )
