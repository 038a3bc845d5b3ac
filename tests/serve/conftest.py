"""A small model that serves, and services of it. Puts what the tests share within their reach."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infofuse.data.synthetic import synthesize
from infofuse.errors import InfofuseError
from infofuse.extract.recipe import FeatureRecipe, stage
from infofuse.predict import Predictor
from infofuse.training import resolve, train
from infofuse.types import Json

if TYPE_CHECKING:
    from services import Running

sys.path.append(str(Path(__file__).parent))

LIMITS = {
    "upload_bytes": 2**18,
    "json_bytes": 2**18,
    "clip_seconds": 30.0,
    "waiting": 12,
    "workers": 2,
    "header_seconds": 2.0,
    "body_seconds": 3.0,
    "answer_seconds": 20.0,
    "memory": 2**28,
}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_bert: str) -> Path:
    """A checkpoint with a dependency penalty, which reads clips where that can be done here."""
    sizes = ["train=64", "valid=32", "test=16", "audio_width=42", "vision_width=59"]
    made = synthesize("demo", 3, sizes)
    spec = replace(made.spec, extraction=_extraction())
    tables = {
        "paper": "mmim",
        "data": "given",
        "seeds": "1",
        "model": {"text_encoder": tiny_bert},
        "plus": {"mdm": {}},
        "train": {"epochs": 1},
    }
    out = tmp_path_factory.mktemp("served")
    train(resolve(tables), out, corpus=replace(made, spec=spec), test=False)
    return out / "seed-1"


def _extraction() -> Json | None:
    try:
        stages = {"audio": "descriptors", "vision": "face", "text": "given"}
        return FeatureRecipe(**{m: stage(m, name) for m, name in stages.items()}).to_json()
    except InfofuseError:
        return None


@pytest.fixture(scope="session")
def predictor(model: Path) -> Predictor:
    return Predictor.load(model)


@pytest.fixture(scope="session")
def service(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Running"]:
    """A service with a decoder that does what its clip says, and with small limits."""
    from services import strange

    with strange(model, tmp_path_factory.mktemp("strange"), limits=LIMITS) as running:
        yield running


@pytest.fixture(scope="session")
def guarded(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Running"]:
    """A service that others than this machine can reach, with room for two."""
    from services import TOKEN, strange

    folder, limits = tmp_path_factory.mktemp("guarded"), {"waiting": 2, "answer_seconds": 4.0}
    headers = {"authorization": f"Bearer {TOKEN}".encode()}
    with strange(model, folder, headers, host="0.0.0.0", token=TOKEN, limits=limits) as running:
        yield running


@pytest.fixture(scope="session")
def reader(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Running"]:
    """What `infofuse serve` runs, which reads real clips."""
    from services import served

    with served(model, tmp_path_factory.mktemp("reader")) as running:
        if running.client.get("/model").json()["clips"] is not None:
            pytest.skip("needs what reads clips: pip install 'infofuse[extract]'")
        yield running
