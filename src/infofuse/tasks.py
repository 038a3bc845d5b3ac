"""What the labels ask for: the head, the loss, the metrics and the range belong together."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from infofuse import metrics


class Task(ABC):
    """A head on a fused view, the loss of its output, and the scores of the field."""

    @abstractmethod
    def head(self, width: int) -> nn.Module:
        """A layer from a view of this width to the prediction."""

    @abstractmethod
    def loss(
        self, prediction: Float[Tensor, "batch k"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        """The training loss, over the labels that are known."""

    @abstractmethod
    def score(
        self, prediction: Float[np.ndarray, "n k"], labels: Float[np.ndarray, "n k"]
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

    def head(self, width: int) -> nn.Module:
        return nn.Linear(width, self.outputs)

    def loss(
        self, prediction: Float[Tensor, "batch k"], labels: Float[Tensor, "batch k"]
    ) -> Float[Tensor, ""]:
        known = ~labels.isnan()
        error = (prediction - labels.nan_to_num()).abs() * known
        return error.sum() / known.sum().clamp(min=1)

    def score(
        self, prediction: Float[np.ndarray, "n k"], labels: Float[np.ndarray, "n k"]
    ) -> dict[str, float]:
        scores = getattr(metrics, self.convention)
        columns = [scores(labels[:, k], prediction[:, k]) for k in range(self.outputs)]
        return {name: float(np.mean([c[name] for c in columns])) for name in columns[0]}

    def regret(self, scores: dict[str, float]) -> float:
        return scores["mae"]
