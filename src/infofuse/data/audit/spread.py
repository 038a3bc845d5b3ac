"""How unequal measurements are beyond their sampling error: the Q-profile of random effects.

    Q(τ²) = Σ_i (z_i - z̄_part(i))² / (v_i + τ²)        is χ² with (measurements - parts) degrees

z_i is measured with variance v_i; τ is the deviation of the true values within a part, z̄ the
weighted mean of a part. Q falls in τ², so the τ² at which it meets a quantile of χ² is an end of
an interval (Viechtbauer 2007, Statistics in Medicine 26; for one part).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq
from scipy.stats import chi2

LEVEL = 0.99


@dataclass(frozen=True, eq=False)
class Spread:
    """Measurements z, their sampling variances, and the part that each belongs to."""

    z: Float[np.ndarray, "m"]
    variance: Float[np.ndarray, "m"]
    part: Int[np.ndarray, "m"]

    @property
    def degrees(self) -> int:
        """Degrees of freedom."""
        return len(self.z) - len(np.unique(self.part))

    def q(self, tau2: float) -> float:
        """Q(τ²)."""
        weight = 1 / (self.variance + tau2)
        mean = {k: value for k, (value, _) in self.means(np.sqrt(tau2)).items()}
        return float((weight * (self.z - np.array([mean[int(k)] for k in self.part])) ** 2).sum())

    def tau(self) -> tuple[float, float, float]:
        """τ where Q is its degrees of freedom, and the ends of its interval at `LEVEL`."""
        low, high = chi2.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], self.degrees)
        return self._where(float(self.degrees)), self._where(float(high)), self._where(float(low))

    def _where(self, q: float) -> float:
        """τ at which Q(τ²) is q, 0 if it is less everywhere."""
        if self.q(0.0) <= q:
            return 0.0
        return float(np.sqrt(brentq(lambda tau2: self.q(tau2) - q, 0.0, 1e3)))

    def means(self, tau: float) -> dict[int, tuple[float, float]]:
        """The mean of each part and its standard error, weighted by 1 / (v + τ²)."""
        weight = 1 / (self.variance + tau**2)
        found = {}
        for k in np.unique(self.part):
            w = weight[self.part == k]
            mean = float(np.average(self.z[self.part == k], weights=w))
            found[int(k)] = (mean, float(w.sum() ** -0.5))
        return found
