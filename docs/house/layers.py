"""A graph without circles in layers: each node stands above all that its arrows point at.

As Sugiyama, Tagawa & Toda have it (IEEE Trans. SMC 11, 1981): an arrow that passes a layer has a
place in it, a `Passage`; the order within layers is one in which few arrows cross; and each node
then goes as near to the middle of its neighbours as the others let it. The same graph always
comes out the same.
"""

import graphlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise, product
from random import Random
from statistics import fmean
from typing import NamedTuple

STARTS, SWEEPS = 20, 12


class Passage(NamedTuple):
    """Where the arrow from start to end passes a layer."""

    start: str
    end: str
    level: int


Node = str | Passage
Layers = list[list[Node]]
Links = list[tuple[Node, Node]]
"""Pairs (above, below) of nodes of neighbouring layers."""


def reduced(graph: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """The fewest arrows from which all of a graph's follow: its transitive reduction.

    In an order in which each node comes after those that it points at; raises
    `graphlib.CycleError` where there is none.
    """
    below: dict[str, set[str]] = {}
    arrows = {}
    ordered = graphlib.TopologicalSorter({n: sorted(graph[n]) for n in sorted(graph)})
    for name in ordered.static_order():
        implied = set[str]().union(*(below[other] for other in graph[name]))
        below[name] = implied | set(graph[name])
        arrows[name] = sorted(set(graph[name]) - implied)
    return arrows


def layered(arrows: Mapping[str, Sequence[str]]) -> tuple[Layers, Links]:
    """Layers from the bottom, and the links that arrows consist of. arrows: as `reduced` has them.

    A node is as low as it can be, but those without an arrow of their own are right below the
    lowest that points at them.
    """
    level: dict[str, int] = {}
    for name, ends in arrows.items():
        level[name] = 1 + max((level[end] for end in ends), default=-1)
    for name in arrows:
        above = [level[other] for other, ends in arrows.items() if name in ends]
        if above and not arrows[name]:
            level[name] = min(above) - 1
    layers: Layers = [[] for _ in range(1 + max(level.values()))]
    links: Links = []
    for start in sorted(arrows):
        layers[level[start]].append(start)
        for end in arrows[start]:
            passed = [Passage(start, end, k) for k in range(level[start] - 1, level[end], -1)]
            for passage in passed:
                layers[passage.level].append(passage)
            links += pairwise([start, *passed, end])
    return layers, links


def untangled(layers: Layers, links: Links) -> Layers:
    """Layers in an order in which few links cross and links are short.

    From several orders, each layer is sorted by the mean place of its neighbours, upwards and
    downwards in turn; then, in the best that was met, nodes move for as long as that is a gain.
    """
    links_of = _links_of(links)
    best = layers
    for start in range(STARTS):
        now = [Random(start).sample(layer, len(layer)) for layer in layers]
        for turn in range(SWEEPS):
            for k in range(len(now))[:: 1 if turn % 2 else -1]:
                now[k] = sorted(now[k], key=_mean_of(links_of, _places(now)))
            best = min(best, list(now), key=lambda one: tangle(one, links))
    while (better := min(_moved(best), key=lambda one: tangle(one, links))) != best:
        best = better
    return best


def tangle(layers: Layers, links: Links) -> tuple[int, float]:
    """How many links cross, then how far links go sideways."""
    place = _places(layers)
    row = {node: k for k, layer in enumerate(layers) for node in layer}
    spans = [(row[a], place[a], place[b]) for a, b in links]
    crossings = sum(
        (a - c) * (b - d) < 0
        for i, (k, a, b) in enumerate(spans)
        for m, c, d in spans[:i]
        if k == m
    )
    return crossings, sum(abs(a - b) for _, a, b in spans)


def middles(
    layers: Layers, links: Links, width: Callable[[Node], float], gap: float, whole: float
) -> dict[Node, int]:
    """The middle of each node, where nodes have widths and gaps between them, from 0 to whole."""
    links_of = _links_of(links)
    middle = {node: whole / 2 for layer in layers for node in layer}
    for turn in range(200):
        for layer in layers if turn % 2 else layers[::-1]:
            wanted = [_mean_of(links_of, middle)(node) for node in layer]
            weights = [sum(links_of.get(node, {}).values()) or 1 for node in layer]
            found = _apart(wanted, weights, [width(node) for node in layer], gap, whole)
            middle |= zip(layer, found, strict=True)
    return {node: round(x) for node, x in middle.items()}


def _links_of(links: Links) -> dict[Node, dict[Node, int]]:
    """The nodes that each is linked with, and how much each link wants to be straight.

    The weights are those of Gansner et al. (IEEE Trans. Softw. Eng. 19, 1993): a long arrow is
    straight rather than a short one.
    """
    found: dict[Node, dict[Node, int]] = {}
    for above, below in links:
        weight = (1, 2, 8)[isinstance(above, Passage) + isinstance(below, Passage)]
        found.setdefault(above, {})[below] = found.setdefault(below, {})[above] = weight
    return found


def _moved(layers: Layers) -> list[Layers]:
    """All that come of moving one node within its layer; the layers themselves first."""
    found = [layers]
    for k, layer in enumerate(layers):
        for node, to in product(layer, range(len(layer))):
            rest = [other for other in layer if other != node]
            found.append([*layers[:k], [*rest[:to], node, *rest[to:]], *layers[k + 1 :]])
    return found


def _places(layers: Layers) -> dict[Node, float]:
    """Steps to the right of the middle of each layer."""
    return {n: i - (len(layer) - 1) / 2 for layer in layers for i, n in enumerate(layer)}


def _mean_of(
    links_of: Mapping[Node, Mapping[Node, int]], place: Mapping[Node, float]
) -> Callable[[Node], float]:
    """The weighted mean place of a node's neighbours; its own, where it has none."""

    def mean(node: Node) -> float:
        near = links_of.get(node, {node: 1})
        return fmean([place[other] for other in near], near.values())

    return mean


def _apart(
    wanted: Sequence[float],
    weights: Sequence[float],
    widths: Sequence[float],
    gap: float,
    whole: float,
) -> list[float]:
    """The middles nearest to those wanted, by squares, that keep order and distance.

    Less the widths to its left, each middle is at least the one before it: a regression on a
    sequence that does not fall, by pooling adjacent violators.
    """
    left = [sum(widths[:i]) + gap * i + widths[i] / 2 for i in range(len(widths))]
    pools: list[tuple[float, float, int]] = []  # the mean, the weight and the size of each
    for want, weight, taken in zip(wanted, weights, left, strict=True):
        pool = want - taken, weight, 1
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, size = pools.pop()
            weight = heavy + pool[1]
            pool = (mean * heavy + pool[0] * pool[1]) / weight, weight, size + pool[2]
        pools.append(pool)
    most = whole - sum(widths) - gap * (len(widths) - 1)
    free = [min(max(mean, 0), most) for mean, _, size in pools for _ in range(size)]
    return [at + taken for at, taken in zip(free, left, strict=True)]
