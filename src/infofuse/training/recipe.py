"""Recipes: everything a run is made of, as a TOML file and as frozen dataclasses.

paper = "mmim"
data = "data/mosi.pkl"
seeds = "1111-1115"

[model]          # the paper's Config
alpha = 0.3

[train]          # TrainConfig
lr = 1e-3

[plus.dma]       # the Plus of another paper, whose term is added to the objective
text_audio = 0.5
"""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, get_args

import tomli_w
from pydantic import ConfigDict

from infofuse import papers
from infofuse.config import assignment, from_table, plain, refuse_unknown, shown
from infofuse.errors import InfofuseError, unknown
from infofuse.files import read_toml, toml
from infofuse.training.meter import refuse_fitted

Protocol = Literal["honest", "release"]

PEEKED = (
    'Protocol "release": each epoch was chosen by the test split. These scores are too good, and '
    "not to be compared with those of an honest run."
)
"""What is said wherever scores of a run under that protocol are shown."""

GIVEN = "given"
"""The data of a recipe that names none, since they are open already."""

MOST_SEEDS = 10_000
LAST_SEED = 2**63 - 1
"""The greatest number that TOML has; torch and NumPy take it too, and none below 0."""

UNSAID: tuple[tuple[str, Any], ...] = (("plus", {}), ("protocol", "honest"))
"""What a recipe does not say."""


