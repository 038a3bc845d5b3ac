"""infofuse explain, and infofuse measure --shared-private, on a run."""

import json
from pathlib import Path

import pytest

from helpers import Call
from infofuse.data import Corpus
from infofuse.data.store import write_store
from infofuse.training import resolve, train


@pytest.fixture(scope="module")
def run(small_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    write_store(small_corpus, folder / "data")
    tables = {
        "paper": "self_mm",
        "data": str(folder / "data"),
        "model": {"modalities": ["audio", "vision"]},
        "train": {"epochs": 3, "batch_size": 16},
    }
    train(resolve(tables), folder / "run")
    return folder / "run"


@pytest.fixture
def said(call: Call):
    def say(*words: object) -> str:
        status, out, err = call(*words)
        assert status == (2 if err else 0)
        return out or err

    return say


def test_labels_are_shown_counted_and_written(run: Path, said, tmp_path: Path) -> None:
    shown = said("explain", run, "--clips", 3)
    assert "generated minus human" in shown
    assert max(map(len, shown.splitlines())) <= 80
    content = json.loads(said("explain", run, "--json", "--out", tmp_path / "labels.csv"))
    assert content["drift"][0]["clips"] == 48
    assert len(content["labels"]["audio"]) == 48
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 49


def test_agreement_with_human_labels(run: Path, said, tmp_path: Path) -> None:
    labels = json.loads(said("explain", run, "--json"))["labels"]
    human = {i: {"audio": y} for i, y in zip(labels["id"], labels["audio"], strict=True)}
    (tmp_path / "human.json").write_text(json.dumps(human))
    (found,) = json.loads(said("explain", run, "--human", tmp_path / "human.json", "--json"))[
        "agreement"
    ]
    assert (found["modality"], found["clips"], found["mae"]) == ("audio", 48, 0)
    assert found["offset_corr"] == pytest.approx(1)
    assert "with human labels" in said("explain", run, "--human", tmp_path / "human.json")
    (tmp_path / "human.json").write_text('{"?": {"text": 1.0}}')
    assert ", … and 28 more" in said("explain", run, "--human", tmp_path / "human.json")
    assert "--clips" in said("explain", run, "--clips", -1)
    (tmp_path / "human.json").write_text('{"a": 1}')
    assert "something else than labels" in said("explain", run, "--human", tmp_path / "human.json")
    assert "should end in .csv" in said("explain", run, "--out", "x.txt")


def test_shared_and_private_before_and_after(run: Path, said, tmp_path: Path) -> None:
    words = ("measure", run, "--shared-private", "--split", "train")
    shown = said(*words)
    assert "audio → vision" in shown
    assert max(map(len, shown.splitlines())) <= 80
    content = json.loads(said(*words, "--out", tmp_path / "p.png", "--json"))
    assert content.keys() == {"split", "before", "after"}
    assert content["before"] != content["after"]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "at least 20 clips" in said("measure", run, "--shared-private")
    assert "leave out --estimator" in said(*words, "--estimator", "KSG")
    (run / "recipe.toml").write_text('data = "elsewhere"')
    assert "not where its recipe says (elsewhere)" in said(*words)
