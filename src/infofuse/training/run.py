"""A run: one recipe, several seeds, each trained, selected on validation, tested once."""

import contextlib
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infofuse.data.corpus import Corpus, open_corpus
from infofuse.data.loader import Loader
from infofuse.environment import versions
from infofuse.errors import InfofuseError
from infofuse.files import (
    alone,
    as_written,
    holds_others,
    number,
    read_json,
    read_object,
    remove_folder,
    write_json,
    write_text,
)
from infofuse.models import columns
from infofuse.objectives import Objective
from infofuse.training.calibration import calibrate
from infofuse.training.curves import draw
from infofuse.training.floors import floors as floors_of
from infofuse.training.loop import SNAPSHOT_SECONDS, Trainer, TrainingData, Workplace
from infofuse.training.observer import History, Observer, Observers
from infofuse.training.prepare import prepare
from infofuse.training.processes import launch, rank, together
from infofuse.training.protocol import evaluate, open_split
from infofuse.training.recipe import GIVEN, Recipe
from infofuse.training.state import STATE
from infofuse.training.tracking import tracker
from infofuse.types import Clips

if TYPE_CHECKING:
    from lightning_fabric import Fabric

CHOSEN_BY_TEST = {"protocol": "release", "chosen_by": "test"}
"""What metrics say where the epoch was chosen by the test split."""

Floors = dict[str, dict[str, dict[str, float]]]
"""Scores by split, floor and metric."""

PER_CLIP = "training_clips.json"
"""The file of a seed's folder with what the objective found out about each training clip."""


def train(
    recipe: Recipe,
    out: str | Path,
    *,
    corpus: Corpus | None = None,
    test: bool = True,
    observers: Sequence[Observer] = (),
    snapshot_seconds: float = SNAPSHOT_SECONDS,
    log: str = "",
    devices: int = 1,
    floors: bool = True,
) -> dict[str, Any]:
    """Train every seed of a recipe into a folder, and return what `metrics.json` there says.

    Each seed's checkpoint is chosen by its validation score alone; then, unless `test` is off,
    the test split is opened once and scored. Started again on the same folder, finished seeds are
    kept and a killed one goes on. corpus: the data, if it is open already. observers: are told of
    the run as it goes (`infofuse.training.observer`). log: the name of a tracker that is told, too
    (`infofuse.training.tracking`). devices: processes that share each batch; the command is started
    again in each (`infofuse.training.processes`), the first one writes, and all return the same.
    floors: whether the scores of a constant and of a linear model
    are computed beside, once all seeds are done (`infofuse.training.floors`).

    Raises InfofuseError if the folder holds a run of another recipe or other data, and if another
    process writes to it.
    """
    out = Path(out)
    if recipe.protocol == "release" and not test:
        raise InfofuseError('protocol "release" chooses by the test split and cannot leave it out')
    if corpus is None and recipe.data == GIVEN and not Path(GIVEN).exists():
        raise InfofuseError("the recipe names no data: give corpus=, or data=")
    corpus = open_corpus(recipe.data) if corpus is None else corpus
    if test and "test" not in corpus.splits:
        raise InfofuseError(
            "the data has no test split: leave out the test (--no-test, or test=False), or give "
            "data that has one"
        )
    _check_labels(corpus, ("train", recipe.chosen_by, *(("test",) if test else ())))
    with alone(out) if rank() == 0 else contextlib.nullcontext():
        if rank() == 0:
            _claim(out, recipe, corpus)
        fabric = launch(recipe.train, devices)
        first = fabric.is_global_zero
        told = Observers([*observers, tracker(log)] if first else [])
        with together(fabric):
            for seed in recipe.seeds:
                folder = out / f"seed-{seed}"
                if _is_done(folder, test):
                    if first:
                        _clear(folder)
                else:
                    train_seed(recipe, corpus, seed, folder, told, snapshot_seconds, fabric)
                    if test and first:
                        _test_seed(folder, corpus)
            if first:
                _write_summary(recipe, corpus, out, _floors(corpus, test) if floors else {})
            fabric.barrier()
    return summarise(recipe, corpus, out) | {"floors": _kept_floors(out)}


