"""The test split stays shut: it cannot change a run, and every opening is counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from infofuse.data import Corpus
from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.training import evaluate, load, predictions, resolve, train
from infofuse.training.protocol import find_checkpoint
from infofuse.training.recipe import Recipe
from infofuse.types import Clips, Ragged


def recipe(tiny_bert: str, **training: object) -> Recipe:
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"text_encoder": tiny_bert},
        "train": {"epochs": 2, "batch_size": 16, **training},
    }
    return resolve(tables)


def poisoned(clips: Clips) -> Clips:
    features = {m: Ragged(r.values * 1e6, r.offsets) for m, r in clips.features.items()}
    return replace(clips, labels=-clips.labels, features=features, texts=["?"] * len(clips))


def test_another_test_split_gives_the_same_model(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    other = replace(
        small_corpus,
        splits={**small_corpus.splits, "test": poisoned(small_corpus.split("test"))},
    )
    runs = {}
    for name, corpus in (("as it is", small_corpus), ("poisoned", other)):
        runs[name] = train(recipe(tiny_bert), tmp_path / name, corpus=corpus)
    a, b = (load_file(tmp_path / name / "seed-1111/checkpoint/model.safetensors") for name in runs)
    assert all(a[k].equal(b[k]) for k in a)
    valid, test = (
        [run["seeds"]["1111"][split]["mae"] for run in runs.values()] for split in ("valid", "test")
    )
    assert valid[0] == valid[1]
    assert test[0] != test[1]


def test_a_metric_that_is_undefined_has_no_mean_over_seeds(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    test = small_corpus.split("test")
    alike = replace(test, labels=np.ones_like(test.labels))  # correlates with nothing
    corpus = replace(small_corpus, splits={**small_corpus.splits, "test": alike})
    both = replace(recipe(tiny_bert, epochs=1), seeds=(1, 2))
    found = train(both, tmp_path, corpus=corpus)["summary"]["test"]
    assert np.isnan([found["corr"]["mean"], found["corr"]["sd"]]).all()
    maes = [read_json(tmp_path / f"seed-{seed}/metrics.json")["test"]["mae"] for seed in (1, 2)]
    assert found["mae"] == pytest.approx({"mean": np.mean(maes), "sd": np.std(maes, ddof=1)})


def test_openings_are_counted_and_can_be_left_out(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    metrics = train(recipe(tiny_bert, epochs=1), tmp_path, corpus=small_corpus, test=False)
    assert list(metrics["summary"]) == ["valid"]
    seed = tmp_path / "seed-1111"
    assert not (seed / "openings.json").exists()
    metrics = train(recipe(tiny_bert, epochs=1), tmp_path, corpus=small_corpus)
    assert metrics["seeds"]["1111"]["test_openings"] == 1
    again = evaluate(find_checkpoint(tmp_path), small_corpus)
    assert again["test_openings"] == 2 == len(read_json(seed / "openings.json"))
    assert again["scores"] == metrics["seeds"]["1111"]["test"]
    assert evaluate(find_checkpoint(tmp_path), small_corpus, "valid")["test_openings"] == 2


def test_data_without_a_test_split_is_refused_before_anything_is_trained(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    splits = {name: clips for name, clips in small_corpus.splits.items() if name != "test"}
    untestable = replace(small_corpus, splits=splits)
    with pytest.raises(InfofuseError, match=r"no test split: .*--no-test, or test=False\)"):
        train(recipe(tiny_bert, epochs=1), tmp_path / "run", corpus=untestable)
    assert not (tmp_path / "run").exists()
    metrics = train(recipe(tiny_bert, epochs=1), tmp_path / "run", corpus=untestable, test=False)
    assert list(metrics["summary"]) == ["valid"]


def test_a_recipe_that_names_no_data_is_given_some(tmp_path: Path) -> None:
    with pytest.raises(InfofuseError, match="names no data: give corpus=, or data="):
        train(recipe("any"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_selection_is_by_unrounded_validation_mae(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    metrics = train(recipe(tiny_bert, epochs=4), tmp_path, corpus=small_corpus)["seeds"]["1111"]
    assert {p.name for p in (tmp_path / "seed-1111").iterdir()} == {
        "checkpoint", "history.json", "metrics.json", "openings.json", "test_predictions.csv",
    }  # fmt: skip
    history = read_json(tmp_path / "seed-1111/history.json")
    maes = [epoch["valid_mae"] for epoch in history]
    assert metrics["epoch"] == 1 + int(np.argmin(maes))
    clips = small_corpus.split("valid")
    model = load(tmp_path / "seed-1111/checkpoint")
    errors = np.abs(predictions(model, clips) - clips.labels)
    assert metrics["valid"]["mae"] == min(maes) == pytest.approx(errors.mean(), abs=1e-6)


def test_data_without_a_modality_is_scored_and_said(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    train(recipe(tiny_bert, epochs=1), tmp_path, corpus=small_corpus, test=False)
    spec = replace(small_corpus.spec, features={"audio": small_corpus.spec.features["audio"]})
    test = small_corpus.split("test")
    bare = replace(test, features={"audio": test.features["audio"]})
    result = evaluate(find_checkpoint(tmp_path), Corpus(spec, {"test": bare}))
    assert result["missing"] == ["vision"]
    assert not result["same_data"]
    assert np.isfinite(result["scores"]["mae"])


def test_where_there_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no checkpoint"):
        find_checkpoint(tmp_path)
    for seed in ("1", "2"):
        (tmp_path / f"seed-{seed}/checkpoint").mkdir(parents=True)
    with pytest.raises(ValueError, match="seed-1, seed-2"):
        find_checkpoint(tmp_path)
