"""A linear probe: how well the mean features of a clip tell its label, out of fold.

    p = mean(y) + (x - mean(x)) (X'X + λI)⁻¹ X'(y - mean(y))        ridge regression, closed form

x is the mean over a clip's steps, standardised and cut to ±5 deviations; y says whether a label
lies above the middle of its scale (or above the median where there is none). Clips of one group
are in one fold, so that a speaker's voice or face does not count as knowledge of the label. λ is
the one of a grid that predicts best out of fold.
"""

import numpy as np
from jaxtyping import Float, Int

from infofuse.types import Ragged

FOLDS = 5
CUT = 5.0
LAMBDAS = 10.0 ** np.arange(-1, 6)


def means(ragged: Ragged) -> Float[np.ndarray, "n width"]:
    """The mean over each sequence's steps, NaN for one that has none."""
    out = np.full((len(ragged), ragged.width), np.nan)
    for i in np.flatnonzero(ragged.lengths > 0):  # one by one: a mapped column is never read whole
        out[i] = ragged[int(i)].mean(0, dtype=np.float64)
    return out


def above(
    labels: Float[np.ndarray, "n k"], span: tuple[float, float] | None
) -> Float[np.ndarray, "n k"]:
    """1 where a label lies above the middle, -1 elsewhere."""
    middle = np.median(labels, axis=0) if span is None else (span[0] + span[1]) / 2
    return np.where(labels > middle, 1.0, -1.0)


def out_of_fold(
    x: Float[np.ndarray, "n width"],
    y: Float[np.ndarray, "n k"],
    group: Int[np.ndarray, "n"],
    seed: int = 0,
) -> Float[np.ndarray, "n k"]:
    """The probe's prediction for each clip by the folds that its group is not in."""
    x = _standardised(x)
    fold = np.random.default_rng(seed).permutation(int(group.max()) + 1)[group] % FOLDS
    p = np.zeros((len(LAMBDAS), *y.shape))
    for k in range(FOLDS):
        p[:, fold == k] = _ridge(x[fold != k], y[fold != k], x[fold == k])
    return p[np.argmin(((p - y) ** 2).mean((1, 2)))]


def _standardised(x: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n _"]:
    sd = x.std(0)
    varied = sd > 1e-8 * (1 + np.abs(x).max(0))
    return np.clip((x[:, varied] - x[:, varied].mean(0)) / sd[varied], -CUT, CUT)


def _ridge(
    x: Float[np.ndarray, "n width"], y: Float[np.ndarray, "n k"], new: Float[np.ndarray, "m width"]
) -> Float[np.ndarray, "lambdas m k"]:
    """Predictions for every λ, from one eigendecomposition."""
    mean, level = x.mean(0), y.mean(0)
    values, vectors = np.linalg.eigh((x - mean).T @ (x - mean))
    targets = vectors.T @ ((x - mean).T @ (y - level))
    rotated = (new - mean) @ vectors
    return np.stack(
        [level + rotated @ (targets / (values.clip(0) + lam)[:, None]) for lam in LAMBDAS]
    )
