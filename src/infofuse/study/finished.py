"""Which cells have ended, and what they measured: in their runs' folders, or in a record."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.study.grid import Cell, Place, System, recipe_of, systems
from infofuse.study.record import Record, identity
from infofuse.study.spec import Study
from infofuse.study.survey import Survey
from infofuse.training.recipe import GIVEN, Recipe
from infofuse.types import Json

SEEN = "D_"
"""How the terms begin by which penalties say what their statistical network saw."""


@dataclass(frozen=True)
class Finished:
    """The cells of a study that have ended. out: its folder, if it has one; record: kept lines.

    A cell's own run comes first, then a line of the record, then the run of another system that is
    the same by its recipe, such as a row whose tuning chose what another row has.
    """

    study: Study
    surveys: Mapping[str, Survey]
    record: Record = field(default_factory=Record)
    out: Path | None = None
    _recipes: dict[tuple[str, int | None], Recipe] = field(default_factory=dict)
    _identities: dict[tuple[str, str, int | None], str] = field(default_factory=dict)

    def facts(self, cell: Cell) -> Json | None:
        """The metrics of a cell's seed, None while it has not ended."""
        line = self.line(cell)
        return line["facts"] if line else None

    def line(self, cell: Cell) -> Json | None:
        """The line that a record has, or will have, of a cell."""
        found = self._from_run(cell)
        if found is None:
            try:
                name = self.identity(cell)
            except InfofuseError:  # its choices are not known, as no trial ended
                return None
            found = self.record.cell(name, cell.seed, cell.trial is None)
            found = found or self._from_twin(cell)
        if found is None:
            return None
        where: Json = {"kind": "cell", "data": cell.place.name, "system": cell.system.name}
        if cell.trial is not None:
            where |= {"kind": "trial", "trial": cell.trial}
        where["fingerprint"] = self.surveys[cell.place.name].fingerprint
        kept = ("seed", "identity", "facts", "versions")
        return where | {key: found[key] for key in kept if key in found}

    def identity(self, cell: Cell) -> str:
        """The identity of a cell's run. Raises InfofuseError if its choices are not known yet."""
        trial = self.trial(cell)
        key = (cell.place.name, cell.system.name, trial)
        if key not in self._identities:
            fingerprint = self.surveys[cell.place.name].fingerprint
            self._identities[key] = identity(self.recipe(cell, trial), fingerprint)
        return self._identities[key]

    def recipe(self, cell: Cell, trial: int | None) -> Recipe:
        """A recipe of its system, of some data and seed: for what does not depend on these."""
        key = (cell.system.name, trial)
        if key not in self._recipes:
            self._recipes[key] = recipe_of(cell, GIVEN, trial)
        return self._recipes[key]

    def trial(self, cell: Cell) -> int | None:
        """The trial whose choices a cell takes: its own if it is one, or the best by validation.

        The first of equals; None where nothing is tuned. Raises InfofuseError if none ended.
        """
        if self.study.tune is None or cell.trial is not None or not cell.system.trials:
            return cell.trial
        regrets = {}
        for number in range(self.study.tune.trials):
            tried = self.facts(Cell(cell.place, cell.system, self.study.tune.seed, number))
            if tried is not None:
                regrets[number] = self.surveys[cell.place.name].data.task.regret(tried["valid"])
        if not regrets:
            raise InfofuseError(f"no trial of {cell.place.name}/{cell.system.name} ended")
        return min(regrets, key=regrets.__getitem__)

    def analysis(self, place: Place, system: System) -> Json | None:
        """Robustness and dependence of a system's seeds, None where they were not measured."""
        for one in (system, *self.twins(place, system)):
            file = analysis_file(self.out, place, one) if self.out else None
            if file and file.is_file():
                return read_json(file)
        try:
            name = self.identity(Cell(place, system, self.study.seeds[0]))
        except InfofuseError:
            return None
        line = self.record.analyses.get(name)
        return line["found"] if line else None

    def _from_run(self, cell: Cell) -> Json | None:
        facts = cell.finished(self.out) if self.out is not None else None
        if facts is None or self.out is None:
            return None
        folder = cell.folder(self.out)
        history = read_json(folder / f"seed-{cell.seed}" / "history.json")
        seen = _seen(history, facts["epoch"])
        return {
            "seed": cell.seed,
            "identity": self.identity(cell),
            "facts": facts | ({"seen": seen} if seen else {}),
            "versions": read_json(folder / "metrics.json")["versions"],
        }

    def _from_twin(self, cell: Cell) -> Json | None:
        """Of the run of another system that is this one by its recipe; trials are never shared."""
        for twin in self.twins(cell.place, cell.system) if cell.trial is None else ():
            if found := self._from_run(Cell(cell.place, twin, cell.seed)):
                return found
        return None

    def twins(self, place: Place, system: System) -> Iterator[System]:
        """The other systems that are the same by their recipes there, as tuning may have it."""
        if self.study.tune is None:
            return
        first = self.study.seeds[0]
        for other in systems(self.study):
            if other.name != system.name and place.source in other.data:
                with contextlib.suppress(InfofuseError):  # no trial of it ended
                    ours, theirs = (self.identity(Cell(place, s, first)) for s in (system, other))
                    if ours == theirs:
                        yield other


def analysis_file(out: Path, place: Place, system: System) -> Path:
    """Where a study's folder keeps the analysis of a system."""
    return out / "analysis" / place.name / f"{system.name}.json"


def _seen(history: list[Json], best: int) -> dict[str, dict[str, float]]:
    """What the statistical networks saw in the first, the chosen and the last epoch, in nats."""
    epochs = {"first": 0, "best": best - 1, "last": -1}
    terms = [key for key in history[0] if key.startswith(SEEN)]
    return {t: {when: history[i][t] for when, i in epochs.items()} for t in terms}
