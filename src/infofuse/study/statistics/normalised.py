"""Scores of different data sets on one scale, between a fixed floor and a fixed ceiling.

    z = (score - floor) / (ceiling - floor)

0 is what a constant predictor reaches (the training set's median label, or its majority class), 1
a perfect one. Neither end depends on the systems that are compared, so that no system's z changes
when another comes or goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from infofuse.metrics import METRICS

RESAMPLES = 2_000


def normalised(
    scores: Float[np.ndarray, "..."], floor: float, metric: str
) -> Float[np.ndarray, "..."]:
    """z of each score; the floor of a correlation, which a constant does not have, is 0."""
    low, high = METRICS[metric].ends(floor)
    return (scores - low) / (high - low)


@dataclass(frozen=True)
class GroupMean:
    """The mean over data sets, each counting the same, with a 95 % interval over seeds."""

    mean: float
    interval: tuple[float, float]
    groups: int


def group_mean(groups: Sequence[Float[np.ndarray, "_"]]) -> GroupMean:
    """The mean of the groups' means; seeds are drawn anew within each group (percentiles)."""
    rng = np.random.default_rng(0)
    means = float(np.mean([g.mean() for g in groups]))
    drawn = [g[rng.integers(0, len(g), (RESAMPLES, len(g)))].mean(1) for g in groups]
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    if min(map(len, groups)) < 2:
        low = high = np.nan
    return GroupMean(means, (float(low), float(high)), len(groups))
