"""Weights that change from epoch to epoch."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


class Schedule(ABC):
    """A weight as a function of the epoch. It has no state: one schedule serves many terms."""

    @abstractmethod
    def at(self, epoch: int) -> float:
        """The weight in this epoch, the first being 0."""


@dataclass(frozen=True)
class WarmUp(Schedule):
    """weight * min(1, epoch / epochs), the first epoch being 0.

    So the first epoch is without the term, and after `epochs` of them its weight is whole. What
    is trained through the term alone, such as the critic of a joint bound, begins to learn in
    the second.
    """

    weight: float
    epochs: int

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"a warm-up takes at least one epoch, not {self.epochs}")

    def at(self, epoch: int) -> float:
        return self.weight * min(1.0, epoch / self.epochs)


class Scheduled(nn.Module):
    """A schedule and where it stands; `float()` of it is the weight of the present epoch.

    `start_epoch()` is to be called before every epoch: the trainer does, a loop of one's own must.
    The count of epochs is a buffer, so a resumed run goes on where it was.
    """

    def __init__(self, schedule: Schedule):
        super().__init__()
        self.schedule = schedule
        self.started: Tensor
        self.register_buffer("started", torch.zeros((), dtype=torch.long))

    def start_epoch(self) -> None:
        """Move on to the next epoch; the first call begins the first."""
        self.started += 1

    def __float__(self) -> float:
        if not self.started:
            raise ValueError("a scheduled weight has no epoch yet: call start_epoch() before each")
        return self.schedule.at(int(self.started) - 1)
