"""Puts `searching` within reach of the tests beside it, and holds the data of its search."""

import sys
from pathlib import Path

import pytest

from infofuse.data import Corpus
from infofuse.data.store import write_store
from infofuse.data.synthetic import synthesize

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training and validation clips alone: whoever asks for a test split is refused."""
    corpus = synthesize("demo", 3, ["train=24", "valid=8", "test=2"])
    splits = {name: corpus.split(name) for name in ("train", "valid")}
    folder = tmp_path_factory.mktemp("clips") / "data"
    write_store(Corpus(corpus.spec, splits), folder)
    return folder
