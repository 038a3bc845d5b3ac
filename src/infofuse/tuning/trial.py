"""One trial: train a recipe's seeds, stop early where it is hopeless, keep the validation score."""

import dataclasses
import functools
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from infofuse.data.corpus import Corpus, open_corpus
from infofuse.environment import one_thread
from infofuse.errors import InfofuseError
from infofuse.files import locked, number, read_json, write_json
from infofuse.training.observer import Observer
from infofuse.training.progress import Progress
from infofuse.training.recipe import Recipe, resolve
from infofuse.training.run import train_seed

State = Literal["complete", "pruned", "failed"]
STARTUP, WARM_UP = 5, 2
"""Finished trials and epochs before which no trial is stopped."""


@dataclass(frozen=True)
class Job:
    """What a worker is told. rivals: of each finished trial of earlier rounds, `Result.course`."""

    number: int
    recipe: dict[str, Any]
    folder: str
    rivals: tuple[Mapping[int, float], ...] = ()

    @property
    def record(self) -> Path:
        """The file that the result is kept in."""
        return Path(self.folder).with_suffix(".json")


@dataclass(frozen=True)
class Result:
    """How a trial went. regret: what tuning minimises (`Task.regret` of the validation split, mean
    over seeds), None unless complete. course: its value by then, by epoch, over all seeds.
    """

    number: int
    state: State
    regret: float | None = None
    course: dict[int, float] = field(default_factory=dict)
    valid: dict[str, float] = field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Result":
        """The result that `to_json` gave."""
        course = {int(step): value for step, value in content["course"].items()}
        return cls(**content | {"course": course})


class Hopeless(Exception):
    """Raised in a training that is not worth going on."""


def run_trial(job: Job) -> Result:
    """Train and score, or read what was found before; a trial that was killed goes on.

    A recipe that cannot be trained is a failed trial, with the reason.
    """
    folder = Path(job.folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f".{folder.name}.lock")):
        if not job.record.is_file():
            with one_thread():  # sums, and so scores, depend on their number
                write_json(job.record, _run(job).to_json())
            shutil.rmtree(folder, ignore_errors=True)
    return Result.from_json(read_json(job.record))


def _run(job: Job) -> Result:
    began, recipe = time.perf_counter(), resolve(job.recipe)
    follow = Follow(recipe, _without_test(recipe.data), job.rivals)
    state, reason = _train(follow, Path(job.folder))
    return Result(
        job.number,
        state,
        regret=follow.mean() if state == "complete" else None,
        course=follow.course,
        valid=follow.valid,
        epochs=follow.epochs,
        seconds=round(time.perf_counter() - began, 1),
        reason=reason,
    )


def _train(follow: "Follow", folder: Path) -> tuple[State, str]:
    """Train every seed; how that ended, and why if it failed."""
    try:
        for seed in follow.recipe.seeds:
            place = folder / f"seed-{seed}"
            train_seed(follow.recipe, follow.corpus, seed, place, follow)
            follow.finish(read_json(place / "metrics.json"))
    except Hopeless:
        return "pruned", ""
    except InfofuseError as error:
        return "failed", str(error)
    return "complete", ""


@functools.cache
def _without_test(data: str) -> Corpus:
    """The training and validation clips: a trial has no test split that it could open."""
    whole = open_corpus(data)
    return Corpus(whole.spec, {name: whole.split(name) for name in ("train", "valid")})


class Follow(Observer):
    """Follows a trial over its seeds, and says when it is hopeless."""

    def __init__(self, recipe: Recipe, corpus: Corpus, rivals: tuple[Mapping[int, float], ...]):
        self.recipe, self.corpus, self.rivals = recipe, corpus, rivals
        self.finished: list[dict[str, Any]] = []
        self.course: dict[int, float] = {}
        self.before = self.now = 0

    def epoch_ends(self, progress: Progress) -> None:
        """Raises Hopeless at the first one at which the trial was."""
        best = float("inf")
        for epoch, record in enumerate(progress.history, start=1):
            self.now = epoch
            valid = {k.removeprefix("valid_"): v for k, v in record.items() if k[:6] == "valid_"}
            regret = self._regret(valid)
            best = min(best, regret) if regret == regret else best
            if best < float("inf"):
                step = len(self.finished) * self.recipe.train.epochs + epoch
                self._reach(step, self.mean(best))

    def _reach(self, step: int, value: float) -> None:
        if step in self.course:
            return
        self.course[step] = value
        if hopeless(self.course, self.rivals):
            raise Hopeless

    def finish(self, metrics: dict[str, Any]) -> None:
        """A seed is done, with what its `metrics.json` says."""
        self.finished.append(metrics)
        self.before, self.now = self.before + metrics["epochs"], 0

    def _regret(self, scores: Mapping[str, float | None]) -> float:
        known = {name: number(v) for name, v in scores.items()}
        return self.corpus.spec.task.regret(known)

    def mean(self, *more: float) -> float:
        """Mean regret of the seeds that are done, and of what else is given."""
        values = [*(self._regret(m["valid"]) for m in self.finished), *more]
        return sum(values) / len(values)

    @property
    def epochs(self) -> int:
        """Epochs that were trained, over all seeds."""
        return self.before + self.now

    @property
    def valid(self) -> dict[str, float]:
        """The validation scores, mean over the seeds that are done."""
        names = self.finished[0]["valid"] if self.finished else ()
        values = {n: [m["valid"][n] for m in self.finished] for n in names}
        return {n: sum(v) / len(v) for n, v in values.items() if None not in v}


def hopeless(course: Mapping[int, float], rivals: tuple[Mapping[int, float], ...]) -> bool:
    """Whether the best so far is worse than the median of the rivals at this epoch.

    Optuna's `MedianPruner`, shown trials that were finished before this one began, and no others:
    so the answer does not depend on which trials happen to run beside it.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(STARTUP, WARM_UP))
    for rival in rivals:
        study.add_trial(
            optuna.trial.create_trial(value=min(rival.values()), intermediate_values=dict(rival))
        )
    trial = study.ask()
    for step, value in course.items():
        trial.report(value, step)
    return bool(trial.should_prune())
