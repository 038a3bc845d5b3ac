"""Trackers: TensorBoard's files say what history.json says."""

from pathlib import Path

import pytest

from infofuse.data import Corpus
from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.training import resolve, train


def test_tensorboard_is_told_every_epoch(small_corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tables = {
        "paper": "lf_dnn",
        "data": "given",
        "model": {"modalities": ["audio"]},
        "train": {"epochs": 2, "batch_size": 16},
    }
    train(resolve(tables), tmp_path, corpus=small_corpus, log="tensorboard")
    seed = tmp_path / "seed-1111"
    events = EventAccumulator(str(seed / "tensorboard")).Reload()
    history = read_json(seed / "history.json")
    told = [(e.step, e.value) for e in events.Scalars("valid/mae")]
    assert told == [(h["epoch"], pytest.approx(h["valid_mae"])) for h in history]
    assert "train/loss" in events.Tags()["scalars"]
    with pytest.raises(InfofuseError, match="did you mean 'tensorboard'"):
        train(resolve(tables), tmp_path / "b", corpus=small_corpus, log="tensorbord")
