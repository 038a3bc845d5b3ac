"""Scores of predictions as multimodal sentiment analysis computes them: (truth, prediction).

Every function takes two sequences of n numbers. Clips whose label is not a finite number are
unknown and dropped, with their predictions; a score is NaN where it is undefined, where no label
is known, or where a prediction is not finite. A data set's scores go by convention:
`mosi` (also MOSEI), `sims`, `plain` (any other regression) and `classification`.

Confusion below is C[i, j] = clips of true class i predicted as j, with row sums r (truth) and
column sums c (prediction).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int

from infofuse.errors import InfofuseError

Numbers = Sequence[float | int] | np.ndarray
Vector = Float[np.ndarray, "n"]
Metric = Callable[[Numbers, Numbers], float]

NAMES = {
    "mae": "MAE",
    "corr": "Corr (Pearson)",
    "ccc": "CCC (concordance)",
    "acc7": "Acc-7 (seven classes)",
    "acc5": "Acc-5 (five classes)",
    "acc3": "Acc-3 (three classes)",
    "acc2": "Acc-2 (not positive / positive)",
    "f1": "F1, weighted (not positive / positive)",
    "acc2_has0": "Acc-2 (negative / non-negative)",
    "f1_has0": "F1, weighted (negative / non-negative)",
    "acc2_non0": "Acc-2 (negative / positive, zeros dropped)",
    "f1_non0": "F1, weighted (negative / positive, zeros dropped)",
    "accuracy": "Accuracy",
    "uar": "UAR (unweighted average recall)",
    "war": "WAR (weighted average recall, which is the accuracy)",
    "f1_weighted": "F1, weighted by class size",
}
"""Each score's key, in words for tables."""

SHORT = {
    "mae": "MAE", "corr": "Corr", "ccc": "CCC", "acc7": "Acc-7", "acc5": "Acc-5", "acc3": "Acc-3",
    "acc2": "Acc-2", "f1": "F1", "acc2_has0": "Acc-2 has0", "f1_has0": "F1 has0",
    "acc2_non0": "Acc-2 non0", "f1_non0": "F1 non0", "accuracy": "Accuracy", "uar": "UAR",
    "war": "WAR", "f1_weighted": "F1 weighted",
}  # fmt: skip
"""The same for narrow columns and axes."""

BETTER = {key: "min" if key == "mae" else "max" for key in NAMES}
"""Whether less or more of a score is better."""

Gain = TypeVar("Gain", float, np.ndarray)


def gain(metric: str, ours: Gain, theirs: Gain) -> Gain:
    """How much better, in the score's unit: ours - theirs, the other way where less is better."""
    return -1.0 * (ours - theirs) if BETTER[metric] == "min" else ours - theirs


MMSA_ALIASES = {
    "MAE": "mae",
    "Corr": "corr",
    "Mult_acc_7": "acc7",
    "Mult_acc_5": "acc5",
    "Mult_acc_3": "acc3",
    "Mult_acc_2": "acc2",
    "F1_score": "f1",
    "Has0_acc_2": "acc2_has0",
    "Has0_F1_score": "f1_has0",
    "Non0_acc_2": "acc2_non0",
    "Non0_F1_score": "f1_non0",
}
"""The key here of each key of the toolkit MMSA (thuiar/MMSA, regression tasks)."""


def to_mmsa(scores: Mapping[str, float]) -> dict[str, float]:
    """The same scores under MMSA's keys; a score that MMSA does not have keeps its own key."""
    theirs = {ours: name for name, ours in MMSA_ALIASES.items()}
    return {theirs.get(key, key): value for key, value in scores.items()}


def _vectors(truth: Numbers, prediction: Numbers) -> tuple[Vector, Vector]:
    """Both in float64, of one length, unknown labels dropped."""
    t, p = np.asarray(truth, np.float64), np.asarray(prediction, np.float64)
    if t.ndim != 1 or t.shape != p.shape:
        raise InfofuseError(
            f"scores need one prediction a label, both as flat sequences; found labels of shape "
            f"{t.shape} and predictions of shape {p.shape}"
        )
    known = np.isfinite(t)
    return t[known], p[known]


def _scored(score: Callable[[Vector, Vector], float]) -> Metric:
    """A metric from a formula that may count on at least one clip and on finite numbers."""

    @functools.wraps(score)
    def metric(truth: Numbers, prediction: Numbers) -> float:
        t, p = _vectors(truth, prediction)
        defined = len(t) > 0 and bool(np.isfinite(p).all())
        return float(score(t, p)) if defined else float("nan")

    return metric


