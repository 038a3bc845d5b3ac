"""How probable it is that a system is better, worse, or the same for practical purposes.

Benavoli, Corani, Demšar and Zaffalon 2017, "Time for a change" (JMLR 18(77), 1-36; arXiv
1606.04316, section 4.1), the Bayesian correlated t-test: with a flat prior, the mean difference of
n pairs has the posterior

    μ ~ Student-t(n - 1 degrees; mean x̄, scale sqrt((1/n + ρ / (1 - ρ)) s²)).

ρ is the correlation that pairs have since they share clips: 0 for seeds on one fixed split, for
which the question is what another seed would give; the share of test clips for random splits.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Rope:
    """Posterior probabilities of the mean difference: below -width, within ±width, above it."""

    worse: float
    equivalent: float
    better: float


def rope(differences: Float[np.ndarray, "n"], width: float, rho: float = 0.0) -> Rope:
    """The posterior beside a region of practical equivalence; NaN of fewer than two pairs."""
    from scipy import stats

    n = len(differences)
    if n < 2:
        return Rope(float("nan"), float("nan"), float("nan"))
    mean = differences.mean()
    scale = np.sqrt((1 / n + rho / (1 - rho)) * differences.var(ddof=1))
    if scale == 0:
        below, above = float(mean < -width), float(mean > width)
    else:
        posterior = stats.t(n - 1, mean, scale)
        below, above = float(posterior.cdf(-width)), float(posterior.sf(width))
    return Rope(below, max(0.0, 1 - below - above), above)
