"""Pictures of who is better: differences, ranks, learning curves."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from infofuse.files import read_json
from infofuse.metrics import SHORT
from infofuse.report.panel import COLOURS, INK, Panel, blank, legend
from infofuse.study.gains import ALL
from infofuse.study.grid import Place, System
from infofuse.study.results import Results
from infofuse.study.statistics.ranks import Ranks
from infofuse.study.table import Interval, Spread, Table, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 17
"""Letters of a name beside the ranks."""
VERDICTS = {"better": COLOURS[2], "worse": COLOURS[5], "equivalent": COLOURS[0]}


def colour(results: Results, system: str) -> str:
    """The same for a system on the whole page."""
    return COLOURS[[s.name for s in results.systems].index(system) % len(COLOURS)]


def forests(results: Results, differences: Table) -> Iterator[Panel]:
    """For each data set, each gain of a table with its interval."""
    kind = "forest" if differences.name == "differences" else f"forest_{differences.name}"
    for where in dict.fromkeys(str(row[0]) for row in differences.rows):
        rows = [row for row in differences.rows if row[0] == where]
        figure, axes = blank(0.75 + 0.42 * len(rows))
        if where != ALL:
            axes.axvspan(-results.study.rope, results.study.rope, color=INK, alpha=0.07, lw=0)
        axes.axvline(0, color=INK, lw=0.8)
        for y, row in enumerate(rows):
            _gain(axes, -y, str(row[1]), row[2], row[3], str(row[9]))
        axes.set_ylim(-len(rows) + 0.4, 0.75)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=5)
        place = next((p for p in results.places if p.name == where), None)
        unit = SHORT[results.primary(place)] if place else "normalised score"
        axes.set_xlabel(f"gain in {unit} (right is better)")
        title = ALL if where == ALL else results.surveys[where].title
        words = "; ".join(f"{row[1]} {text(row[2])} {text(row[3])}" for row in rows)
        yield Panel(f"{kind}_{where.replace(' ', '_')}", title, f"Gains: {words}", figure)


def _gain(axes: "Axes", y: int, name: str, gain: object, interval: object, verdict: str) -> None:
    """A point, its interval, and the name above them."""
    assert isinstance(gain, Spread)
    assert isinstance(interval, Interval)
    shade = VERDICTS.get(verdict, INK)
    axes.plot([interval.low, interval.high], [y, y], color=shade, lw=2)
    axes.plot([gain.mean], [y], "o", color=shade, ms=5)
    said = f"{name}: {gain.mean:+.3f}" + (f", {verdict}" if verdict != "None" else "")
    across = axes.get_yaxis_transform()
    axes.text(0.01, y + 0.36, said, ha="left", va="center", color=INK, transform=across)


def critical_difference(ranks: Ranks) -> Panel:
    """Average ranks on a line; systems that a bar joins do not differ by Nemenyi's test."""
    k, bars = len(ranks.names), 0.55 * len(ranks.cliques)
    half, room = (k + 1) // 2, 0.04 * (k - 1)
    figure, axes = blank(0.9 + 0.2 * (half + bars))
    figure.set_layout_engine("none")  # names stand beside the axes, in room of their own
    axes.set_position((0.34, 0.02, 0.32, 0.96))
    axes.set_axis_off()
    axes.set_ylim(-(1.2 + half + bars), 2.6)
    axes.plot([1, k], [0, 0], color=INK, lw=1)
    for tick in range(1, k + 1):
        axes.plot([tick, tick], [0, 0.25], color=INK, lw=1)
        axes.text(tick, 0.35, str(tick), ha="center", va="bottom", color=INK)
    axes.plot([1, 1 + ranks.difference], [1.7, 1.7], color=INK, lw=2)
    said = f"critical difference {ranks.difference:.2f}"
    axes.text(1, 1.85, said, va="bottom", color=INK)
    for i, (start, end) in enumerate(_ends(ranks)):
        y = -0.5 - 0.55 * i
        axes.plot([start, end], [y, y], color=COLOURS[1], lw=4, solid_capstyle="round")
    for i, (name, average) in enumerate(zip(ranks.names, ranks.average, strict=True)):
        left = i < half
        y = -(bars + 1.0 + (i if left else k - 1 - i))
        edge = 1 - room if left else k + room
        axes.plot([average, average, edge], [0, y, y], color=INK, lw=0.8)
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        said = f"{short} {average:.2f} " if left else f" {average:.2f} {short}"
        side = "right" if left else "left"
        axes.text(edge, y, said, ha=side, va="center", fontsize=8, color=INK)
    words = ", ".join(f"{n} {a:.2f}" for n, a in zip(ranks.names, ranks.average, strict=True))
    p = "" if ranks.friedman != ranks.friedman else f"; Friedman p = {ranks.friedman:.3g}"
    title = f"Average ranks over {ranks.blocks} blocks (data set, seed){p}"
    return Panel("critical_difference", title, f"Average ranks: {words}", figure)


def _ends(ranks: Ranks) -> list[tuple[float, float]]:
    place = dict(zip(ranks.names, ranks.average, strict=True))
    return [(place[clique[0]], place[clique[-1]]) for clique in ranks.cliques]


def learning_curves(results: Results) -> Iterator[Panel]:
    """The score by which epochs are chosen, and the loss; mean and deviation over seeds."""
    split = "test" if results.peeked else "valid"
    for place in results.places:
        shown = results.on(place)
        if not shown:
            continue
        metric = results.primary(place)
        wanted = {f"{split}_{metric}": f"{SHORT[metric]} ({split})", "loss": "training loss"}
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
    files = [results.run(place, system.name, seed) / "history.json" for seed in results.study.seeds]
    kept = [read_json(file) for file in files if file.is_file()]
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
