"""Critics that learn by inner steps, and the meter that watches: strategies of the one loop."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from helpers import Killed
from infofuse import papers
from infofuse.data import Corpus
from infofuse.data.loader import Loader
from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.measures import BarberAgakov, GaussianInformation, MutualDependency
from infofuse.models import columns, fit_inputs
from infofuse.objectives import Maximize, Objective, Sum, Supervised
from infofuse.objectives.objective import Apart
from infofuse.training import resolve, train
from infofuse.training.loop import Trainer, TrainingData, Workplace
from infofuse.training.meter import Meter
from infofuse.training.observer import History, Observer, Step
from infofuse.types import Output

STEPS, BATCHES, EPOCHS = 3, 3, 4
VIEWS = ("audio", "vision")


def tables(**training: object) -> dict[str, object]:
    model = {"modalities": VIEWS, "alpha": 0.0, "beta": 0.0}
    training = {"epochs": EPOCHS, "patience": EPOCHS, "batch_size": 16, **training}
    return {"paper": "mmim", "data": "given", "model": model, "train": training}


def trainer(corpus: Corpus, folder: Path, *more: Objective, **training: object) -> Trainer:
    """Two modalities, with a critic of their dependence that takes inner steps."""
    torch.manual_seed(5)
    recipe = resolve(tables(modality_dropout=0.2, **training))
    model, _ = papers.get("mmim").build(recipe.model, corpus.spec)
    dependency = MutualDependency([recipe.model.width] * 2, hidden=8)
    inner = Maximize(VIEWS, dependency, 0.1, fit="inner", steps=STEPS, name="mdm")
    objective = Sum(Supervised(corpus.spec.task), inner, *more)
    parts = [corpus.split(name) for name in ("train", "valid")]
    fit_inputs(model, parts[0])
    loaders = [Loader(columns(model, part), part.labels, 16, seed=5) for part in parts]
    data, workplace = TrainingData(*loaders, corpus.spec), Workplace(folder, snapshot_seconds=0.0)
    return Trainer(model, objective, data, recipe, workplace, History(folder))


def weights(made: Trainer) -> dict[str, Tensor]:
    return {**made.raw_model.state_dict(), **made.objective.state_dict()}


def steps_of(made: Trainer, fit: Apart) -> set[int]:
    """How many steps each of these estimators' parameters has taken."""
    state = made.estimators.optimizer.state
    return {int(state[p]["step"]) for p in made.objective.estimators(fit)}


def test_a_run_killed_between_inner_steps_ends_in_equal_bits(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    whole = trainer(small_corpus, tmp_path / "whole")
    whole.fit()
    broken = trainer(small_corpus, tmp_path / "broken")

    class Killing(Observer):
        def step(self, step: Step) -> None:
            if (step.epoch, step.done) == (3, 1):
                raise Killed

    broken.observer = Killing()
    with pytest.raises(Killed):
        broken.fit()
    again = trainer(small_corpus, tmp_path / "broken")
    again.fit()
    assert again.progress.epoch == EPOCHS
    assert all(weights(whole)[name].equal(value) for name, value in weights(again).items())


def test_the_critic_takes_its_steps_and_no_other(small_corpus: Corpus, tmp_path: Path) -> None:
    made = trainer(small_corpus, tmp_path)
    made.fit()
    assert steps_of(made, "inner") == {STEPS * BATCHES * EPOCHS}
    critic = {id(p) for p in made.objective.estimators("inner")}
    assert not critic & {id(p) for group in made.main.param_groups for p in group["params"]}
    history = read_json(tmp_path / "history.json")
    assert all({"inner", "mdm"} <= epoch.keys() for epoch in history)
    assert "estimators" not in history[0]


def test_both_kinds_of_estimators_learn_beside_one_another(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    per_epoch = Maximize(VIEWS, BarberAgakov(16, 16, hidden=8), fit="epoch", name="ba")
    made = trainer(small_corpus, tmp_path, per_epoch, epochs=1)
    made.fit()
    assert steps_of(made, "epoch") == {BATCHES}
    assert steps_of(made, "inner") == {STEPS * BATCHES}


def test_the_meter_is_written_down_and_changes_nothing(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    names = ["GaussianInformation", "CovarianceGap"]
    for folder, measured in (("plain", []), ("measured", names)):
        recipe = resolve(tables(epochs=2, measure=measured))
        train(recipe, tmp_path / folder, corpus=small_corpus, test=False)
    plain, measured = (
        read_json(tmp_path / folder / "seed-1111/history.json") for folder in ("plain", "measured")
    )
    for before, after in zip(plain, measured, strict=True):
        added = {k: v for k, v in after.items() if k not in before}
        assert added.keys() == {
            "measured_GaussianInformation(audio;vision)",
            "measured_GaussianInformation(audio;fused)",
            "measured_GaussianInformation(vision;fused)",
            "measured_CovarianceGap(audio;vision)",  # "fused" is of another width
        }
        assert all(value > 0 for value in added.values())
        assert all(after[k] == before[k] for k in before if k != "seconds")
    sizes = [(tmp_path / folder / "curves.png").stat().st_size for folder in ("plain", "measured")]
    assert sizes[0] < sizes[1]


def test_the_meter_reads_clips_that_have_both_views() -> None:
    views = {name: torch.randn(30, 3) for name in VIEWS}
    there = torch.arange(30) >= 10
    meter = Meter(["GaussianInformation"])
    for rows in (slice(0, 12), slice(12, 30)):
        part = {name: view[rows] for name, view in views.items()}
        meter.watch(Output(torch.zeros(len(there[rows]), 1), part, {"audio": there[rows]}))
    expected = GaussianInformation()(views["audio"][10:], views["vision"][10:]).item()
    found = meter.read()
    assert found == {"measured_GaussianInformation(audio;vision)": pytest.approx(expected)}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("GaussianInfo", "unknown measure 'GaussianInfo'; did you mean 'GaussianInformation'"),
        ("InfoNCE", "InfoNCE fits a network.*infofuse measure --estimator InfoNCE"),
    ],
)
def test_measures_that_do_not_fit_are_refused(name: str, sentence: str) -> None:
    with pytest.raises(InfofuseError, match=sentence):
        resolve(tables(measure=[name]))
