"""Observers: what they are told, in which order, and that they may end a training."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from infofuse.data import Corpus
from infofuse.files import read_json
from infofuse.training import Observer, resolve, train
from infofuse.training.observer import Step
from infofuse.training.progress import Progress

TABLES = {
    "paper": "lf_dnn",
    "data": "given",
    "seeds": [1, 2],
    "model": {"modalities": ["audio"]},
    "train": {"epochs": 2, "batch_size": 16},
}


class Stop(Exception):
    """What an observer of these tests raises."""


class Noting(Observer):
    """Notes all that it is told; raises at the end of an epoch of a seed."""

    def __init__(self, until: tuple[int, int] | None = None):
        self.until, self.seed, self.said = until, 0, []  # type: ignore[var-annotated]

    def seed_begins(self, seed: int, seeds: Sequence[int], folder: Path) -> None:
        self.seed = seed
        self.said.append(("seed", seed, list(seeds), folder.name))

    def step(self, step: Step) -> None:
        self.said.append((step.what, step.epoch, step.done, step.total))

    def epoch_ends(self, progress: Progress) -> None:
        self.said.append(("epoch", progress.epoch, len(progress.history)))
        if (self.seed, progress.epoch) == self.until:
            raise Stop


def test_all_observers_are_told_of_everything_in_order(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    one, other = Noting(), Noting()
    train(resolve(TABLES), tmp_path / "run", corpus=small_corpus, observers=[one, other])
    of_a_seed = [
        *(("training", 1, done, 3) for done in range(3)), ("validation", 1, 1, 1), ("epoch", 1, 1),
        *(("training", 2, done, 3) for done in range(3)), ("validation", 2, 1, 1), ("epoch", 2, 2),
    ]  # fmt: skip
    assert one.said == other.said
    assert one.said == [
        ("seed", 1, [1, 2], "seed-1"), *of_a_seed, ("seed", 2, [1, 2], "seed-2"), *of_a_seed,
    ]  # fmt: skip


def test_one_may_end_the_training_which_goes_on_after_it(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    def run(observer: Noting) -> None:
        train(
            resolve(TABLES), tmp_path / "run", corpus=small_corpus, test=False,
            observers=[observer], snapshot_seconds=0.0,
        )  # fmt: skip

    with pytest.raises(Stop):
        run(Noting(until=(2, 1)))
    assert len(read_json(tmp_path / "run" / "seed-2" / "history.json")) == 1
    again = Noting()
    run(again)
    told = [what for what in again.said if what[0] in ("seed", "epoch")]
    assert told == [("seed", 2, [1, 2], "seed-2"), ("epoch", 1, 1), ("epoch", 2, 2)]
