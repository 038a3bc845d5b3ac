"""Who watches a training: a bar on a terminal, files, trackers, a search that ends it early."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infofuse.files import write_json
from infofuse.training.progress import Progress


@dataclass(frozen=True)
class Step:
    """Where a training is within an epoch: batches done and in all, and what is being done.

    what: "estimators", "training" or "validation".
    """

    epoch: int
    epochs: int
    done: int
    total: int
    what: str


class Observer:
    """Is told of a run as it goes, in its first process; every method does nothing unless replaced.

    An observer may end the training by raising, and what it raises comes out of `train`.
    """

    def seed_begins(self, seed: int, seeds: Sequence[int], folder: Path) -> None:
        """A seed is about to be trained, or goes on. folder: the seed's own."""

    def step(self, step: Step) -> None:
        """A batch, or the validation, is about to be computed."""

    def epoch_ends(self, progress: Progress) -> None:
        """An epoch has ended, or a run that was stopped goes on after it."""


class Observers(Observer):
    """Several as one, told in this order."""

    def __init__(self, observers: Iterable[Observer]):
        self.observers = tuple(observers)

    def seed_begins(self, seed: int, seeds: Sequence[int], folder: Path) -> None:
        for observer in self.observers:
            observer.seed_begins(seed, seeds, folder)

    def step(self, step: Step) -> None:
        for observer in self.observers:
            observer.step(step)

    def epoch_ends(self, progress: Progress) -> None:
        for observer in self.observers:
            observer.epoch_ends(progress)


class History(Observer):
    """What every epoch measured, as `history.json` in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def epoch_ends(self, progress: Progress) -> None:
        write_json(self.folder / "history.json", progress.history)
