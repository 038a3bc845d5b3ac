"""What a study has found by now: the scores of every cell that ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from infofuse.errors import InfofuseError
from infofuse.files import number, read_json
from infofuse.metrics import METRICS, gain
from infofuse.study.finished import Finished
from infofuse.study.grid import Cell, Place, System, cells, places, systems, trials
from infofuse.study.record import read_record
from infofuse.study.runner import FAILURES, kept_record, open_study
from infofuse.study.spec import Study
from infofuse.study.statistics import normalised
from infofuse.study.survey import Survey
from infofuse.training.recipe import PEEKED
from infofuse.types import Json


@dataclass(frozen=True)
class Results:
    """A study and its cells. found: metrics of a seed by place, system and seed."""

    study: Study
    ended: Finished
    places: tuple[Place, ...]
    systems: tuple[System, ...]
    found: Mapping[tuple[str, str, int], Json]
    failures: Mapping[str, str]
    total: int

    @property
    def surveys(self) -> Mapping[str, Survey]:
        """What is known of each data set, by the name of its place."""
        return self.ended.surveys

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

        base: the other one, the study's baseline if not given. Empty for two that are the same.
        """
        metric, base = self.primary(place), base or self.study.baseline
        if self.same(place, system, base):
            return np.empty(0)
        ours, theirs = (self.scores(place, name, metric) for name in (system, base))
        return gain(metric, *_paired(ours, theirs))

    def same(self, place: Place, system: str, other: str) -> bool:
        """Whether two systems are one by their recipes there, as tuning may have it."""
        one = next(s for s in self.systems if s.name == system)
        return system == other or other in {s.name for s in self.ended.twins(place, one)}

    def normalised(self, place: Place, system: str) -> dict[int, float]:
        """The primary score of each seed: 0 is the constant predictor's, 1 a perfect one's."""
        metric = self.primary(place)
        floor = number(self.surveys[place.name].floor.get(metric))
        found = self.scores(place, system, metric)
        values = normalised(np.array(list(found.values()), float), floor, metric)
        return dict(zip(found, values.tolist(), strict=True))

    def normalised_gains(self, place: Place, system: str, base: str) -> Float[np.ndarray, "n"]:
        """`gains` on the scale from floor to perfect; none where nothing ended."""
        if not self.metrics(place) or self.same(place, system, base):
            return np.empty(0)
        ours, theirs = _paired(self.normalised(place, system), self.normalised(place, base))
        return ours - theirs

    def seen(self, place: Place, system: str) -> Float[np.ndarray, "n"]:
        """What the statistical network of a penalty saw in the chosen epoch of each seed, in nats.

        Empty for a system that has none.
        """
        seen = [
            next(iter(facts["seen"].values()))["best"]
            for seed in self.study.seeds
            if (facts := self.found.get((place.name, system, seed))) and facts.get("seen")
        ]
        return np.array(seen, float)

    def trial(self, place: Place, system: System) -> int | None:
        """The tuning trial whose choices its cells took."""
        return self.ended.trial(Cell(place, system, self.study.seeds[0]))

    def runs(self, place: Place, system: str) -> Iterator[Path]:
        """The folders of its seeds that are there, with checkpoints and predictions.

        Of a cell that a record kept there is none.
        """
        out = self.ended.out
        if out is None:
            return
        for seed in self.study.seeds:
            folder = out / "cells" / place.name / system / str(seed) / f"seed-{seed}"
            if folder.is_dir() and (place.name, system, seed) in self.found:
                yield folder

    def lines(self) -> Iterator[Json]:
        """The lines of its record: what is kept of it (`infofuse.study.record`)."""
        for place in self.places:
            yield self.surveys[place.name].line
        for cell in (*trials(self.study), *cells(self.study)):
            if cell.place in self.places and (line := self.ended.line(cell)):
                yield line
        for place in self.places:
            for system in self.on(place):
                if found := self.ended.analysis(place, system):
                    yield self._analysis_line(place, system, found)

    def _analysis_line(self, place: Place, system: System, found: Json) -> Json:
        """Of its curves those of the metric that the data set is compared by: what pages show."""
        metric = self.primary(place)
        kept = found | {"curves": [c for c in found["curves"] if c["metric"] == metric]}
        identity = self.ended.identity(Cell(place, system, self.study.seeds[0]))
        where = {"kind": "analysis", "data": place.name, "system": system.name}
        return where | {"identity": identity, "found": kept}

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
    failures = read_json(out / FAILURES) if (out / FAILURES).is_file() else {}
    return _results(Finished(study, surveys, kept_record(out), out), failures)


def results_of_record(study: Study, record: Path) -> Results:
    """What a study has found by its record alone, without data and runs.

    Raises InfofuseError if there is no record, or it is damaged.
    """
    kept = read_record(record)
    if not kept.cells:
        raise InfofuseError(f"{record} holds no cell of a study: run the study first")
    surveys = {name: Survey.read(line) for name, line in kept.data.items()}
    return _results(Finished(study, surveys, kept), {})


def _results(ended: Finished, failures: Mapping[str, str]) -> Results:
    known = tuple(p for p in places(ended.study) if p.name in ended.surveys)
    every = cells(ended.study)
    return Results(
        study=ended.study,
        ended=ended,
        places=known,
        systems=tuple(systems(ended.study)),
        found={
            (c.place.name, c.system.name, c.seed): facts
            for c in every
            if c.place in known and (facts := ended.facts(c)) is not None
        },
        failures=failures,
        total=len(every),
    )
