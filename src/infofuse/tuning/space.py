"""The search space of a recipe: declared beside each paper's Config, or given by the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infofuse import papers
from infofuse.config import from_table
from infofuse.errors import InfofuseError
from infofuse.papers.inputs import FEATURES
from infofuse.papers.spaces import Choice, Float, Int, Range, Space
from infofuse.training.recipe import Recipe, resolve

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TRAIN: Space = {
    "train.lr": Float(1e-4, 1e-2, log=True),
    "train.weight_decay": Float(1e-6, 1e-2, log=True),
    "train.batch_size": Choice((16, 32, 64)),
}
TRIALS, ROUND = 20, 4
"""Trials in all, and those that are begun knowing the same, where nothing else is said."""

LEARNT_TEXT: Space = {"train.lr_text": Float(5e-6, 2e-4, log=True)}


@dataclass(frozen=True)
class Options:
    """The table [tune] of a recipe. space: ranges by key, all that are declared if empty.

    trials: how many in all. together: how many make a round. seed: of the search.
    """

    space: dict[str, Any] = field(default_factory=dict)
    trials: int = TRIALS
    together: int = ROUND
    seed: int = 0


def options(table: Mapping[str, Any]) -> Options:
    """Raises InfofuseError for a key that does not exist, and a value of the wrong type."""
    return from_table(Options, table, "tune")


def space_of(recipe: Recipe) -> Space:
    """The declared ranges, by key: of training, of the paper, and of the terms that are added."""
    space = {**TRAIN, **(LEARNT_TEXT if _learns_text(recipe.model) else {})}
    space |= _declared(recipe.paper, "model")
    for name in recipe.plus:
        space |= _declared(name, f"plus.{name}")
    return space


def _learns_text(config: Any) -> bool:
    return getattr(config, "text_encoder", FEATURES) != FEATURES and not config.freeze_text


def _declared(paper: str, table: str) -> Space:
    module: Any = papers.get(paper)
    return {f"{table}.{name}": r for name, r in getattr(module, "SPACE", {}).items()}


def space_from(table: Mapping[str, Any], recipe: Recipe) -> Space:
    """A space as a file gives it: `{low = 0.01, high = 1.0, log = true}` or a list, by key.

    A range is of whole numbers where its ends are, unless the recipe has a fraction there.
    """
    tables = recipe.to_dict()
    space = {}
    for key, given in table.items():
        try:
            space[key] = _range(key, given, _value(tables, key))
        except InfofuseError as error:
            raise InfofuseError(f"tune.space: {key}: {error}") from None
    return space


def _value(tables: Any, key: str) -> Any:
    """What a recipe's tables have at a dotted key, if anything."""
    for name in key.split("."):
        tables = tables.get(name) if isinstance(tables, Mapping) else None
    return tables


def _range(key: str, given: Any, value: Any) -> Range:
    if isinstance(given, list):
        return from_table(Choice, {"values": given}, key)
    if not isinstance(given, Mapping):
        raise InfofuseError(
            f"a range, such as {{low = 0.01, high = 1.0, log = true}}, or a list of values was "
            f"expected; found {given!r}"
        )
    whole = all(isinstance(given.get(end), int) for end in ("low", "high"))
    whole = whole and not isinstance(value, float)
    kind: type[Int] | type[Float] = Int if whole else Float
    return from_table(kind, given, key)


def chosen(recipe: Recipe, choices: Mapping[str, Any]) -> Recipe:
    """The recipe with these choices, by key such as "model.alpha".

    Raises InfofuseError for a key that the recipe does not have, and a value that does not fit.
    """
    tables = recipe.to_dict()
    for key, value in choices.items():
        *path, last = key.split(".")
        table = tables
        for name in path:
            table = table.setdefault(name, {})
        table[last] = value
    return resolve(tables)


def check(recipe: Recipe, space: Space) -> None:
    """Raise InfofuseError for a key that the recipe does not have, or an end that does not fit.

    And for what is no hyper-parameter: seeds, say, or the epochs that the budget is counted in.
    """
    if not space:
        raise InfofuseError("there is nothing to tune: give ranges in the table [tune.space]")
    for key in space:
        if not key.startswith(("model.", "train.", "plus.")) or key == "train.epochs":
            raise InfofuseError(
                f"tune.space: {key} is not searched: model.*, train.* and plus.* are, but for "
                f"train.epochs, which every trial has alike"
            )
    for pick in (0, -1):
        chosen(recipe, {key: _ends(range_)[pick] for key, range_ in space.items()})


def _ends(range_: Range) -> tuple[Any, ...]:
    return range_.values if isinstance(range_, Choice) else (range_.low, range_.high)


def to_table(space: Space) -> dict[str, Any]:
    """The space as a file would give it; `space_from` gives it back."""
    return {key: list(r.values) if isinstance(r, Choice) else vars(r) for key, r in space.items()}


def distributions(space: Space) -> dict[str, "BaseDistribution"]:
    """The ranges as Optuna names them."""
    from optuna import distributions as optuna

    def one(range_: Range) -> "BaseDistribution":
        if isinstance(range_, Choice):
            return optuna.CategoricalDistribution(range_.values)
        if isinstance(range_, Int):
            return optuna.IntDistribution(range_.low, range_.high, log=range_.log)
        return optuna.FloatDistribution(range_.low, range_.high, log=range_.log)

    return {key: one(range_) for key, range_ in space.items()}
