"""Two systems over the same seeds: the mean difference, its interval, and two tests.

Five pairs cannot reach p < 0.05 by either test, for 2 of their 32 sign patterns are as extreme as
the most extreme; six can.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

EXACT = 12
"""Up to so many pairs every pattern of signs is tried."""
DRAWS = 9_999


@dataclass(frozen=True)
class Paired:
    """Differences of n pairs: mean, 95 % bootstrap interval, and two-sided p of no difference."""

    n: int
    mean: float
    sd: float
    interval: tuple[float, float]
    wilcoxon: float
    permutation: float


def compare(differences: Float[np.ndarray, "n"]) -> Paired:
    """Everything of `Paired`; NaN where one pair is too few to say."""
    n = len(differences)
    several = n > 1
    return Paired(
        n=n,
        mean=float(differences.mean()),
        sd=float(differences.std(ddof=1)) if several else float("nan"),
        interval=bootstrap(differences),
        wilcoxon=wilcoxon(differences) if several else float("nan"),
        permutation=float(sign_flip(differences)) if several else float("nan"),
    )


def bootstrap(
    values: Float[np.ndarray, "n"], confidence: float = 0.95, resamples: int = 9_999
) -> tuple[float, float]:
    """The BCa interval of the mean (Efron 1987, J. Am. Stat. Assoc. 82, 171-185).

    Of few values it is too narrow: read it beside the tests.
    """
    from scipy import stats

    if len(values) < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    found = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=confidence,
        n_resamples=resamples,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def wilcoxon(differences: Float[np.ndarray, "n"]) -> float:
    """Two-sided p of the signed-rank test (Wilcoxon 1945); 1 if all differences are 0."""
    from scipy import stats

    equal = differences.round(12)  # gains of one clip in accuracy differ in their last bits
    return float(stats.wilcoxon(equal).pvalue) if equal.any() else 1.0


def sign_flip(differences: Float[np.ndarray, "... n"]) -> Float[np.ndarray, "..."]:
    """Two-sided p of a mean of 0: the share of sign patterns with a mean as far from it.

    Exact for up to `EXACT` pairs; beyond, (1 + count) / (1 + draws) over random patterns (Phipson
    and Smyth 2010, arXiv 1603.05766). Leading axes are tests of their own.
    """
    n = differences.shape[-1]
    signs = _every_sign(n) if n <= EXACT else _some_signs(n)
    sums = np.abs(differences @ signs.T)
    far = sums >= np.abs(differences.sum(-1))[..., None] * (1 - 1e-12)
    extra = 0 if n <= EXACT else 1
    return np.asarray((far.sum(-1) + extra) / (len(signs) + extra))


def _every_sign(n: int) -> Float[np.ndarray, "patterns n"]:
    bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
    return 1.0 - 2.0 * bits


def _some_signs(n: int) -> Float[np.ndarray, "patterns n"]:
    return np.random.default_rng(0).choice([-1.0, 1.0], (DRAWS, n))


def holm(p: Float[np.ndarray, "... tests"]) -> Float[np.ndarray, "... tests"]:
    """p-values corrected for the number of tests in the last axis.

        p'_(i) = max_(j <= i) min(1, (m - j + 1) p_(j)),    p_(1) <= ... <= p_(m)

    NaN stays, and is not counted (Holm 1979, Scand. J. Stat. 6, 65-70).
    """
    order = np.argsort(p, axis=-1)  # NaN comes last
    ordered = np.take_along_axis(p, order, -1)
    tests = np.isfinite(p).sum(-1, keepdims=True)
    scaled = np.minimum(1.0, ordered * (tests - np.arange(p.shape[-1])))
    corrected = np.maximum.accumulate(scaled, axis=-1)
    found = np.empty_like(corrected)
    np.put_along_axis(found, order, corrected, -1)
    return np.where(np.isfinite(p), found, np.nan)