def _confusion(truth: Vector, prediction: Vector) -> Int[np.ndarray, "k k"]:
    """C over the classes that occur on either side, in ascending order."""
    import torch
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    classes, codes = np.unique(np.concatenate([truth, prediction]), return_inverse=True)
    t, p = torch.from_numpy(codes).chunk(2)
    # torchmetrics wants two classes at least; one that does not occur adds empty rows only.
    return multiclass_confusion_matrix(p, t, num_classes=max(2, len(classes))).numpy()


# --- regression ---


@_scored
def mae(truth: Vector, prediction: Vector) -> float:
    """Mean absolute error, mean |t - p|, in the label's unit."""
    import torch
    from torchmetrics.functional.regression import mean_absolute_error

    return mean_absolute_error(torch.from_numpy(prediction), torch.from_numpy(truth)).item()


@_scored
def corr(truth: Vector, prediction: Vector) -> float:
    """Pearson's correlation, cov(t, p) / (sd t · sd p); NaN if either is constant or n < 2."""
    import torch
    from torchmetrics.functional.regression import pearson_corrcoef

    if np.ptp(truth) == 0 or np.ptp(prediction) == 0:
        return float("nan")
    return pearson_corrcoef(torch.from_numpy(prediction), torch.from_numpy(truth)).item()


@_scored
def ccc(truth: Vector, prediction: Vector) -> float:
    """Concordance correlation, 2 cov(t, p) / (var t + var p + (mean t - mean p)²).

    Moments divide by n, as in Lin (1989, Biometrics 45, 255-268), so a constant predictor of
    a varying label scores 0; NaN only if both are the same constant. torchmetrics divides by
    n - 1, which shrinks the last term's weight, and gives NaN for a constant predictor.
    """
    t, p = truth - truth.mean(), prediction - prediction.mean()
    spread = np.mean(t**2) + np.mean(p**2) + (truth.mean() - prediction.mean()) ** 2
    return 2 * np.mean(t * p) / spread if spread > 0 else float("nan")


# --- classes, given as numbers ---


@_scored
def accuracy(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the right class, Σ C_ii / n."""
    return np.mean(truth == prediction)


@_scored
def uar(truth: Vector, prediction: Vector) -> float:
    """Unweighted average recall, the mean of C_ii / r_i over the classes that truth contains."""
    c = _confusion(truth, prediction)
    size = c.sum(1)
    return np.mean(np.diag(c)[size > 0] / size[size > 0])


@_scored
def war(truth: Vector, prediction: Vector) -> float:
    """Weighted average recall, Σ (r_i / n)(C_ii / r_i) = Σ C_ii / n.

    It is the accuracy, by its name in speech emotion recognition.
    """
    return accuracy(truth, prediction)


@_scored
def f1_weighted(truth: Vector, prediction: Vector) -> float:
    """F1 averaged by true class size, Σ (r_i / n) · 2 C_ii / (r_i + c_i).

    The order of arguments matters: a class's F1 is symmetric, its weight is not. Called as
    (prediction, truth) the weights become the predicted class sizes c_i / n, and a predictor that
    leans to one class is judged mostly on that class. Released code that does so: MMIM
    (declare-lab/Multimodal-Infomax) and MMSA's first releases; later ones pass (truth,
    prediction), as here.
    """
    c = _confusion(truth, prediction)
    size = c.sum(1)
    each = 2 * np.diag(c) / np.maximum(size + c.sum(0), 1)
    return np.sum(size * each) / len(truth)


# --- CMU-MOSI and CMU-MOSEI: labels in [-3, 3] ---


def _rounded(values: Vector, bound: int) -> Vector:
    """Clipped to ±bound and rounded half to even: -0.5, 0.5 -> 0 and 1.5, 2.5 -> 2."""
    return np.round(np.clip(values, -bound, bound))


@_scored
def acc7(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the same class among -3 … 3, both clipped to ±3 and rounded."""
    return accuracy(_rounded(truth, 3), _rounded(prediction, 3))


