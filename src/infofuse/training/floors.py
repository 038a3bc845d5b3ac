"""The scores that a method must be above to have learnt anything: a constant, and linear models.

x is a clip's mean step of each modality's features, side by side, on the scale of the training
clips and cut to ±10 deviations. A modality that a clip lacks is at its mean, and whether it is
there is a column too. On x stand ridge regression for scores and logistic regression for classes,
as scikit-learn fits them. The strength of regularisation is chosen on validation clips, by what a
checkpoint is chosen by.
"""

import warnings
from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np
from jaxtyping import Float, Int

from infofuse.data.audit.probe import means
from infofuse.data.corpus import Corpus
from infofuse.metrics import METRICS, gain
from infofuse.tasks import Regression, Task
from infofuse.types import Clips

Scores = Mapping[str, float]
CONSTANT, LINEAR = "constant", "linear on mean features"
STRENGTHS = 10.0 ** np.arange(-2, 6)
CUT = 10.0
FLAT = 1e-6
"""The share of a feature's size below which its deviation is that of rounding."""


def floors(
    corpus: Corpus, split: str = "test", *, alone: bool = False
) -> dict[str, dict[str, float]]:
    """Scores on a split by the name of a floor: the constant, and all features.

    alone: each modality's features by themselves, too. No other split is read but the training and
    the validation clips; none are found where the corpus lacks these.
    """
    if not {"train", "valid"} <= corpus.splits.keys():
        return {}
    found = {CONSTANT: _constant(corpus, split)}
    names = [m for m, width in corpus.spec.features.items() if width]
    for chosen in [names, *([name] for name in names if alone and len(names) > 1)]:
        if chosen:
            found[f"{LINEAR} ({', '.join(chosen)})"] = _linear(corpus, chosen, split)
    return found


def not_above(metric: str, scores: Scores, found: Mapping[str, Scores]) -> str:
    """A sentence on the floor that a model's scores are least above; "" if they are above all.

    metric: by which they are held against each other, such as `Task.primary`.
    """
    known = {name: floor[metric] for name, floor in found.items() if not isnan(floor[metric])}
    above = {name: gain(metric, scores[metric], floor) for name, floor in known.items()}
    if not above or min(above.values()) > 0:
        return ""
    name = min(above, key=above.__getitem__)
    what = "a constant predictor" if name == CONSTANT else f"a model that is {name}"
    reads = f"{METRICS[metric].short} {known[name]:.3f} against {scores[metric]:.3f}"
    return (
        f"Not above the floor: {what} is at least as good ({reads}). Train longer, with other "
        f"rates, on more clips or with a smaller model, or prefer the floor."
    )


def _constant(corpus: Corpus, split: str) -> dict[str, float]:
    """The best constant, by the labels of the training clips."""
    clips, task = corpus.split(split), corpus.spec.task
    constant = task.constant(corpus.split("train").labels).astype(np.float32)
    return task.score(np.tile(constant, (len(clips), 1)), clips.labels)


def _linear(corpus: Corpus, names: Sequence[str], split: str) -> dict[str, float]:
    train, valid, test = (corpus.split(name) for name in ("train", "valid", split))
    x = _columns(train, names)
    middle, scale = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    scale[scale < FLAT * (1 + np.nanmax(np.abs(x), axis=0))] = np.inf  # rounding, no spread

    def read(clips: Clips) -> Float[np.ndarray, "n width"]:
        standard = (_columns(clips, names) - middle) / scale
        return np.nan_to_num(standard.clip(-CUT, CUT), posinf=0.0, neginf=0.0)

    task, seen = corpus.spec.task, [read(clips) for clips in (train, valid, test)]
    best: tuple[float, dict[str, float]] | None = None
    for strength in STRENGTHS:
        said = _fitted(task, seen[0], train.labels, strength, seen[1:])
        regret = task.regret(task.score(said[0], valid.labels))
        if best is None or regret < best[0]:
            best = regret, task.score(said[1], test.labels)
    assert best is not None
    return best[1]


def _columns(clips: Clips, names: Sequence[str]) -> Float[np.ndarray, "n width"]:
    columns = [clips.features[name] for name in names]
    there = np.stack([column.lengths > 0 for column in columns], axis=1).astype(float)
    return np.concatenate([*map(means, columns), there], axis=1)


def _fitted(
    task: Task,
    x: Float[np.ndarray, "n width"],
    labels: Float[np.ndarray, "n k"],
    strength: float,
    new: Sequence[Float[np.ndarray, "_ width"]],
) -> list[Float[np.ndarray, "_ outputs"]]:
    """Predictions of new clips, a model for each label column, in the task's own terms."""
    columns = [_column(task, x, labels[:, k], strength, new) for k in range(labels.shape[1])]
    return [np.concatenate(parts, axis=1) for parts in zip(*columns, strict=True)]


def _column(
    task: Task,
    x: Float[np.ndarray, "n width"],
    y: Float[np.ndarray, "n"],
    strength: float,
    new: Sequence[Float[np.ndarray, "_ width"]],
) -> list[Float[np.ndarray, "_ outputs"]]:
    from sklearn.linear_model import LogisticRegression, Ridge

    known = ~np.isnan(y)
    if isinstance(task, Regression):
        ridge = Ridge(strength).fit(x[known], y[known])
        return [ridge.predict(part)[:, None].astype(np.float32) for part in new]
    width = task.width if task.outputs == 1 else 1
    classes = np.unique(y[known]).astype(int)
    if len(classes) == 1:
        return [_logits(np.zeros((len(p), 1)), classes, width) for p in new]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one that has not converged is a floor, too
        model = LogisticRegression(C=1 / strength, max_iter=500).fit(x[known], y[known])
    return [_logits(_decided(model.decision_function(part)), classes, width) for part in new]


def _decided(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "n known"]:
    """A logit of each class; of two classes scikit-learn gives their difference."""
    return values if values.ndim > 1 else np.stack([np.zeros(len(values)), values], axis=1)


def _logits(
    known: Float[np.ndarray, "n known"], classes: Int[np.ndarray, "known"], width: int
) -> Float[np.ndarray, "n width"]:
    """Logits of all classes: those that training clips lack are never answered.

    Of a label that holds or not, width 1, that of holding.
    """
    if width > 1:
        found = np.full((len(known), width), -1e6, np.float32)
        found[:, classes] = known
        return found
    if len(classes) == 1:
        return np.full((len(known), 1), 1.0 if classes[0] else -1.0, np.float32)
    return (known[:, 1:] - known[:, :1]).astype(np.float32)
