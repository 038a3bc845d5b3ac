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
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Float, Int

from infofuse.errors import InfofuseError

Numbers = Sequence[float | int] | np.ndarray
Vector = Float[np.ndarray, "n"]
Score = Callable[[Numbers, Numbers], float]
Formula = Callable[[Vector, Vector], float]
Gain = TypeVar("Gain", float, np.ndarray)


@dataclass(frozen=True, eq=False)
class Metric:
    """All that tables, figures and statistics know of a score.

    key: its name in code and files. name: in words. short: for narrow columns and axes.
    better: whether less or more of it is better. ceiling: what a perfect predictor reaches.
    floor: what stands for a constant predictor's score where that is undefined.
    mmsa_key: its key in the toolkit MMSA (thuiar/MMSA, regression tasks); "" where it has none.
    functions: by the conventions that have it, each of which may cut classes of its own.
    """

    key: str
    name: str
    short: str
    better: Literal["min", "max"] = "max"
    floor: float = 0.0
    ceiling: float = 1.0
    mmsa_key: str = ""
    functions: Mapping[str, Score] = field(default_factory=dict)

    def ends(self, constant: float) -> tuple[float, float]:
        """(floor, ceiling), the floor being a constant predictor's score if that is defined."""
        return (self.floor if np.isnan(constant) else constant), self.ceiling


METRICS: dict[str, Metric] = {}
"""Every score's record by its key. Each stands above its formula, and nowhere else."""


def named(key: str) -> str:
    """A score's key in words; a key that has no record is its own name."""
    return METRICS[key].name if key in METRICS else key


def gain(metric: str, ours: Gain, theirs: Gain) -> Gain:
    """How much better, in the score's unit: ours - theirs, the other way where less is better."""
    return -1.0 * (ours - theirs) if METRICS[metric].better == "min" else ours - theirs


def to_mmsa(scores: Mapping[str, float]) -> dict[str, float]:
    """The same scores under MMSA's keys; a score that MMSA does not have keeps its own key."""
    theirs = {key: metric.mmsa_key or key for key, metric in METRICS.items()}
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


def _scored(metric: Metric, *conventions: str) -> Callable[[Formula], Score]:
    """The score by which conventions compute a metric, from its formula; the record knows of it.

    The formula may count on at least one clip and on finite numbers. A convention gives its scores
    in the order in which their records are first met in this file.
    """

    def scored(formula: Formula) -> Score:
        @functools.wraps(formula)
        def score(truth: Numbers, prediction: Numbers) -> float:
            t, p = _vectors(truth, prediction)
            defined = len(t) > 0 and bool(np.isfinite(p).all())
            return float(formula(t, p)) if defined else float("nan")

        functions: dict[str, Score] = dict.fromkeys(conventions, score)
        METRICS[metric.key] = replace(metric, functions={**metric.functions, **functions})
        return score

    return scored


def _confusion(truth: Vector, prediction: Vector) -> Int[np.ndarray, "k k"]:
    """C over the classes that occur on either side, in ascending order."""
    import torch
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    classes, codes = np.unique(np.concatenate([truth, prediction]), return_inverse=True)
    t, p = torch.from_numpy(codes).chunk(2)
    # torchmetrics wants two classes at least; one that does not occur adds empty rows only.
    return multiclass_confusion_matrix(p, t, num_classes=max(2, len(classes))).numpy()


# --- regression ---


# A constant has an error wherever there is a label.
@_scored(
    Metric("mae", "MAE", "MAE", better="min", floor=float("nan"), ceiling=0.0, mmsa_key="MAE"),
    "mosi", "sims", "plain",
)  # fmt: skip
def mae(truth: Vector, prediction: Vector) -> float:
    """Mean absolute error, mean |t - p|, in the label's unit."""
    import torch
    from torchmetrics.functional.regression import mean_absolute_error

    return mean_absolute_error(torch.from_numpy(prediction), torch.from_numpy(truth)).item()


@_scored(Metric("corr", "Corr (Pearson)", "Corr", mmsa_key="Corr"), "mosi", "sims", "plain")
def corr(truth: Vector, prediction: Vector) -> float:
    """Pearson's correlation, cov(t, p) / (sd t · sd p); NaN if either is constant or n < 2."""
    import torch
    from torchmetrics.functional.regression import pearson_corrcoef

    if np.ptp(truth) == 0 or np.ptp(prediction) == 0:
        return float("nan")
    return pearson_corrcoef(torch.from_numpy(prediction), torch.from_numpy(truth)).item()


@_scored(Metric("ccc", "CCC (concordance)", "CCC"), "plain")
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