@_scored
def acc5(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the same class among -2 … 2, both clipped to ±2 and rounded."""
    return accuracy(_rounded(truth, 2), _rounded(prediction, 2))


@_scored
def acc3(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the same class among -1, 0, 1, both clipped to ±1 and rounded."""
    return accuracy(_rounded(truth, 1), _rounded(prediction, 1))


@_scored
def acc2_has0(truth: Vector, prediction: Vector) -> float:
    """Accuracy of < 0 against >= 0, over all clips: neutral counts as positive."""
    return accuracy(truth >= 0, prediction >= 0)


@_scored
def f1_has0(truth: Vector, prediction: Vector) -> float:
    """`f1_weighted` of < 0 against >= 0, over all clips; called as (truth, prediction)."""
    return f1_weighted(truth >= 0, prediction >= 0)


@_scored
def acc2_non0(truth: Vector, prediction: Vector) -> float:
    """Accuracy of <= 0 against > 0, over the clips whose true label is not 0."""
    kept = truth != 0
    return accuracy(truth[kept] > 0, prediction[kept] > 0)


@_scored
def f1_non0(truth: Vector, prediction: Vector) -> float:
    """`f1_weighted` of <= 0 against > 0, over the clips whose true label is not 0."""
    kept = truth != 0
    return f1_weighted(truth[kept] > 0, prediction[kept] > 0)


# --- CH-SIMS: labels in [-1, 1] ---


_CUTS = {2: (0.0,), 3: (-0.1, 0.1), 5: (-0.7, -0.1, 0.1, 0.7)}
"""Inner edges of the right-closed classes, by the number of classes."""


def _cut(values: Vector, classes: int) -> Int[np.ndarray, "n"]:
    """The class of each value: how many edges lie below it.

    Compared in float32, in which labels are stored, so that a stored 0.1 lies on the edge 0.1.
    """
    return np.searchsorted(np.array(_CUTS[classes], np.float32), values.astype(np.float32))


@_scored
def sims_acc2(truth: Vector, prediction: Vector) -> float:
    """Accuracy over [-1, 0], (0, 1]: neutral counts as negative, unlike `acc2_has0`."""
    return accuracy(_cut(truth, 2), _cut(prediction, 2))


@_scored
def sims_f1(truth: Vector, prediction: Vector) -> float:
    """`f1_weighted` over [-1, 0], (0, 1]."""
    return f1_weighted(_cut(truth, 2), _cut(prediction, 2))


@_scored
def sims_acc3(truth: Vector, prediction: Vector) -> float:
    """Accuracy over [-1, -0.1], (-0.1, 0.1], (0.1, 1]."""
    return accuracy(_cut(truth, 3), _cut(prediction, 3))


@_scored
def sims_acc5(truth: Vector, prediction: Vector) -> float:
    """Accuracy over [-1, -0.7], (-0.7, -0.1], (-0.1, 0.1], (0.1, 0.7], (0.7, 1]."""
    return accuracy(_cut(truth, 5), _cut(prediction, 5))


# --- conventions ---


def mosi(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of CMU-MOSI and CMU-MOSEI, labels in [-3, 3]."""
    return {
        "mae": mae(truth, prediction),
        "corr": corr(truth, prediction),
        "acc7": acc7(truth, prediction),
        "acc5": acc5(truth, prediction),
        "acc3": acc3(truth, prediction),
        "acc2_has0": acc2_has0(truth, prediction),
        "f1_has0": f1_has0(truth, prediction),
        "acc2_non0": acc2_non0(truth, prediction),
        "f1_non0": f1_non0(truth, prediction),
    }


def sims(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of CH-SIMS, labels in [-1, 1]; predictions are clipped to ±1 before all of them.

    Yu et al. 2020 (ACL 2020.acl-main.343), with the cuts of MMSA's code, which clips before MAE
    and Corr too.
    """
    raw = np.asarray(prediction, np.float64)
    prediction = np.where(np.isfinite(raw), np.clip(raw, -1, 1), np.nan)
    return {
        "mae": mae(truth, prediction),
        "corr": corr(truth, prediction),
        "acc5": sims_acc5(truth, prediction),
        "acc3": sims_acc3(truth, prediction),
        "acc2": sims_acc2(truth, prediction),
        "f1": sims_f1(truth, prediction),
    }


def plain(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of any other regression, such as arousal and valence."""
    return {
        "mae": mae(truth, prediction),
        "corr": corr(truth, prediction),
        "ccc": ccc(truth, prediction),
    }


def classification(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of single-label classes; both arguments are class numbers, not logits."""
    return {
        "accuracy": accuracy(truth, prediction),
        "uar": uar(truth, prediction),
        "war": war(truth, prediction),
        "f1_weighted": f1_weighted(truth, prediction),
    }
