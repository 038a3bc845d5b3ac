"""A run on generated features with a dependency penalty, and one on features made from sounds."""

import wave
from pathlib import Path

import numpy as np
import pytest

from infofuse.data import Corpus
from infofuse.extract.folder import extract_folder
from infofuse.extract.recipe import FeatureRecipe, stage
from infofuse.predict import Predictor
from infofuse.training import resolve, train

RATE = 16_000
WORDS = ("it was great", "i hated it", "well", "")


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


def voice(path: Path, hz: float, seconds: float) -> None:
    """A buzz that rises and falls, as a .wav."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(hz * (1 + 0.1 * np.sin(2 * np.pi * time))) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 6)) * (0.6 + 0.4 * np.sin(5 * time))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((buzz * 8000).astype("<i2").tobytes())


def make_folder(folder: Path) -> None:
    """Twelve sounds with words, in three splits; the last has its words in subtitles beside it."""
    folder.mkdir()
    rows = ["id,label,split,text"]
    for i in range(12):
        voice(folder / f"clip{i:02d}.wav", 90 + 12 * i, 0.6 + 0.05 * i)
        split = ("train", "train", "valid", "test")[i % 4]
        if i < 11:
            rows.append(f"clip{i:02d},{(i % 7) - 3},{split},{WORDS[i % 4]}")
    subtitles = "1\n00:00:00,100 --> 00:00:00,500\nnot bad\n"
    (folder / "clip11.srt").write_text(subtitles)
    (folder.parent / "labels.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """clips/, the store made of them, and a run trained on it."""
    pytest.importorskip("av")
    folder = tmp_path_factory.mktemp("walk")
    make_folder(folder / "clips")
    recipe = FeatureRecipe(
        audio=stage("audio", "descriptors", hop=0.04), text=stage("text", "given", align=False)
    )
    extract_folder(folder / "clips", folder / "store", recipe, folder / "labels.csv")
    return folder


@pytest.fixture(scope="session")
def walked_run(folder: Path, tiny_bert: str) -> Path:
    tables = {
        "paper": "lf_dnn",
        "data": str(folder / "store"),
        "model": {"text_encoder": tiny_bert},
        "train": {"epochs": 1, "batch_size": 4},
    }
    train(resolve(tables), folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def walked(walked_run: Path) -> Predictor:
    return Predictor.load(walked_run)