def _check_labels(corpus: Corpus, splits: Sequence[str]) -> None:
    """Raises InfofuseError if a split that is there has no label to learn from or to score by."""
    for name in splits:
        if name in corpus.splits and corpus.unlabelled(name):
            otherwise = ", or leave out the test (--no-test, or test=False)"
            raise InfofuseError(
                f"no clip of split {name!r} has a label, and this run needs some: add them to the "
                f"data{otherwise if name == 'test' else ''}"
            )


def _floors(corpus: Corpus, test: bool) -> Floors:
    """Once the seeds are done, so that nothing is read of the test split before."""
    return {split: floors_of(corpus, split) for split in ("valid", *(["test"] if test else []))}


def _kept_floors(out: Path) -> Floors:
    kept = read_json(out / "metrics.json")["floors"]
    return {
        split: {name: {m: number(v) for m, v in scores.items()} for name, scores in found.items()}
        for split, found in kept.items()
    }


def _write_summary(recipe: Recipe, corpus: Corpus, out: Path, found: Floors) -> None:
    write_json(out / "metrics.json", summarise(recipe, corpus, out) | {"floors": found})
    draw({s: read_json(out / f"seed-{s}/history.json") for s in recipe.seeds}, out / "curves.png")


def _claim(out: Path, recipe: Recipe, corpus: Corpus) -> None:
    """Make the folder this run's own. More seeds may be added to a run that is there.

    One that has begun no seed, since its first model could not be built, is taken over.
    """
    identity, seeds = identity_of(recipe, corpus.fingerprint), list(recipe.seeds)
    record = out / "run.json"
    if record.is_file():
        if any(out.glob("seed-*")):
            refuse_another(out, identity)
    elif out.exists() and holds_others(out):
        raise InfofuseError(f"{out} exists and is no run: choose another --out")
    write_json(record, {"identity": identity, "seeds": seeds, "versions": versions()})
    write_text(out / "recipe.toml", recipe.to_toml())


def identity_of(recipe: Recipe, fingerprint: str) -> dict[str, Any]:
    """What makes two runs the same but for their seeds: all of the recipe, and the data's clips."""
    identity = recipe.to_dict() | {"data_fingerprint": fingerprint}
    return {k: v for k, v in identity.items() if k not in ("data", "seeds")}


def refuse_another(out: Path, identity: dict[str, Any]) -> None:
    """Raise InfofuseError if the run in this folder is another one."""
    before = read_object(out / "run.json", identity=dict)["identity"]
    identity = as_written(identity)
    if before != identity:
        raise InfofuseError(
            f"{out} holds another run ({_difference(before, identity)}): choose another --out, "
            f"or remove it"
        )


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """The first key in which two runs differ."""
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict) and old != new:
            return f"{key}.{_difference(old, new)}"
        if old != new:
            return f"{key} is {old!r} there and {new!r} here"
    return "no difference"


def _clear(folder: Path) -> None:
    """Remove the snapshots of a finished seed that was killed while it removed them."""
    remove_folder(folder / STATE)


def _is_done(folder: Path, test: bool) -> bool:
    if not (folder / "metrics.json").is_file():
        return False
    return not test or "test" in read_object(folder / "metrics.json")


def _write_per_clip(objective: Objective, clips: Clips, path: Path) -> None:
    """What the objective found out about each training clip, if it did, as of the last epoch."""
    found = {name: values.tolist() for name, values in objective.per_clip().items()}
    if found:
        write_json(path, {"id": list(clips.ids), **found})


