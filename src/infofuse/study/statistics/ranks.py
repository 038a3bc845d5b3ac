"""Several systems over the same blocks: average ranks, and which of them differ.

Demšar 2006 (JMLR 7, 1-30): Friedman's test of all systems being alike, then Nemenyi's critical
difference between two average ranks,

    CD = q_α sqrt(k (k + 1) / (6 N)),    q_α the studentised range of k groups over sqrt 2.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Ranks:
    """Systems from best to worst.

    average: rank 1 is best; a tie shares ranks. friedman: p, NaN for two systems. difference: of
    average ranks that is critical. cliques: the largest sets of systems, next to each other, whose
    ranks differ by less. p: Nemenyi's, of each pair.
    """

    names: tuple[str, ...]
    average: tuple[float, ...]
    blocks: int
    friedman: float
    difference: float
    cliques: tuple[tuple[str, ...], ...]
    p: Float[np.ndarray, "k k"]


def rank(
    scores: Float[np.ndarray, "blocks k"], names: tuple[str, ...], alpha: float = 0.05
) -> Ranks:
    """Rank k systems, two or more, in each block; more is better."""
    from scipy import stats

    blocks, k = scores.shape
    if k < 2:
        raise ValueError(f"ranks need two systems or more, not {k}")
    by_block = stats.rankdata(-scores, axis=1)
    average = by_block.mean(0)
    order = np.argsort(average, kind="stable")
    average, ordered = average[order], tuple(names[i] for i in order)
    difference = critical_difference(k, blocks, alpha)
    return Ranks(
        names=ordered,
        average=tuple(average.tolist()),
        blocks=blocks,
        friedman=_friedman(by_block),
        difference=difference,
        cliques=tuple(tuple(ordered[i:j]) for i, j in _cliques(average, difference)),
        p=_nemenyi(average, blocks),
    )


def critical_difference(k: int, blocks: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of average ranks."""
    from scipy import stats

    q = stats.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(k * (k + 1) / (6 * blocks)))


def _nemenyi(average: Float[np.ndarray, "k"], blocks: int) -> Float[np.ndarray, "k k"]:
    from scipy import stats

    k = len(average)
    apart = np.abs(average[:, None] - average) / np.sqrt(k * (k + 1) / (6 * blocks))
    return np.asarray(stats.studentized_range.sf(apart * np.sqrt(2), k, np.inf)).clip(0, 1)


def _friedman(ranks: Float[np.ndarray, "blocks k"]) -> float:
    from scipy import stats

    if ranks.shape[1] < 3 or len(ranks) < 2:
        return float("nan")
    if np.ptp(ranks) == 0:
        return 1.0
    return float(stats.friedmanchisquare(*ranks.T).pvalue)


def _cliques(average: Float[np.ndarray, "k"], difference: float) -> list[tuple[int, int]]:
    """Runs [i, j) of two or more sorted ranks within the difference, none inside another."""
    ends = np.searchsorted(average, average + difference, side="left").tolist()
    found: list[tuple[int, int]] = []
    for i, j in enumerate(ends):
        if j - i > 1 and (not found or j > found[-1][1]):
            found.append((i, j))
    return found
