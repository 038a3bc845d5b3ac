"""What a study has found by now: the scores of every cell that ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from infofuse.files import number, read_json
from infofuse.metrics import METRICS, gain
from infofuse.study.grid import Cell, Place, System, cells, places, systems
from infofuse.study.run import FAILURES, chosen_trial, open_study
from infofuse.study.spec import Study
from infofuse.study.statistics import normalised
from infofuse.study.survey import Survey
from infofuse.training.recipe import PEEKED
from infofuse.types import Json


@dataclass(frozen=True)
class Results:
    """A study and its cells. found: metrics of a seed by place, system and seed."""

    study: Study
    out: Path
    places: tuple[Place, ...]
    systems: tuple[System, ...]
    surveys: Mapping[str, Survey]
    found: Mapping[tuple[str, str, int], Json]
    failures: Mapping[str, str]
    total: int

    @property
    def peeked(self) -> bool:
        """Whether epochs were chosen by the test split."""
        by_test = any(facts.get("chosen_by") == "test" for facts in self.found.values())
        return self.study.protocol == "release" or by_test

    @property
    def warning(self) -> str:
        """What is said above scores where epochs were chosen by the test split, else nothing."""
        return PEEKED if self.peeked else ""

    def title(self, system: str) -> str:
        """A system's name as tables have it."""
        return next(s.title for s in self.systems if s.name == system)

    def on(self, place: Place) -> list[System]:
        """The systems with at least one finished cell on a data set."""
        ended = {system for where, system, _ in self.found if where == place.name}
        return [s for s in self.systems if s.name in ended]

    def metrics(self, place: Place) -> list[str]:
        """The metrics that its cells have."""
        first = next((f for (where, _, _), f in self.found.items() if where == place.name), None)
        return list(first["test"]) if first else []

    def primary(self, place: Place) -> str:
        """The study's metric, or the first that a data set has, where it has no such one."""
        known = self.metrics(place)
        wanted = self.study.metric
        return wanted if wanted in known or not known else known[0]

    @property
    def replaced(self) -> str:
        """What is said where a data set does not have the study's metric, else nothing."""
        short = {place.name: METRICS[self.primary(place)].short for place in self.places}
        wanted = METRICS[self.study.metric].short
        return " ".join(
            f"{name} has no {wanted}, and is compared by {metric}."
            for name, metric in short.items()
            if metric != wanted
        )

    def scores(self, place: Place, system: str, metric: str) -> dict[int, float]:
        """The test score of each seed that ended; NaN where it is undefined."""
        return {
            seed: number(facts["test"].get(metric))
            for seed in self.study.seeds
            if (facts := self.found.get((place.name, system, seed))) and "test" in facts
        }

    def gains(self, place: Place, system: str, base: str = "") -> Float[np.ndarray, "n"]:
        """How much better than another system, seed by seed, in the metric's unit.

        base: the other one, the study's baseline if not given.
        """
        metric = self.primary(place)
        ours, theirs = (
            self.scores(place, name, metric) for name in (system, base or self.study.baseline)
        )
        return gain(metric, *_paired(ours, theirs))

    def normalised(self, place: Place, system: str) -> dict[int, float]:
        """The primary score of each seed: 0 is the constant predictor's, 1 a perfect one's."""
        metric = self.primary(place)
        floor = number(self.surveys[place.name].floor.get(metric))
        found = self.scores(place, system, metric)
        values = normalised(np.array(list(found.values()), float), floor, metric)
        return dict(zip(found, values.tolist(), strict=True))

    def normalised_gains(self, place: Place, system: str, base: str) -> Float[np.ndarray, "n"]:
        """`gains` on the scale from floor to perfect; none where nothing ended."""
        if not self.metrics(place):
            return np.empty(0)
        ours, theirs = _paired(self.normalised(place, system), self.normalised(place, base))
        return ours - theirs

    def trial(self, place: Place, system: System) -> int | None:
        """The tuning trial whose choices its cells took."""
        cell = Cell(place, system, self.study.seeds[0])
        return chosen_trial(self.study, cell, self.out, self.surveys[place.name])

    def run(self, place: Place, system: str, seed: int) -> Path:
        """The folder of a seed, with its checkpoint and predictions."""
        return self.out / "cells" / place.name / system / str(seed) / f"seed-{seed}"

    def to_json(self) -> Json:
        """Every score of every cell."""
        return {
            "title": self.study.title,
            "protocol": self.study.protocol,
            "cells": [
                {"data": place, "system": system, "seed": seed}
                | {split: facts[split] for split in ("valid", "test") if split in facts}
                for (place, system, seed), facts in self.found.items()
            ],
            "of": self.total,
            "failures": dict(self.failures),
        }


def _paired(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Float[np.ndarray, "2 n"]:
    """The scores of the seeds that both have, where both are defined."""
    both = np.array([(ours[seed], theirs[seed]) for seed in ours if seed in theirs], float)
    both = both.reshape(-1, 2)
    return both[~np.isnan(both).any(1)].T


def open_results(out: Path) -> Results:
    """Read a study's folder. Raises InfofuseError if it holds no study."""
    study, surveys = open_study(out)
    every = cells(study)
    return Results(
        study=study,
        out=out,
        places=tuple(p for p in places(study) if p.name in surveys),
        systems=tuple(systems(study)),
        surveys=surveys,
        found={
            (c.place.name, c.system.name, c.seed): facts
            for c in every
            if (facts := c.finished(out)) is not None
        },
        failures=read_json(out / FAILURES) if (out / FAILURES).is_file() else {},
        total=len(every),
    )
