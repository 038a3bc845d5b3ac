"""A study as a TOML file and as frozen dataclasses: rows, treatments, data sets, splits, seeds.

title = "Four papers on CMU-MOSI"
seeds = "1111-1115"
baseline = "self_mm"            # the row that differences are against

[data.official]
path = "data/mosi_official.pkl"
splits = ["given", 1]           # as the file has them, and one random division by video

[model]                         # for every row, over what its recipe says
freeze_text = true

[rows.self_mm]
recipe = "recipes/mosi/self_mm.toml"

[rows.mmim]
paper = "mmim"
model = { alpha = 0.2 }         # for this row, over all else

[treatments.kl]                 # each row once more with this term added
plus = { mdm = { penalty = "kl" } }

[treatments.text]               # and once more on the text alone
model = { modalities = ["text"] }
"""

import dataclasses
import re
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import tomli_w

from infofuse.config import from_table, plain, refuse_unknown
from infofuse.errors import InfofuseError, unknown
from infofuse.metrics import METRICS
from infofuse.training.recipe import GIVEN, Protocol, parse_seeds, read_recipe, resolve

Split = Literal["given"] | int
Trials = tuple[tuple[str, ...], ...]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set. path: as `infofuse train --data`. dataset: what it should be, for the audit.

    about: what a reader of its tables should know. made_by: the command that makes it, if it is
    made. splits: "given", or the seed of a random division of videos (or speakers) in which each
    part has about as many clips as it was given.
    """

    path: str
    title: str = ""
    about: str = ""
    made_by: str = ""
    dataset: str | None = None
    splits: tuple[Any, ...] = ("given",)  # each a Split; refused below in a sentence

    def __post_init__(self) -> None:
        for split in self.splits:
            if split != "given" and not (type(split) is int and split >= 0):
                raise InfofuseError(f'splits are "given" or numbers from 0; found {split!r}')
        if not self.splits:
            raise InfofuseError('splits names one at least, such as "given" or 1')
        if len(set(self.splits)) < len(self.splits):
            raise InfofuseError(f"splits are given once each; found {list(self.splits)}")


@dataclasses.dataclass(frozen=True)
class Row:
    """A system: a recipe file or a paper, and what is changed of it.

    data: on which data sets, all if empty. treatments: with which it is combined, all if not given.
    trials: as many choices of it as [tune] says, each a list of `key=value`. tuned: false for a
    reference whose choices stay as they are. published: whether it is held beside the published
    scores of its paper.
    """

    recipe: str = ""
    paper: str = ""
    title: str = ""
    data: tuple[str, ...] = ()
    treatments: tuple[str, ...] | None = None
    model: dict[str, Any] = dataclasses.field(default_factory=dict)
    train: dict[str, Any] = dataclasses.field(default_factory=dict)
    plus: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    trials: Trials = ()
    tuned: bool = True
    published: bool = True

    def __post_init__(self) -> None:
        if bool(self.recipe) == bool(self.paper):
            raise InfofuseError("a row names a recipe or a paper, and not both")


@dataclasses.dataclass(frozen=True)
class Treatment:
    """What is changed of a row, which is then a system of its own beside the row itself.

    model, train, plus: as of a row, over what the row says. data: on which data sets, all if
    empty. over: another treatment that it is compared with too. trials, tuned: as of a row.
    """

    title: str = ""
    data: tuple[str, ...] = ()
    over: str = ""
    model: dict[str, Any] = dataclasses.field(default_factory=dict)
    train: dict[str, Any] = dataclasses.field(default_factory=dict)
    plus: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    trials: Trials = ()
    tuned: bool = True


@dataclasses.dataclass(frozen=True)
class Tuning:
    """The same budget for every row: so many trials, each of one seed that is not compared later.

    A row or treatment with `tuned = false` has none, and its title says so.

    The trial with the best validation score is taken; the test split stays shut.
    """

    trials: int
    seed: int = 1

    def __post_init__(self) -> None:
        parse_seeds(self.seed)


@dataclasses.dataclass(frozen=True)
class Study:
    """What is compared, on what, and how.

    metric: by which rows are ranked and compared. rope: differences of it up to so much mean
    nothing in practice. analyse: whether robustness and dependence are measured after training, on
    the clips that analyse_on names. about, notes: what the page of results says before its tables
    and after its verdicts.
    """

    title: str
    data: dict[str, Source]
    rows: dict[str, Row]
    baseline: str
    seeds: tuple[int, ...] = (1111, 1112, 1113, 1114, 1115)
    protocol: Protocol = "honest"
    metric: str = "mae"
    rope: float = 0.01
    analyse: bool = True
    analyse_on: Literal["valid", "test"] = "valid"
    about: str = ""
    notes: str = ""
    model: dict[str, Any] = dataclasses.field(default_factory=dict)
    train: dict[str, Any] = dataclasses.field(default_factory=dict)
    treatments: dict[str, Treatment] = dataclasses.field(default_factory=dict)
    tune: Tuning | None = None

    def __post_init__(self) -> None:
        _names(self)
        _budget(self)
        if not self.rope >= 0:
            raise InfofuseError(f"rope is at least 0; found {self.rope}")
        if self.metric not in METRICS:
            raise unknown("metric", self.metric, METRICS)

    def to_toml(self) -> str:
        """The study as a TOML file would give it, every default resolved."""
        return tomli_w.dumps(plain(dataclasses.asdict(self)))


def _names(study: Study) -> None:
    """What names something else names what is there."""
    for name in (*study.data, *study.rows, *study.treatments):
        if not NAME.fullmatch(name):
            raise InfofuseError(
                f"{name!r} names a folder too: letters, digits, '_', '.' and '-', please"
            )
    systems = [name for row in study.rows for name in treated(study, row)]
    if study.baseline not in systems:
        raise unknown("row", study.baseline, systems)
    sources = [part.data for part in study.rows.values()]
    for source in chain(*sources, *(part.data for part in study.treatments.values())):
        if source not in study.data:
            raise unknown("data set of the study", source, study.data)
    named = [name for row in study.rows.values() for name in row.treatments or ()]
    for name in (*named, *(one.over for one in study.treatments.values() if one.over)):
        if name not in study.treatments:
            raise unknown("treatment of the study", name, study.treatments)


def treated(study: Study, row: str) -> dict[str, str | None]:
    """The systems that a row makes, by name: itself, and itself with each treatment."""
    chosen = study.rows[row].treatments
    names = tuple(study.treatments) if chosen is None else chosen
    return {row: None, **{with_treatment(row, name): name for name in names}}


def with_treatment(row: str, treatment: str) -> str:
    """The name of a row's system with a treatment."""
    return f"{row}+{treatment}"


