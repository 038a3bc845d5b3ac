"""A small trained run on all three modalities, with a dependency penalty."""

from pathlib import Path

import pytest

from infofuse.data import Corpus
from infofuse.predict import Predictor
from infofuse.training import resolve, train


@pytest.fixture(scope="session")
def run(small_corpus: Corpus, tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("predict") / "run"
    tables = {
        "paper": "lf_dnn",
        "data": "given",
        "model": {"text_encoder": tiny_bert},
        "plus": {"mdm": {}},
        "train": {"epochs": 1, "batch_size": 16, "lr": 3e-3},
    }
    train(resolve(tables), out, corpus=small_corpus)
    return out


@pytest.fixture(scope="session")
def predictor(run: Path) -> Predictor:
    return Predictor.load(run, confidence=0.8)
