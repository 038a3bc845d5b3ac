"""Where a training stands, and the means it keeps of an epoch."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from infofuse.training.recipe import TrainConfig


@dataclass
class Progress:
    """What the loop carries from epoch to epoch."""

    epoch: int = 0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def finished(self, config: TrainConfig) -> bool:
        """Whether the epochs are used up, or the patience is."""
        return self.epoch >= config.epochs or self.epoch - self.best_epoch >= config.patience


class Means:
    """Means over an epoch, each batch weighted by its clips."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def add(self, name: str, value: Tensor, weight: int) -> None:
        """Count a batch's value."""
        self.sums[name] = self.sums.get(name, 0.0) + float(value.detach()) * weight
        self.counts[name] = self.counts.get(name, 0) + weight

    def means(self) -> dict[str, float]:
        """The mean of everything that was counted."""
        return {name: total / self.counts[name] for name, total in self.sums.items()}
