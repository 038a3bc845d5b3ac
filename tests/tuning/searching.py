"""A small search, and what of its result is to be the same however it is run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infofuse.training import resolve
from infofuse.tuning import tune
from infofuse.tuning.space import space_from
from infofuse.tuning.trial import Job, Result, run_trial

SPACE = {
    "train.lr": {"low": 1e-4, "high": 3e-2, "log": True},
    "model.dropout": {"low": 0.0, "high": 0.5},
    "model.hidden": [4, 8],
}
TRIALS, EPOCHS = 12, 4


def tables(data: Path) -> dict[str, Any]:
    model = {"modalities": ["audio"], "hidden": 4, "layers": 1}
    train = {"epochs": EPOCHS, "batch_size": 8}
    return {"paper": "ef_lstm", "data": str(data), "model": model, "train": train}


def here(jobs: Sequence[Job]) -> Iterator[Result]:
    """The trials in this process, one after the other."""
    yield from map(run_trial, jobs)


def backwards(jobs: Sequence[Job]) -> Iterator[Result]:
    yield from map(run_trial, reversed(jobs))


def search(data: Path, out: Path, engine: Any = here, trials: int = TRIALS) -> dict[str, Any]:
    recipe = resolve(tables(data))
    space = space_from(SPACE, recipe)
    return tune(recipe, out, space=space, trials=trials, together=3, engine=engine)


def essence(found: dict[str, Any]) -> list[dict[str, Any]]:
    """All of every trial but its seconds."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in found["trials"]]
