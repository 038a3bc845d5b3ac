"""What the labels ask for: the head, the loss, the metrics and the range belong together."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from infofuse import metrics
from infofuse.conformal import Region


class Head(nn.Linear):
    """The layer that gives the prediction, by which training finds it."""


class Task(ABC):
    """A head on a fused view, the loss of its output, and the scores of the field.

    A prediction has `width` numbers a clip: what the head gives. A label has `outputs`; a label
    that is NaN is unknown, and counts neither in the loss nor in a score.
    """

    outputs: int
    primary: ClassVar[str]
    """The metric by which a checkpoint is chosen."""

    @property
    def width(self) -> int:
        """Numbers of a prediction; those of a label, unless a task says otherwise."""
        return self.outputs

    def head(self, width: int) -> nn.Module:
        """A layer from a view of this width to the prediction."""
        return Head(width, self.width)

    def start(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        """What a head's bias is raised by before training, given the labels of training clips."""
        return np.zeros(self.width)

    @abstractmethod
    def loss(
        self, prediction: Float[Tensor, "batch _"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        """The training loss, over the labels that are known; 0 if none is."""

    @abstractmethod
    def answer(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n k"]:
        """What the prediction says, in the labels' own terms."""

    @abstractmethod
    def readable(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n _"]:
        """The prediction in numbers that people read: scores, or the chance of each class."""

    @abstractmethod
    def say(self, answer: Float[np.ndarray, "k"]) -> tuple[float | str, ...]:
        """A clip's answer as people say it: the scores, or the names of the classes."""

    def nonconformity(
        self, readable: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> Float[np.ndarray, "n k"]:
        """How far each label is from what was predicted, NaN where it is unknown: |y - f|."""
        return np.abs(labels - readable)

    @abstractmethod
    def region(
        self, readable: Float[np.ndarray, "n _"], limits: Float[np.ndarray, "n k"]
    ) -> Region:
        """The labels whose nonconformity is within the limits (see `infofuse.conformal`)."""

    @abstractmethod
    def constant(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        """The best prediction that looks at nothing, by the labels of training clips."""

    @abstractmethod
    def score(
        self, prediction: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        """The metrics by name, over the labels that are known."""

    @abstractmethod
    def regret(self, scores: dict[str, float]) -> float:
        """What a checkpoint is chosen by, from its validation scores: the less the better."""


@dataclass(frozen=True)
class Regression(Task):
    """Scores on a scale: mean absolute error, and the metrics of a convention.

    outputs: label columns. convention: "mosi", "sims" or "plain" (see `infofuse.metrics`). With
    several outputs each metric is the mean over them.
    """

    outputs: int = 1
    label_range: tuple[float, float] | None = None
    convention: str = "plain"
    primary: ClassVar[str] = "mae"

    def start(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        """The median of a column whose labels are all on one side of 0, as on a scale from 1 to 7.

        From 0 a small step size takes most of the training to get there.
        """
        start, signs, unknown = np.zeros(self.width), np.sign(labels), np.isnan(labels)
        aside = ((signs > 0) | unknown).all(0) | ((signs < 0) | unknown).all(0)
        aside &= ~unknown.all(0)
        start[aside] = self.constant(labels[:, aside])
        return start

    def loss(
        self, prediction: Float[Tensor, "batch _"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        return _mean_over_known((prediction - labels.nan_to_num()).abs(), labels)

    def answer(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n k"]:
        return prediction

    def readable(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n _"]:
        return prediction

    def say(self, answer: Float[np.ndarray, "k"]) -> tuple[float | str, ...]:
        return tuple(answer.tolist())

    def region(
        self, readable: Float[np.ndarray, "n _"], limits: Float[np.ndarray, "n k"]
    ) -> Region:
        """f ± q, cut to the labels' scale.

        It is decided where every column's interval lies to one side of the scale's middle, or of
        0 if no scale is known: negative and positive are not both possible.
        """
        low, high = self.label_range or (-np.inf, np.inf)
        middle = (low + high) / 2 if self.label_range else 0.0
        interval = np.stack([readable - limits, readable + limits], axis=2).clip(low, high)
        aside = (interval[:, :, 0] > middle) | (interval[:, :, 1] < middle)
        return Region(np.all(aside, axis=1), interval=interval)

    def constant(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        return np.nanmedian(labels, axis=0)

    def score(
        self, prediction: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        return _mean_over_columns(getattr(metrics, self.convention), labels, prediction)

    def regret(self, scores: dict[str, float]) -> float:
        return scores[self.primary]


@dataclass(frozen=True)
class Classification(Task):
    """One of several classes: cross entropy of logits, chosen by weighted F1.

    classes: their names, in order; a label is a class's number in it.
    """

    classes: tuple[str, ...]
    outputs: int = 1
    primary: ClassVar[str] = "f1_weighted"

    @property
    def width(self) -> int:
        return len(self.classes)

    def loss(
        self, prediction: Float[Tensor, "batch _"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        numbers = labels[:, 0].nan_to_num().long()
        each = F.cross_entropy(prediction, numbers, reduction="none")
        return _mean_over_known(each[:, None], labels)

    def answer(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n k"]:
        return prediction.argmax(1)[:, None].astype(np.float32)

    def readable(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n _"]:
        return torch.from_numpy(prediction).softmax(1).numpy()

    def say(self, answer: Float[np.ndarray, "k"]) -> tuple[float | str, ...]:
        return (self.classes[int(answer[0])],)

    def nonconformity(
        self, readable: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> Float[np.ndarray, "n k"]:
        """1 - p(y): of Sadinle, Lei & Wasserman 2019 (arXiv 1609.00451), for small sets."""
        numbers = np.nan_to_num(labels).astype(int)
        off = 1 - np.take_along_axis(readable, numbers, axis=1)
        return np.where(np.isnan(labels), np.nan, off)

    def region(
        self, readable: Float[np.ndarray, "n _"], limits: Float[np.ndarray, "n k"]
    ) -> Region:
        """Every class with 1 - p ≤ q, and the likeliest in any case; decided where it is one."""
        classes = (1 - readable <= limits) | _is_largest(readable)
        return Region(classes.sum(1) == 1, classes=classes)

    def constant(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        known = labels[~np.isnan(labels)].astype(int)
        counts = np.bincount(known, minlength=len(self.classes))
        return np.eye(len(self.classes), dtype=np.float32)[counts.argmax()]

    def score(
        self, prediction: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        return metrics.classification(labels[:, 0], self.answer(prediction)[:, 0])

    def regret(self, scores: dict[str, float]) -> float:
        return 1 - scores[self.primary]


@dataclass(frozen=True)
class MultiLabel(Task):
    """Several labels that each hold or not: binary cross entropy of logits.

    classes: the labels' names, one a column; a label is 1 where it holds, else 0. Each metric is
    the mean over the labels; the checkpoint is chosen by the mean weighted F1.
    """

    classes: tuple[str, ...]
    primary: ClassVar[str] = "f1_weighted"

    @property
    def outputs(self) -> int:  # type: ignore[override]
        return len(self.classes)

    def loss(
        self, prediction: Float[Tensor, "batch _"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        each = F.binary_cross_entropy_with_logits(prediction, labels.nan_to_num(), reduction="none")
        return _mean_over_known(each, labels)

    def answer(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n k"]:
        return (prediction > 0).astype(np.float32)

    def readable(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n _"]:
        return torch.from_numpy(prediction).sigmoid().numpy()

    def say(self, answer: Float[np.ndarray, "k"]) -> tuple[float | str, ...]:
        return tuple(name for name, holds in zip(self.classes, answer, strict=True) if holds)

    def region(
        self, readable: Float[np.ndarray, "n _"], limits: Float[np.ndarray, "n k"]
    ) -> Region:
        """Every class that may hold, 1 - p ≤ q, or is answered; each class is a matter of its own.

        It is decided where no class may hold and may not hold, too.
        """
        may, may_not = 1 - readable <= limits, readable <= limits
        return Region(~np.any(may & may_not, axis=1), classes=may | (readable > 0.5))

    def constant(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        return np.where(np.nanmean(labels, axis=0) > 0.5, 1, -1).astype(np.float32)

    def score(
        self, prediction: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        return _mean_over_columns(metrics.classification, labels, self.answer(prediction))

    def regret(self, scores: dict[str, float]) -> float:
        return 1 - scores[self.primary]


def _is_largest(values: Float[np.ndarray, "n classes"]) -> Bool[np.ndarray, "n classes"]:
    return np.arange(values.shape[1]) == values.argmax(1)[:, None]


def _mean_over_known(
    loss: Float[Tensor, "batch k"], labels: Float[Tensor, "batch k"]
) -> Float[Tensor, ""]:
    known = ~labels.isnan()
    return (loss * known).sum() / known.sum().clamp(min=1)


def _mean_over_columns(
    scores: Callable[[np.ndarray, np.ndarray], dict[str, float]],
    labels: Float[np.ndarray, "n k"],
    answers: Float[np.ndarray, "n k"],
) -> dict[str, float]:
    columns = [scores(labels[:, k], answers[:, k]) for k in range(labels.shape[1])]
    return {name: float(np.mean([c[name] for c in columns])) for name in columns[0]}