def train_seed(
    recipe: Recipe,
    corpus: Corpus,
    seed: int,
    folder: Path,
    observer: Observer | None = None,
    snapshot_seconds: float = SNAPSHOT_SECONDS,
    fabric: "Fabric | None" = None,
) -> None:
    """Train one seed into a folder, where `metrics.json` then has its validation scores.

    It reads the training split and the one that the epoch is chosen by, and no other. observer: is
    told of the training, and may end it by an exception.
    """
    if (folder / "metrics.json").is_file():
        if fabric is None or fabric.is_global_zero:
            _clear(folder)
        return
    _check_labels(corpus, ("train", recipe.chosen_by))
    observer = observer or Observer()
    observer.seed_begins(seed, recipe.seeds, folder)
    training = corpus.split("train")
    model, objective = prepare(recipe, corpus.spec, training, seed)
    first = fabric is None or fabric.is_global_zero
    if first:
        folder.mkdir(parents=True, exist_ok=True)  # from now on the run's folder is not taken over
    validation = open_split(corpus, recipe.chosen_by, folder)
    size = recipe.train.batch_size
    steps = recipe.train.max_steps
    data = TrainingData(
        Loader(columns(model, training), training.labels, size, seed, max_steps=steps),
        Loader(columns(model, validation), validation.labels, 2 * size),
        corpus.spec,
    )
    facts = {"seed": seed, "data_fingerprint": corpus.fingerprint, "versions": versions()}
    workplace = Workplace(folder, facts, snapshot_seconds)
    told = Observers([History(folder), observer] if first else [])
    trainer = Trainer(model, objective, data, recipe, workplace, told, fabric)
    progress = trainer.fit()
    if not trainer.writes:
        return
    calibrate(folder / "checkpoint", corpus.split("valid"))
    best = progress.history[progress.best_epoch - 1]
    facts = {
        "seed": seed,
        "epoch": progress.best_epoch,
        "epochs": progress.epoch,
        "seconds": round(sum(e["seconds"] for e in progress.history), 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        **({"valid": _scores(best, "valid")} if recipe.protocol == "honest" else CHOSEN_BY_TEST),
    }
    _write_per_clip(objective, training, folder / PER_CLIP)
    write_json(folder / "metrics.json", facts)
    trainer.state.clear()


def _scores(record: dict[str, Any], split: str) -> dict[str, float]:
    """An epoch's scores on a split, by metric."""
    return {k.removeprefix(f"{split}_"): v for k, v in record.items() if k.startswith(f"{split}_")}


def _test_seed(folder: Path, corpus: Corpus) -> None:
    result = evaluate(folder / "checkpoint", corpus)
    metrics = read_object(folder / "metrics.json")
    metrics |= {"test": result["scores"], "test_openings": result["test_openings"]}
    write_text(folder / "test_predictions.csv", _table(result, corpus))
    write_json(folder / "metrics.json", metrics)


def _table(result: dict[str, Any], corpus: Corpus) -> str:
    """Truth and prediction of each test clip, in the labels' terms, as CSV."""
    clips = corpus.split("test")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    outputs = clips.labels.shape[1]
    suffixes = [""] if outputs == 1 else [f"_{k}" for k in range(outputs)]
    rows.writerow(["id", *(f"{what}{k}" for k in suffixes for what in ("label", "prediction"))])
    for clip, label in zip(clips.ids, clips.labels, strict=True):
        pairs = zip(label.tolist(), result["answer"][clip], strict=True)
        rows.writerow([clip, *(f"{value:.6g}" for pair in pairs for value in pair)])
    return text.getvalue()


def summarise(recipe: Recipe, corpus: Corpus, out: Path) -> dict[str, Any]:
    """The seeds' metrics side by side, with mean and standard deviation over them."""
    seeds = {str(s): read_object(out / f"seed-{s}" / "metrics.json") for s in recipe.seeds}
    return {
        "paper": recipe.paper,
        **(CHOSEN_BY_TEST if recipe.protocol == "release" else {}),
        "data": {"name": corpus.spec.name, "fingerprint": corpus.fingerprint},
        "metric": corpus.spec.task.primary,
        "seeds": seeds,
        "summary": {
            split: _spread([s[split] for s in seeds.values()])
            for split in ("valid", "test")
            if all(split in s for s in seeds.values())
        },
        "versions": versions(),
    }


def _spread(scores: list[dict[str, float | None]]) -> dict[str, dict[str, float]]:
    """Mean and sample standard deviation of each metric; NaN where a seed has none."""
    columns = {name: np.array([number(s[name]) for s in scores]) for name in scores[0]}
    return {
        name: {
            "mean": float(values.mean()),
            "sd": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        }
        for name, values in columns.items()
    }
