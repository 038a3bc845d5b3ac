"""The search: which trial comes next, what is kept of it, and what the best recipe is.

Trials are begun in rounds. What is chosen for a trial depends on the seed, its number and the
rounds before its own, and on nothing else: so however many run at once, on one machine or many,
and however often the search is killed, the same trials come out.
"""

import contextlib
import importlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infofuse.data.corpus import open_corpus
from infofuse.environment import versions
from infofuse.errors import InfofuseError, missing
from infofuse.files import alone, as_written, holds_others, read_object, write_json
from infofuse.papers.spaces import Space
from infofuse.training.recipe import Recipe, parse_seeds
from infofuse.tuning.engines import Engine, local
from infofuse.tuning.report import write_report
from infofuse.tuning.space import ROUND, TRIALS, check, chosen, distributions, space_of, to_table
from infofuse.tuning.trial import Job, Result

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

Watch = Callable[[int, int], None]
"""Called with the trials that are done and all."""


@dataclass(frozen=True)
class Plan:
    """What is searched, and for how long: the same budget for every recipe that is compared.

    trials: how many, stopped and failed ones included. together: how many make a round. seed: of
    the search.
    """

    recipe: Recipe
    space: Space
    trials: int = TRIALS
    together: int = ROUND
    seed: int = 0

    def __post_init__(self) -> None:
        if self.recipe.protocol == "release":
            raise InfofuseError('tuning is by validation clips: leave out protocol = "release"')
        check(self.recipe, self.space)
        parse_seeds(self.seed)
        for name in ("trials", "together"):
            if getattr(self, name) < 1:
                raise InfofuseError(f"tune.{name} is at least 1; found {getattr(self, name)}")


def tune(
    recipe: Recipe,
    out: str | Path,
    *,
    space: Space | None = None,
    trials: int = TRIALS,
    together: int = ROUND,
    seed: int = 0,
    engine: Engine | None = None,
    watch: Watch = lambda *_: None,
) -> dict[str, Any]:
    """Search a recipe's choices by validation score; returns what `tuning.json` in `out` says.

    Each trial trains all the recipe's seeds and counts the mean of what `Task.regret` makes of
    their validation scores. No trial has a test split. Choices come from Optuna's TPE, and a trial
    is stopped where its best epoch is worse than the median of finished trials of earlier rounds.
    `out` receives best.toml, the recipe of the best trial; trials.csv; tuning.png; study.db,
    Optuna's storage; and a file a trial. Started again on the same folder, with as many trials or
    more, the search goes on.

    space: what is searched, by default what the papers declare. engine: see
    `infofuse.tuning.engines`; one process by default.

    Raises InfofuseError if the folder holds another search or another process searches there, and
    if no trial could be trained.
    """
    space = space_of(recipe) if space is None else space
    # In one order, wherever it was written down: choices are drawn one after the other.
    plan = Plan(recipe, dict(sorted(space.items())), trials, together, seed)
    with alone(Path(out)), _database(Path(out) / DATABASE):
        return _tune(plan, Path(out), engine, watch)


def _tune(plan: Plan, out: Path, engine: Engine | None, watch: Watch) -> dict[str, Any]:
    _claim(out, plan)
    study = _storage(out)
    engine = engine or local(1)
    watch(_finished(study), plan.trials)
    while running := _next_round(study, plan):
        for result in engine([_job(plan, trial, study, out) for trial in running]):
            _keep(study, running, result)
            watch(_finished(study), plan.trials)
    finished = [trial for trial in study.get_trials() if trial.state.is_finished()]
    return write_report(plan, finished, out)


def _claim(out: Path, plan: Plan) -> None:
    """Make the folder this search's own. More trials may be added to one that is there."""
    identity = {
        "recipe": {k: v for k, v in plan.recipe.to_dict().items() if k != "data"},
        "space": to_table(plan.space),
        "together": plan.together,
        "seed": plan.seed,
        "data_fingerprint": open_corpus(plan.recipe.data).fingerprint,
    }
    record = out / "search.json"
    if record.is_file():
        if read_object(record, identity=dict)["identity"] != as_written(identity):
            raise InfofuseError(f"{out} holds another search: choose another --out, or remove it")
    elif out.exists() and holds_others(out):
        raise InfofuseError(f"{out} exists and is no search: choose another --out")
    write_json(record, {"identity": identity, "versions": versions()})