def _budget(study: Study) -> None:
    """Every row has as many trials as every other, but for references that say they have none."""
    budget = study.tune.trials if study.tune else 0
    if study.tune and study.protocol == "release":
        raise InfofuseError('protocol "release" repeats what was published: leave out [tune]')
    if study.tune and study.tune.seed in study.seeds:
        raise InfofuseError(
            f"tune.seed {study.tune.seed} is among the seeds that are compared: take another"
        )
    for kind, parts in (("rows", study.rows), ("treatments", study.treatments)):
        for name, part in parts.items():
            expected = budget if part.tuned else 0
            if len(part.trials) != expected:
                raise InfofuseError(
                    f"{kind}.{name} has {len(part.trials)} trials and not {expected}: [tune] gives "
                    f"every row the same budget, and one with tuned = false none"
                )


def read_study(path: Path, protocol: str = "") -> Study:
    """A study file, checked. protocol: in the place of the file's.

    Raises InfofuseError for a key that does not exist, with the nearest one that does, and for a
    value of the wrong type.
    """
    if not path.is_file():
        raise InfofuseError(f"there is no study {path}")
    tables = read_recipe(path)
    if protocol:
        tables["protocol"] = protocol
    return resolve_study(tables)


def resolve_study(tables: Mapping[str, Any]) -> Study:
    """A study from the tables of its file."""
    tables = dict(tables)
    _refuse_old_words(tables)
    refuse_unknown(Study, tables, "")
    for needed in ("title", "data", "rows", "baseline"):
        if not tables.get(needed):
            raise InfofuseError(f"the study names no {needed}")
    for key, kind in (("data", Source), ("rows", Row), ("treatments", Treatment)):
        tables[key] = _parts(key, kind, tables.get(key, {}))
    if "tune" in tables:
        tables["tune"] = from_table(Tuning, tables["tune"], "tune")
    if "seeds" in tables:
        tables["seeds"] = parse_seeds(tables["seeds"])
    return _folded(from_table(Study, tables, "study"))


def _refuse_old_words(tables: Mapping[str, Any]) -> None:
    """[penalties] became [treatments] as it came to hold any change of a row."""
    rows = tables.get("rows")
    every = [tables, *(rows.values() if isinstance(rows, Mapping) else ())]
    if any(isinstance(table, Mapping) and "penalties" in table for table in every):
        raise InfofuseError(
            "[penalties.NAME] is called [treatments.NAME] now, and a row's penalties = […] "
            "treatments = […]: rename them, the rest stays"
        )


def _parts(key: str, kind: type, parts: Any) -> dict[str, Any]:
    if not isinstance(parts, Mapping) or not all(isinstance(p, Mapping) for p in parts.values()):
        raise InfofuseError(f"{key} is a table of tables, such as [{key}.NAME]")
    return {name: from_table(kind, part, f"{key}.{name}") for name, part in parts.items()}


def _folded(study: Study) -> Study:
    """The same study with no recipe files and no shared tables: every row says all by itself."""
    rows = {name: _folded_row(study, row) for name, row in study.rows.items()}
    return dataclasses.replace(study, rows=rows, model={}, train={})


def _folded_row(study: Study, row: Row) -> Row:
    found: dict[str, Any] = {"paper": row.paper}
    if row.recipe:
        found = read_recipe(Path(row.recipe))
        try:
            resolve({"data": GIVEN} | found)  # refuses what `infofuse train` refuses
        except InfofuseError as error:
            raise InfofuseError(f"{row.recipe}: {error}") from None
        if found.get("protocol", study.protocol) != study.protocol:
            raise InfofuseError(
                f"{row.recipe} is by protocol {found['protocol']!r}, and the study by "
                f"{study.protocol!r}: say the same in both"
            )
    return dataclasses.replace(
        row,
        recipe="",
        paper=found.get("paper", ""),
        model=found.get("model", {}) | study.model | row.model,
        train=found.get("train", {}) | study.train | row.train,
        plus=joined_terms(found.get("plus", {}), row.plus),
    )


def joined_terms(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of terms by paper; of a paper in both, the keys of the second count."""
    return {name: {**one.get(name, {}), **other.get(name, {})} for name in {**one, **other}}
