"""The cells of a study: each is one seed of an ordinary run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infofuse.files import read_json, write_text
from infofuse.study.spec import Split, Study, Treatment, joined_terms, treated
from infofuse.training.recipe import Recipe, resolve

TRIALS = "trials"


@dataclass(frozen=True)
class System:
    """What is compared: a row, or a row with a treatment. tables: of its recipe, without data.

    row: the one that it is, or is made of. published: whether it is its paper as published.
    """

    name: str
    title: str
    row: str
    tables: Mapping[str, Any]
    data: tuple[str, ...]
    trials: tuple[tuple[str, ...], ...]
    published: bool


@dataclass(frozen=True)
class Place:
    """A data set in one of its splits. name: of its folders."""

    source: str
    split: Split

    @property
    def name(self) -> str:
        return self.source if self.split == "given" else f"{self.source}-division-{self.split}"


@dataclass(frozen=True)
class Cell:
    """One seed of a system on a data set. trial: the number of a tuning trial, or None."""

    place: Place
    system: System
    seed: int
    trial: int | None = None

    @property
    def name(self) -> str:
        """Such as "official/mmim/1111"."""
        what = str(self.seed) if self.trial is None else f"trial-{self.trial}"
        return f"{self.place.name}/{self.system.name}/{what}"

    def folder(self, out: Path) -> Path:
        """Its run's folder."""
        return out / ("cells" if self.trial is None else TRIALS) / self.name

    def finished(self, out: Path) -> dict[str, Any] | None:
        """The metrics of its seed, None while it has not ended."""
        folder = self.folder(out)
        if not (folder / "curves.png").is_file():  # the last file that a run writes
            return None
        return read_json(folder / "metrics.json")["seeds"][str(self.seed)]


def systems(study: Study) -> list[System]:
    """All systems, the rows in their order, each followed by itself with each treatment."""
    return [
        _system(study, row, name, study.treatments[treatment] if treatment else None)
        for row in study.rows
        for name, treatment in treated(study, row).items()
    ]


def _system(study: Study, row_name: str, name: str, treatment: Treatment | None) -> System:
    row = study.rows[row_name]
    changed = treatment or Treatment()
    tuned = treatment or row
    title = row.title or row_name
    if treatment:
        title = f"{title}, {treatment.title or name.removeprefix(f'{row_name}+')}"
    if study.tune and not tuned.tuned:
        title = f"{title} (not tuned)"
    data = row.data or tuple(study.data)
    return System(
        name,
        title,
        row_name,
        {
            "paper": row.paper,
            "protocol": study.protocol,
            "model": row.model | changed.model,
            "train": row.train | changed.train,
            "plus": joined_terms(row.plus, changed.plus),
        },
        tuple(source for source in data if not changed.data or source in changed.data),
        tuned.trials,
        row.published and treatment is None,
    )


def places(study: Study) -> list[Place]:
    """Every data set in each of its splits."""
    return [Place(name, split) for name, source in study.data.items() for split in source.splits]


def cells(study: Study) -> list[Cell]:
    """All cells, seed by seed, so that a study that is stopped has compared everything a little."""
    return [
        Cell(place, system, seed)
        for seed in study.seeds
        for place in places(study)
        for system in systems(study)
        if place.source in system.data
    ]


def trials(study: Study) -> Iterator[Cell]:
    """The cells that tune, if there are any."""
    if study.tune is None:
        return
    for place in places(study):
        for system in systems(study):
            if place.source in system.data:
                for number in range(len(system.trials)):
                    yield Cell(place, system, study.tune.seed, number)


def recipe_of(cell: Cell, data: str, trial: int | None) -> Recipe:
    """The recipe of a cell on the data that lies there, with the choices of a trial."""
    overrides = cell.system.trials[trial] if trial is not None else ()
    return resolve({**cell.system.tables, "data": data, "seeds": [cell.seed]}, overrides)


def write_recipe(cell: Cell, out: Path, recipe: Recipe) -> Path:
    """Keep the recipe beside the cells; the same command trains the cell by hand."""
    what = "" if cell.trial is None else f"-trial-{cell.trial}"
    path = out / "recipes" / cell.place.name / f"{cell.system.name}{what}-{cell.seed}.toml"
    text = recipe.to_toml()
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
    return path
