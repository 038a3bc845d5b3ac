"""Elo ratings from pairwise wins, that do not depend on any order of play nor on worse systems.

A Bradley-Terry model, P(i beats j) = 1 / (1 + 10^((r_j - r_i) / 400)), its likelihood maximised
over all wins at once (Bradley and Terry 1952, Biometrika 39, 324-345; Hunter 2004, Ann. Stat. 32,
384-406). Half a win is added to either side of each pair, so that who always wins has a rating too.

With all systems in one fit, a bad newcomer would pull on the others. So systems are put into layers
first: the strongly connected components of "wins at least half of their meetings". A layer is
fitted given the layers above, never below: a system that loses most meetings with every other one
is a layer by itself at the bottom, and adding it changes no other rating.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

ANCHOR, SCALE = 1000.0, 400.0 / np.log(10)


def elo(scores: Float[np.ndarray, "blocks k"], anchor: int | None = None) -> Float[np.ndarray, "k"]:
    """A rating for each of k systems; in each block more is better, and a tie is half a win.

    anchor: the system whose rating is 1000; without one, the best has 1000.
    """
    wins = _wins(scores)
    nats = np.zeros(len(wins))
    placed = np.zeros(len(wins), bool)
    for layer in _layers(wins):
        nats[layer] = _fit(wins, nats, placed, layer)
        placed[layer] = True
    zero = nats.max() if anchor is None else nats[anchor]
    return ANCHOR + SCALE * (nats - zero)


def _wins(scores: Float[np.ndarray, "blocks k"]) -> Float[np.ndarray, "k k"]:
    """How often i beats j, and half a win more for each; a block that lacks one does not count."""
    one, other = scores[:, :, None], scores[:, None, :]
    wins = (one > other).sum(0) + 0.5 * (one == other).sum(0) + 0.5
    np.fill_diagonal(wins, 0.0)
    return wins


def _layers(wins: Float[np.ndarray, "k k"]) -> Iterator[Int[np.ndarray, "_"]]:
    """The components, the best first: of any two, the members of one beat those of the other."""
    from scipy.sparse.csgraph import connected_components

    beats = wins >= wins.T
    np.fill_diagonal(beats, False)
    count, component = connected_components(beats, connection="strong")
    reach = [_beaten(beats, component == c) for c in range(count)]
    for c in np.argsort(reach)[::-1]:
        yield np.flatnonzero(component == c)


def _beaten(beats: Bool[np.ndarray, "k k"], members: Bool[np.ndarray, "k"]) -> int:
    return int(beats[members][:, ~members].any(0).sum())


def _fit(
    wins: Float[np.ndarray, "k k"],
    nats: Float[np.ndarray, "k"],
    placed: Bool[np.ndarray, "k"],
    layer: Int[np.ndarray, "m"],
) -> Float[np.ndarray, "m"]:
    """The layer's ratings in nats, given those placed before; the first layer's mean is 0."""
    from scipy.optimize import minimize

    above = np.flatnonzero(placed)
    if len(layer) == 1 and not len(above):
        return np.zeros(1)
    rows = np.concatenate([layer, above])
    won, lost = wins[np.ix_(layer, rows)], wins[np.ix_(rows, layer)].T
    within = np.where(np.arange(len(rows)) < len(layer), 0.5, 1.0)  # pairs inside come twice

    def loss(r: Float[np.ndarray, "m"]) -> tuple[float, Float[np.ndarray, "m"]]:
        gap = r[:, None] - np.concatenate([r, nats[above]])
        value = within * (won * np.logaddexp(0, -gap) + lost * np.logaddexp(0, gap))
        slope = (won + lost) / (1 + np.exp(-gap)) - won
        return float(value.sum()), slope.sum(1)

    start = np.full(len(layer), nats[above].min() if len(above) else 0.0)
    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9}).x
    return found if len(above) else found - found.mean()
