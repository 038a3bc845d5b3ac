"""Two systems over the same seeds: the mean difference, its interval, and three tests.

The t-test takes differences as normal. The other two do not, but of five pairs they cannot reach
p < 0.05, for 2 of their 32 sign patterns are as extreme as the most extreme; six can.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

EXACT = 12
"""Up to so many pairs every pattern of signs is tried."""
DRAWS = 9_999


@dataclass(frozen=True)
class Paired:
    """Differences of n pairs: mean, 95 % interval, and two-sided p of no difference."""

    n: int
    mean: float
    sd: float
    interval: tuple[float, float]
    t: float
    wilcoxon: float
    permutation: float


def compare(differences: Float[np.ndarray, "n"], rho: float = 0.0) -> Paired:
    """Everything of `Paired`; NaN where one pair is too few to say. rho: as of `t_test`."""
    n = len(differences)
    several = n > 1
    return Paired(
        n=n,
        mean=float(differences.mean()),
        sd=float(differences.std(ddof=1)) if several else float("nan"),
        interval=t_interval(differences, rho=rho),
        t=float(t_test(differences, rho)) if several else float("nan"),
        wilcoxon=wilcoxon(differences) if several else float("nan"),
        permutation=float(sign_flip(differences)) if several else float("nan"),
    )


def t_test(differences: Float[np.ndarray, "... n"], rho: float = 0.0) -> Float[np.ndarray, "..."]:
    """Two-sided p of a mean of 0,

        t = x̄ / sqrt((1/n + ρ / (1 - ρ)) s²)    with n - 1 degrees,

    Student's test, which Nadeau and Bengio (2003, Machine Learning 52, 239-281) corrected for
    differences that correlate by ρ, as random divisions that share clips do. Of differences that
    are all equal p is 0, or 1 if they are 0. Leading axes are tests of their own.
    """
    from scipy import stats

    mean, error = differences.mean(-1), _error(differences, rho)
    flat = error <= 1e-12 * np.abs(differences).max(-1)
    t = np.abs(mean) / np.where(flat, 1.0, error)
    p = 2 * stats.t.sf(t, differences.shape[-1] - 1)
    return np.asarray(np.where(flat, np.where(mean == 0, 1.0, 0.0), p))


def t_interval(
    values: Float[np.ndarray, "n"], confidence: float = 0.95, rho: float = 0.0
) -> tuple[float, float]:
    """Student's interval of the mean, which goes with `t_test`; NaN of one value."""
    from scipy import stats

    if len(values) < 2:
        return float("nan"), float("nan")
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * float(_error(values, rho))
    return float(values.mean() - half), float(values.mean() + half)


def _error(values: Float[np.ndarray, "... n"], rho: float) -> Float[np.ndarray, "..."]:
    n = values.shape[-1]
    return np.asarray(np.sqrt((1 / n + rho / (1 - rho)) * values.var(-1, ddof=1)))


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
