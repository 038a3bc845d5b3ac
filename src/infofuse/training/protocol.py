"""The test split is locked: it is read here, and every reading is counted in the run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import nn

from infofuse.data.corpus import Corpus
from infofuse.data.loader import Loader
from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError
from infofuse.files import read_json, write_json
from infofuse.models import columns
from infofuse.tasks import Task
from infofuse.training import checkpoint
from infofuse.training.floors import floors
from infofuse.training.predict import BATCH, predict
from infofuse.training.processes import rank
from infofuse.training.recipe import read_recipe
from infofuse.types import Clips, Json


def is_run(path: Path) -> bool:
    """Whether there are checkpoints in a folder."""
    return bool(_checkpoints(path))


def find_checkpoints(path: Path) -> list[Path]:
    """The checkpoint folders of a run's seeds, of one seed, or the folder itself.

    Raises InfofuseError where there is none.
    """
    found = _checkpoints(path)
    if not found:
        raise InfofuseError(f"{path} holds no checkpoint: give a run, or a seed's folder of it")
    return found


def _checkpoints(path: Path) -> list[Path]:
    for folder in (path, path / "checkpoint"):
        if (folder / "config.json").is_file():
            return [folder]
    return sorted(path.glob("seed-*/checkpoint"))


def find_checkpoint(path: Path) -> Path:
    """The one checkpoint there. Raises InfofuseError where several seeds leave a choice."""
    seeds = find_checkpoints(path)
    if len(seeds) > 1:
        names = ", ".join(s.parent.name for s in seeds)
        raise InfofuseError(f"{path} holds several checkpoints ({names}): name one of them")
    return seeds[0]


def data_of(folder: Path) -> Path:
    """The data that a run's checkpoint was trained on, as its recipe names it.

    Raises InfofuseError if it is not there.
    """
    recipe = folder.parent.parent / "recipe.toml"
    data = Path(read_recipe(recipe)["data"]) if recipe.is_file() else None
    if data is None or not data.exists():
        raise InfofuseError(
            f"the data that {folder.parent} was trained on is not where its recipe says "
            f"({data or 'it has none'}): name the data set after the run"
        )
    return data


def open_split(corpus: Corpus, split: str, run: Path) -> Clips:
    """The clips of a split; opening "test" is counted in `run/openings.json` before it is read."""
    clips = corpus.split(split)
    if split == "test" and rank() == 0:  # once, however many processes open it
        record = run / "openings.json"
        before = read_json(record) if record.is_file() else []
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(record, [*before, {"time": now, "data": corpus.fingerprint}])
    return clips


def openings(run: Path) -> int:
    """How often the test split was opened for this run."""
    record = run / "openings.json"
    return len(read_json(record)) if record.is_file() else 0


def task_for(config: Json, corpus: Corpus) -> Task:
    """What a checkpoint of this configuration was trained to do, by which it is scored on any data.

    Raises InfofuseError if the data's labels are not of the kind that the model predicts.
    """
    spec = checkpoint.spec_of(config)
    if corpus.spec.outputs != spec.outputs:
        raise InfofuseError(
            f"the data has {corpus.spec.outputs} label columns and the model predicts "
            f"{spec.outputs}: use data with the labels it was trained on"
        )
    if corpus.spec.classes != spec.classes:
        raise InfofuseError(
            f"the data's classes are {list(corpus.spec.classes)} and the model's "
            f"{list(spec.classes)}: use data with the labels it was trained on"
        )
    return spec.task


def evaluate(folder: Path, corpus: Corpus, split: str = "test") -> dict[str, Any]:
    """Scores of a checkpoint on a split of a corpus, and what they were computed on.

    Raises InfofuseError if the data does not fit the model.
    """
    config = checkpoint.read_config(folder)
    spec, task = checkpoint.spec_of(config), task_for(config, corpus)
    model = checkpoint.load(folder)
    clips = open_split(corpus, split, folder.parent)
    prediction = predictions(model, clips)
    return {
        "split": split,
        "clips": len(clips),
        "scores": task.score(prediction, clips.labels),
        "metric": task.primary,
        "floors": floors(corpus, split),
        "test_openings": openings(folder.parent),
        "same_data": corpus.fingerprint == config.get("data_fingerprint"),
        "missing": _missing(spec, corpus.spec),
        "prediction": dict(zip(clips.ids, prediction.tolist(), strict=True)),
        "answer": dict(zip(clips.ids, task.answer(prediction).tolist(), strict=True)),
    }


def predictions(model: nn.Module, clips: Clips) -> Any:
    """The model's prediction for each clip, (n, `Task.width`)."""
    return predict(model, Loader(columns(model, clips), clips.labels, BATCH))


def _missing(spec: DataSpec, found: DataSpec) -> list[str]:
    return [name for name in spec.modalities if name not in found.modalities]