@_scored(Metric("accuracy", "Accuracy", "Accuracy"), "classification")
def accuracy(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the right class, Σ C_ii / n."""
    return np.mean(truth == prediction)


@_scored(Metric("uar", "UAR (unweighted average recall)", "UAR"), "classification")
def uar(truth: Vector, prediction: Vector) -> float:
    """Unweighted average recall, the mean of C_ii / r_i over the classes that truth contains."""
    c = _confusion(truth, prediction)
    size = c.sum(1)
    return np.mean(np.diag(c)[size > 0] / size[size > 0])


@_scored(
    Metric("war", "WAR (weighted average recall, which is the accuracy)", "WAR"), "classification"
)
def war(truth: Vector, prediction: Vector) -> float:
    """Weighted average recall, Σ (r_i / n)(C_ii / r_i) = Σ C_ii / n.

    It is the accuracy, by its name in speech emotion recognition.
    """
    return accuracy(truth, prediction)


@_scored(Metric("f1_weighted", "F1, weighted by class size", "F1 weighted"), "classification")
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


@_scored(Metric("acc7", "Acc-7 (seven classes)", "Acc-7", mmsa_key="Mult_acc_7"), "mosi")
def acc7(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the same class among -3 … 3, both clipped to ±3 and rounded."""
    return accuracy(_rounded(truth, 3), _rounded(prediction, 3))


@_scored(Metric("acc5", "Acc-5 (five classes)", "Acc-5", mmsa_key="Mult_acc_5"), "mosi")
def acc5(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the same class among -2 … 2, both clipped to ±2 and rounded."""
    return accuracy(_rounded(truth, 2), _rounded(prediction, 2))


@_scored(Metric("acc3", "Acc-3 (three classes)", "Acc-3", mmsa_key="Mult_acc_3"), "mosi")
def acc3(truth: Vector, prediction: Vector) -> float:
    """The share of clips of the same class among -1, 0, 1, both clipped to ±1 and rounded."""
    return accuracy(_rounded(truth, 1), _rounded(prediction, 1))


@_scored(
    Metric("acc2_has0", "Acc-2 (negative / non-negative)", "Acc-2 has0", mmsa_key="Has0_acc_2"),
    "mosi",
)
def acc2_has0(truth: Vector, prediction: Vector) -> float:
    """Accuracy of < 0 against >= 0, over all clips: neutral counts as positive."""
    return accuracy(truth >= 0, prediction >= 0)


@_scored(
    Metric("f1_has0", "F1, weighted (negative / non-negative)", "F1 has0",
           mmsa_key="Has0_F1_score"),
    "mosi",
)  # fmt: skip
def f1_has0(truth: Vector, prediction: Vector) -> float:
    """`f1_weighted` of < 0 against >= 0, over all clips; called as (truth, prediction)."""
    return f1_weighted(truth >= 0, prediction >= 0)


@_scored(
    Metric("acc2_non0", "Acc-2 (negative / positive, zeros dropped)", "Acc-2 non0",
           mmsa_key="Non0_acc_2"),
    "mosi",
)  # fmt: skip
def acc2_non0(truth: Vector, prediction: Vector) -> float:
    """Accuracy of <= 0 against > 0, over the clips whose true label is not 0."""
    kept = truth != 0
    return accuracy(truth[kept] > 0, prediction[kept] > 0)


@_scored(
    Metric("f1_non0", "F1, weighted (negative / positive, zeros dropped)", "F1 non0",
           mmsa_key="Non0_F1_score"),
    "mosi",
)  # fmt: skip
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


@_scored(METRICS["acc5"], "sims")
def sims_acc5(truth: Vector, prediction: Vector) -> float:
    """Accuracy over [-1, -0.7], (-0.7, -0.1], (-0.1, 0.1], (0.1, 0.7], (0.7, 1]."""
    return accuracy(_cut(truth, 5), _cut(prediction, 5))


@_scored(METRICS["acc3"], "sims")
def sims_acc3(truth: Vector, prediction: Vector) -> float:
    """Accuracy over [-1, -0.1], (-0.1, 0.1], (0.1, 1]."""
    return accuracy(_cut(truth, 3), _cut(prediction, 3))


@_scored(Metric("acc2", "Acc-2 (not positive / positive)", "Acc-2", mmsa_key="Mult_acc_2"), "sims")
def sims_acc2(truth: Vector, prediction: Vector) -> float:
    """Accuracy over [-1, 0], (0, 1]: neutral counts as negative, unlike `acc2_has0`."""
    return accuracy(_cut(truth, 2), _cut(prediction, 2))


@_scored(Metric("f1", "F1, weighted (not positive / positive)", "F1", mmsa_key="F1_score"), "sims")
def sims_f1(truth: Vector, prediction: Vector) -> float:
    """`f1_weighted` over [-1, 0], (0, 1]."""
    return f1_weighted(_cut(truth, 2), _cut(prediction, 2))


# --- conventions ---


def _scores(convention: str, truth: Numbers, prediction: Numbers) -> dict[str, float]:
    functions = {key: metric.functions.get(convention) for key, metric in METRICS.items()}
    return {key: score(truth, prediction) for key, score in functions.items() if score}


def mosi(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of CMU-MOSI and CMU-MOSEI, labels in [-3, 3]."""
    return _scores("mosi", truth, prediction)


def sims(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of CH-SIMS, labels in [-1, 1]; predictions are clipped to ±1 before all of them.

    Yu et al. 2020 (ACL 2020.acl-main.343), with the cuts of MMSA's code, which clips before MAE
    and Corr too.
    """
    raw = np.asarray(prediction, np.float64)
    return _scores("sims", truth, np.where(np.isfinite(raw), np.clip(raw, -1, 1), np.nan))


def plain(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of any other regression, such as arousal and valence."""
    return _scores("plain", truth, prediction)


def classification(truth: Numbers, prediction: Numbers) -> dict[str, float]:
    """The scores of single-label classes; both arguments are class numbers, not logits."""
    return _scores("classification", truth, prediction)