DATABASE = "study.db"


@contextlib.contextmanager
def _database(file: Path) -> Iterator[None]:
    """What is wrong with the database within the block is said in one sentence."""
    try:
        yield
    except Exception as error:
        origin: BaseException = error
        while origin.__cause__ is not None:
            origin = origin.__cause__
        if not isinstance(origin, sqlite3.Error):
            raise
        raise InfofuseError(
            f"{file} cannot be used: {origin}; see that the disk has room and allows files of its "
            f"size, or, if it is damaged, remove it: trials that are done are kept beside it"
        ) from error


def _storage(out: Path) -> "Study":
    try:
        optuna = importlib.import_module("optuna")
    except ImportError:
        raise missing("tuning is done by Optuna", "tune") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = f"sqlite:///{(out / DATABASE).resolve()}"
    return optuna.create_study(study_name="tune", storage=url, load_if_exists=True)


def _finished(study: "Study") -> int:
    return sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))


def _next_round(study: "Study", plan: Plan) -> list["FrozenTrial"]:
    """The trials of the round that is not done yet; those that were begun keep their choices."""

    begin = _finished_rounds(study, plan)
    end = min(begin + plan.together, plan.trials)
    for number in range(len(study.get_trials(deepcopy=False)), end):
        study.add_trial(_begun(study, plan, number))
    return [t for t in study.get_trials()[begin:end] if not t.state.is_finished()]


def _begun(study: "Study", plan: Plan, number: int) -> "FrozenTrial":
    """The next trial with all its choices, so that the storage never has one with some of them."""
    import optuna

    seed = np.random.SeedSequence([plan.seed, number]).generate_state(1)[0]
    copy = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=int(seed)))
    copy.add_trials(study.get_trials()[: number // plan.together * plan.together])
    ranges = distributions(plan.space)
    choices = copy.ask(ranges).params
    running = optuna.trial.TrialState.RUNNING
    return optuna.trial.create_trial(state=running, params=choices, distributions=ranges)


def _finished_rounds(study: "Study", plan: Plan) -> int:
    """How many trials stand in rounds that are done."""
    states = [trial.state.is_finished() for trial in study.get_trials(deepcopy=False)]
    unfinished = states.index(False) if False in states else len(states)
    return unfinished // plan.together * plan.together


def _job(plan: Plan, trial: "FrozenTrial", study: "Study", out: Path) -> Job:
    """The trial's recipe, and the finished trials of earlier rounds to be measured against."""
    recipe = chosen(plan.recipe, trial.params)
    begin = trial.number // plan.together * plan.together
    earlier = [t for t in study.get_trials()[:begin] if t.state.name == "COMPLETE"]
    rivals = tuple(dict(t.intermediate_values) for t in earlier)
    folder = (out / "trials" / f"{trial.number:04d}").resolve()
    return Job(trial.number, recipe.to_dict(), str(folder), rivals)


def _keep(study: "Study", running: Sequence["FrozenTrial"], result: Result) -> None:
    """Write the result into the storage, from where it was left if this was begun before."""
    import optuna

    frozen = next(t for t in running if t.number == result.number)
    trial = optuna.trial.Trial(study, frozen._trial_id)
    for step in result.course.keys() - frozen.intermediate_values.keys():
        trial.report(result.course[step], step)
    for name, value in _facts(result).items():
        trial.set_user_attr(name, value)
    state = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}[result.state]
    study.tell(result.number, result.regret, state=optuna.trial.TrialState[state])


def _facts(result: Result) -> dict[str, Any]:
    return {
        "valid": result.valid,
        "epochs": result.epochs,
        "seconds": result.seconds,
        "reason": result.reason,
    }
