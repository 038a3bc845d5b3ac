"""Pictures of what models do: scores as a modality goes wrong, and how their views depend."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from infofuse.metrics import METRICS
from infofuse.study.grid import Place, System
from infofuse.study.report.comparison import colour
from infofuse.study.report.panel import Panel, blank, heat_map, legend
from infofuse.study.results import Results
from infofuse.types import Json


def _analysed(results: Results, place: Place) -> list[tuple[System, Json]]:
    found = [(system, results.ended.analysis(place, system)) for system in results.on(place)]
    return [(system, analysis) for system, analysis in found if analysis is not None]


def robustness_curves(results: Results) -> Iterator[Panel]:
    """The primary score against the rate, by modality and corruption."""
    for place in results.places:
        metric = results.primary(place) if results.on(place) else ""
        kept = [
            (system, curve)
            for system, found in _analysed(results, place)
            for curve in found["curves"]
            if curve["metric"] == metric
        ]
        for kind in dict.fromkeys((c["modality"], c["corruption"]) for _, c in kept):
            same = [(s, c) for s, c in kept if (c["modality"], c["corruption"]) == kind]
            yield _robustness(results, place, " ".join(kind), metric, same)


def _robustness(
    results: Results, place: Place, what: str, metric: str, same: list[tuple[System, Any]]
) -> Panel:
    figure, axes = blank(2.6)
    for system, curve in same:
        scores = np.array(curve["scores"], float)
        middle, shade = scores.mean(0), colour(results, system.name)
        axes.plot(curve["rates"], middle, color=shade, label=system.title, lw=1.4)
        if len(scores) > 1:
            sd = scores.std(0, ddof=1)
            axes.fill_between(
                curve["rates"], middle - sd, middle + sd, color=shade, alpha=0.15, lw=0
            )
    axes.set_xlabel("rate")
    axes.set_ylabel(f"{METRICS[metric].short} ({results.study.analyse_on})")
    legend(figure, axes)
    title = f"{what}, {results.surveys[place.name].title}"
    name = f"robustness_{place.name}_{what.replace(' ', '_')}"
    return Panel(name, title, f"{METRICS[metric].short} against the rate at which {what}", figure)


def dependence_maps(results: Results) -> Iterator[Panel]:
    """The debiased CKA of every two views, a map for each system."""
    for place in results.places:
        for system, found in _analysed(results, place):
            if found["dependence"]:
                name = f"dependence_{place.name}_{system.name}"
                title = f"{system.title}, {results.surveys[place.name].title}"
                yield _map(name, title, found["dependence"])


def _map(name: str, title: str, pairs: list[Json]) -> Panel:
    views = list(dict.fromkeys(view for pair in pairs for view in pair["views"]))
    cells = np.full((len(views), len(views)), np.nan)
    for pair in pairs:
        i, j = (views.index(view) for view in pair["views"])
        cells[i, j] = cells[j, i] = pair["cka"]
    figure, axes = blank(0.9 + 0.55 * len(views))
    heat_map(axes, cells, views, lambda v: f"{v:.2f}")
    words = ", ".join(f"{' and '.join(p['views'])} {p['cka']:.2f}" for p in pairs)
    return Panel(name, title, f"CKA of {words}", figure)