@dataclasses.dataclass(frozen=True)
class Part:
    """How one part of a model learns; what is not given is as for the rest."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    lr: float | None = None
    weight_decay: float | None = None


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """How a model is trained; the defaults are MMIM's for CMU-MOSI.

    lr: of everything but the pretrained text encoder (lr_text) and the measures that are fitted in
    a pass of their own (lr_estimator). weight_decay: L2, as Adam adds it to the gradient;
    weight_decay_text, weight_decay_estimator: the same for the text encoder and for measures that
    learn apart, which see less dependence the more they are held down. parts: rates of their own
    for parts of the model, by the beginning of their parameters' names, such as "encoders.audio".
    clip: largest gradient norm; inf clips nothing. accumulate: batches whose mean gradient makes a
    step, fewer at the end of an epoch. patience: epochs without a better validation score before
    training ends. precision: "float32", or "bf16" for autocast of the model (objectives stay in
    float32). modality_dropout: chance that a training clip loses a modality, never its last one.
    max_steps: by modality, the steps that are kept of a training clip. first_pass: share of the
    training batches in the estimators' pass. measure: measures without a network, such as
    "GaussianInformation", of every two views of the validation clips after each epoch; they go
    into the history and its curves, and change nothing.
    """

    epochs: int = 40
    patience: int = 10
    batch_size: int = 32
    lr: float = 1e-3
    lr_text: float = 5e-5
    lr_estimator: float = 4e-3
    weight_decay: float = 1e-4
    weight_decay_text: float = 1e-4
    weight_decay_estimator: float = 1e-4
    parts: dict[str, Part] | None = None
    clip: float = 1.0
    accumulate: int = 1
    first_pass: float = 1.0
    modality_dropout: float = 0.0
    max_steps: dict[str, int] = dataclasses.field(default_factory=dict)
    measure: tuple[str, ...] = ()
    precision: Literal["float32", "bf16"] = "float32"
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise InfofuseError(f"train.{name} is at least 1; found {getattr(self, name)}")
        for name, steps in self.max_steps.items():
            if steps < 1:
                raise InfofuseError(f"train.max_steps.{name} is at least 1; found {steps}")
        for name in ("first_pass", "modality_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise InfofuseError(f"train.{name} lies in [0, 1]; found {getattr(self, name)}")
        for kind in ("", "_text", "_estimator"):
            for name in (f"lr{kind}", f"weight_decay{kind}"):
                if not getattr(self, name) >= 0:
                    raise InfofuseError(f"train.{name} is at least 0; found {getattr(self, name)}")
        if not self.clip > 0:
            raise InfofuseError(f"train.clip is above 0, inf for none; found {self.clip}")
        refuse_fitted(self.measure)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A paper, its model's choices, the data and the training: what a run can be repeated from.

    plus: papers whose terms are added to the objective, by name, with their choices. protocol:
    "honest", or "release" to choose the epoch by the test split, as some published code does;
    everything that such a run writes says so.
    """

    paper: str
    data: str
    model: Any
    train: TrainConfig = dataclasses.field(default_factory=TrainConfig)
    plus: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seeds: tuple[int, ...] = (1111,)
    protocol: Protocol = "honest"

    @property
    def chosen_by(self) -> str:
        """The split by whose scores an epoch is chosen."""
        return "valid" if self.protocol == "honest" else "test"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, every default resolved; what is not there at all is left out."""
        found = plain(dataclasses.asdict(self))
        return {k: v for k, v in found.items() if (k, v) not in UNSAID}

    def to_toml(self) -> str:
        """The recipe as a TOML file would give it."""
        return tomli_w.dumps(self.to_dict())


def recipe(
    paper: str,
    data: str = GIVEN,
    *,
    model: Mapping[str, Any] | None = None,
    train: Mapping[str, Any] | None = None,
    plus: Mapping[str, Any] | None = None,
    seeds: Any = (1111,),
) -> Recipe:
    """A recipe from Python: `recipe("mmim", "mosi.pkl", model={"alpha": 0.2}, seeds="1-5")`."""
    tables = {"paper": paper, "data": data, "model": model or {}, "train": train or {}}
    tables["plus"] = plus or {}
    return resolve(tables | {"seeds": seeds})


def read_recipe(path: Path) -> dict[str, Any]:
    """The tables of a recipe file, not yet checked."""
    if not path.exists():
        raise InfofuseError(f"there is no recipe {path}")
    return read_toml(path)


def with_given(tables: Mapping[str, Any], **given: str | None) -> dict[str, Any]:
    """A recipe's tables with what a command line gives in their place.

    Raises InfofuseError for another paper than the recipe's, whose choices its tables are.
    """
    paper = given["paper"] or tables.get("paper")
    if paper != tables.get("paper", paper):
        raise InfofuseError(
            f"the recipe is of the paper {tables['paper']!r}, and --paper says {paper!r}: leave "
            f"out the recipe or --paper"
        )
    return {**tables, **{k: v for k, v in given.items() if v is not None}}


def resolve(tables: Mapping[str, Any], overrides: Iterable[str] = ()) -> Recipe:
    """Tables and `table.key=value` overrides to a checked recipe.

    The table [tune] says how `infofuse tune` searches the recipe, and is left out.

    Raises InfofuseError for a key that does not exist, with the nearest one that does, and for a
    value of the wrong type.
    """
    tables = {
        k: dict(v) if isinstance(v, Mapping) else v
        for k, v in tables.items()
        if not (k == "tune" and isinstance(v, Mapping))
    }
    for override in overrides:
        _apply(tables, override)
    refuse_unknown(Recipe, tables, "")
    for needed in ("paper", "data"):
        if not tables.get(needed):
            raise InfofuseError(f"the recipe names no {needed}; give --{needed}")
        if not isinstance(tables[needed], str | Path):
            raise InfofuseError(f"{needed} = {shown(tables[needed])}: a name was expected, in text")
    config = papers.get(str(tables["paper"])).Config
    return Recipe(
        paper=tables["paper"],
        data=str(tables["data"]),
        model=from_table(config, tables.get("model", {}), "model"),
        train=from_table(TrainConfig, tables.get("train", {}), "train"),
        plus={
            name: from_table(papers.get_term(name).Plus, table, f"plus.{name}")
            for name, table in _plus(tables.get("plus", {})).items()
        },
        seeds=parse_seeds(tables.get("seeds", (1111,))),
        protocol=_protocol(tables.get("protocol", "honest")),
    )


def _plus(tables: Any) -> Mapping[str, Any]:
    if not isinstance(tables, Mapping):
        raise InfofuseError(f"plus = {tables!r}: a table a term was expected, such as [plus.mdm]")
    return tables


def _protocol(name: Any) -> Protocol:
    if name not in get_args(Protocol):
        raise unknown("protocol", str(name), get_args(Protocol))
    return name


def _apply(tables: dict[str, Any], override: str) -> None:
    """Put one `table.key=value` in its place; the value is TOML, or else a plain string."""
    path, text = assignment(override, "model.alpha=0.2")
    *parents, key = _keys(path)
    try:
        value = toml(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    except ValueError as error:
        raise InfofuseError(f"--set {path} = …: {error}") from None
    table = tables
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise InfofuseError(f"--set {override}: {parent} is not a table of the recipe")
    table[key] = value


def _keys(path: str) -> list[str]:
    """The keys of a dotted path; one with a dot in it is quoted, as in TOML."""
    try:
        table: Any = toml(f"{path} = 0")
    except ValueError:
        return path.split(".")
    keys = []
    while isinstance(table, dict):
        ((key, table),) = table.items()
        keys.append(key)
    return keys


def parse_seeds(seeds: Any) -> tuple[int, ...]:
    """Seeds from a number, a list, or text such as "1111-1115" and "1,2,5-7"; at least one.

    Raises InfofuseError for what is no seed, for one that is given twice, and for too many.
    """
    parts = seeds.split(",") if isinstance(seeds, str) else seeds
    parts = parts if isinstance(parts, Iterable) else (parts,)
    ranges = [_seed_range(part) for part in parts]
    if not ranges:
        raise _no_seeds(seeds)
    count = sum(last - first + 1 for first, last in ranges)
    if count > MOST_SEEDS:
        raise InfofuseError(f"a run has at most {MOST_SEEDS} seeds; found {count}")
    found = tuple(seed for first, last in ranges for seed in range(first, last + 1))
    if len(set(found)) < count:
        raise InfofuseError(f"seeds are given once each; found {seeds!r}")
    return found


def _seed_range(part: Any) -> tuple[int, int]:
    """The first and the last."""
    first, dash, last = str(part).strip().partition("-")
    try:
        ends = (int(first), int(last) if dash else int(first))
    except ValueError:
        raise _no_seeds(part) from None
    if not isinstance(part, Integral | str) or not 0 <= ends[0] <= ends[1] <= LAST_SEED:
        raise _no_seeds(part)
    return ends


def _no_seeds(found: Any) -> InfofuseError:
    return InfofuseError(
        f"seeds are numbers from 0 to 2^63 - 1 or ranges of them, such as 1111-1115 or 1,2,5-7; "
        f"found {shown(str(found))}"
    )
