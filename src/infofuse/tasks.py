"""What the labels ask for: the head, the loss, the metrics and the range belong together."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from infofuse import metrics


class Task(ABC):
    """A head on a fused view, the loss of its output, and the scores of the field.

    A prediction has `width` numbers a clip: what the head gives. A label has `outputs`; a label
    that is NaN is unknown, and counts neither in the loss nor in a score.
    """

    outputs: int

    @property
    def width(self) -> int:
        """Numbers of a prediction; those of a label, unless a task says otherwise."""
        return self.outputs

    def head(self, width: int) -> nn.Module:
        """A layer from a view of this width to the prediction."""
        return nn.Linear(width, self.width)

    @abstractmethod
    def loss(
        self, prediction: Float[Tensor, "batch _"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        """The training loss, over the labels that are known; 0 if none is."""

    @abstractmethod
    def answer(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n k"]:
        """What the prediction says, in the labels' own terms."""

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

    def loss(
        self, prediction: Float[Tensor, "batch _"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        return _mean_over_known((prediction - labels.nan_to_num()).abs(), labels)

    def answer(self, prediction: Float[np.ndarray, "n _"]) -> Float[np.ndarray, "n k"]:
        return prediction

    def constant(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        return np.nanmedian(labels, axis=0)

    def score(
        self, prediction: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        return _mean_over_columns(getattr(metrics, self.convention), labels, prediction)

    def regret(self, scores: dict[str, float]) -> float:
        return scores["mae"]


@dataclass(frozen=True)
class Classification(Task):
    """One of several classes: cross entropy of logits, chosen by weighted F1.

    classes: their names, in order; a label is a class's number in it.
    """

    classes: tuple[str, ...]
    outputs: int = 1

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

    def constant(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        known = labels[~np.isnan(labels)].astype(int)
        counts = np.bincount(known, minlength=len(self.classes))
        return np.eye(len(self.classes), dtype=np.float32)[counts.argmax()]

    def score(
        self, prediction: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        return metrics.classification(labels[:, 0], self.answer(prediction)[:, 0])

    def regret(self, scores: dict[str, float]) -> float:
        return 1 - scores["f1_weighted"]


@dataclass(frozen=True)
class MultiLabel(Task):
    """Several labels that each hold or not: binary cross entropy of logits.

    classes: the labels' names, one a column; a label is 1 where it holds, else 0. Each metric is
    the mean over the labels; the checkpoint is chosen by the mean weighted F1.
    """

    classes: tuple[str, ...]

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

    def constant(self, labels: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "_"]:
        return np.where(np.nanmean(labels, axis=0) > 0.5, 1, -1).astype(np.float32)

    def score(
        self, prediction: Float[np.ndarray, "n _"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        return _mean_over_columns(metrics.classification, labels, self.answer(prediction))

    def regret(self, scores: dict[str, float]) -> float:
        return 1 - scores["f1_weighted"]


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
