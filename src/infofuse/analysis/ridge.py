"""Ridge regression on held-out clips: what is linearly in a view, and no more."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from infofuse.analysis.split import units_of
from infofuse.errors import InfofuseError

FOLDS = 5
PENALTIES = 10.0 ** np.arange(-3, 5)  # over the number of clips: shares of a column's variance
Fold = tuple[Int[np.ndarray, "_"], Int[np.ndarray, "_"]]


def folds(groups: Sequence[str] | None, n: int, seed: int) -> list[Fold]:
    """Rows to fit on and rows held out, five times; every row is held out once, groups together.

    Raises InfofuseError for fewer than five groups (clips, where none are given).
    """
    units = units_of(groups, n).numpy()
    count = int(units.max()) + 1
    if count < FOLDS:
        raise InfofuseError(f"{n} clips in {count} groups cannot be held out in {FOLDS} parts")
    rank = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).numpy()
    part = rank[units] % FOLDS
    return [(np.flatnonzero(part != k), np.flatnonzero(part == k)) for k in range(FOLDS)]


def scaled(
    x: Float[np.ndarray, "n d"], fitting: Float[np.ndarray, "m d"]
) -> Float[np.ndarray, "n d"]:
    """Mean 0 and deviation 1 on the fitting rows; a column that does not vary there becomes 0."""
    deviation = fitting.std(0)
    varies = deviation > 1e-6 * max(1e-12, float(deviation.max(initial=0)))
    return (x - fitting.mean(0)) * (varies / np.where(varies, deviation, 1))


def regress(
    x: Float[np.ndarray, "m d"], y: Float[np.ndarray, "m k"]
) -> tuple[Float[np.ndarray, "d k"], Float[np.ndarray, "k"]]:
    """Weights and intercept of ridge regression, its penalty chosen by leaving one clip out.

    The penalty with the least sum of squares of y_i - f_{-i}(x_i), in closed form.
    """
    centre, mean = x.mean(0), y.mean(0)
    u, s, vt = np.linalg.svd(x - centre, full_matrices=False)
    weights = [_shrinkage(s, penalty * len(x)) for penalty in PENALTIES]
    best = weights[int(np.argmin([_left_out(u, s * w, y - mean) for w in weights]))]
    slope = vt.T @ (best[:, None] * (u.T @ (y - mean)))
    return slope, mean - centre @ slope


def _shrinkage(s: Float[np.ndarray, "r"], penalty: float) -> Float[np.ndarray, "r"]:
    return s / (s**2 + penalty)


def _left_out(
    u: Float[np.ndarray, "m r"], fit: Float[np.ndarray, "r"], y: Float[np.ndarray, "m k"]
) -> float:
    """The squared errors of clips that were left out; `fit` is the hat matrix's spectrum."""
    leverage = (u**2 * fit).sum(1) + 1 / len(u)
    error = (y - u @ (fit[:, None] * (u.T @ y))) / (1 - leverage).clip(1e-9)[:, None]
    return float((error**2).sum())


def held_out(
    x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "n k"], parts: Sequence[Fold]
) -> float:
    """R² of y from x on held-out clips: 1 - SS(error) / SS(y about the fitting clips' mean).

    Columns are scaled by the fitting clips. 0 is no better than a constant; below 0 is worse.
    """
    errors = totals = 0.0
    for fit, held in parts:
        a, b = scaled(x, x[fit]), scaled(y, y[fit])
        slope, constant = regress(a[fit], b[fit])
        errors += float(((b[held] - a[held] @ slope - constant) ** 2).sum())
        totals += float((b[held] ** 2).sum())
    return 1 - errors / totals if totals > 0 else float("nan")
