"""What views share and what they say alone, before and after training, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infofuse.analysis.shared_private import SharedPrivate
from infofuse.figures import blank, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#9aa5b1", "#2f6db3", "#c05b2c", "#3d8f5f")


def draw_shared_private(found: Mapping[str, SharedPrivate], path: Path) -> None:
    """Four panels, a colour or line a state (such as "before", "after"): PNG or SVG.

    Linear CKA of each pair, held-out R² of each view from each other one, held-out R² of the
    label from each view and what no other view says of it, and the spectra.
    """
    figure = blank((10.5, 7.0))
    panels = figure.subplots(2, 2)
    pairs = [", ".join(p.views) for p in next(iter(found.values())).pairs]
    cka = {state: [p.cka for p in s.pairs] for state, s in found.items()}
    _bars(panels[0, 0], "shared: linear CKA", pairs, cka)
    directed = {s: [r for p in f.pairs for r in (p.forward, p.backward)] for s, f in found.items()}
    arrows = [f"{a} → {b}" for p in next(iter(found.values())).pairs for a, b in _both(p.views)]
    _bars(panels[0, 1], "shared: held-out R² of one view from another", arrows, directed)
    _bars(panels[1, 0], "of the label: held-out R², in all and private", *_label_bars(found))
    _spectra(panels[1, 1], found)
    save(figure, path)


def _both(views: tuple[str, str]) -> list[tuple[str, str]]:
    return [views, (views[1], views[0])]


def _label_bars(
    found: Mapping[str, SharedPrivate],
) -> tuple[list[str], dict[str, list[float]]]:
    views = next(iter(found.values())).views
    names = [label for v in views for label in (v.view, f"{v.view}, private")]
    heights = {s: [r for v in f.views for r in (v.label, v.private)] for s, f in found.items()}
    return names, heights


def _bars(
    axes: "Axes", title: str, names: Sequence[str], heights: Mapping[str, Sequence[float]]
) -> None:
    wide = 0.8 / len(heights)
    for i, (state, values) in enumerate(heights.items()):
        shown = [max(-0.2, v) for v in values]  # far below 0 says no more than below 0
        axes.bar(np.arange(len(names)) + i * wide, shown, wide, label=state, color=COLOURS[i])
    axes.set_xticks(np.arange(len(names)) + 0.4 - wide / 2, names, rotation=20, ha="right")
    axes.set_title(title, fontsize=10)
    axes.axhline(0, color="black", linewidth=0.6)
    # Room up to 0.5 at least: what is near 0 shall look it.
    axes.set_ylim(min(-0.05, axes.get_ylim()[0]), max(0.5, axes.get_ylim()[1]))
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=8)


def _spectra(axes: "Axes", found: Mapping[str, SharedPrivate]) -> None:
    styles = ("--", "-", ":", "-.")
    for style, (state, shared) in zip(styles, found.items(), strict=False):
        for colour, pair in zip(COLOURS[1:], shared.pairs, strict=False):
            steps = range(1, len(pair.spectrum) + 1)
            name = f"{', '.join(pair.views)}, {state}"
            axes.plot(steps, pair.spectrum, style, color=colour, label=name, linewidth=1.2)
    axes.set_title("shared: held-out canonical correlations", fontsize=10)
    axes.set_xlabel("direction", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    if axes.lines:
        axes.legend(fontsize=7)
