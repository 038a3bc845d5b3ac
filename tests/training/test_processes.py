"""Several processes that share each batch train the weights of one."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from infofuse.data import Corpus, open_corpus
from infofuse.data.store import write_store
from infofuse.data.synthetic import synthesize
from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.training import TrainConfig, resolve, train
from infofuse.training.processes import LOST, launch, rank
from infofuse.training.share import Share
from infofuse.types import Batch, Output, Padded, Ragged

EF_LSTM = {"text_encoder": "features", "hidden": 8, "dropout": 0.0}
SELF_MM = {"fusion_dropout": 0.0, "audio_dropout": 0.0, "vision_dropout": 0.0}
RECIPES: dict[str, dict[str, Any]] = {
    "supervised": {"paper": "ef_lstm", "model": EF_LSTM},
    "mmim": {"paper": "mmim", "model": {"text_encoder": "features", "dropout": 0.0}},
    "self_mm": {"paper": "self_mm", "model": {"text_encoder": "features", **SELF_MM}},
    "mdm": {"paper": "mdm", "model": {"backbone": "ef_lstm", "options": EF_LSTM}},
}
# The last batch of an epoch has one clip: fewer than there are processes.
TRAIN = {"batch_size": 9, "modality_dropout": 0.2, "accumulate": 2, "lr": 3e-4}
EPOCHS, MANY = 2, 6


def run(data: Path, out: Path, devices: int, epochs: int, *names: str) -> None:
    """Train these recipes, with snapshots after every epoch."""
    corpus = open_corpus(data)
    for name in names:
        tables = {"data": "given", "seeds": [5], "train": {**TRAIN, "epochs": epochs}}
        recipe = resolve(tables | RECIPES[name])
        train(recipe, out / name, corpus=corpus, test=False, devices=devices, snapshot_seconds=0.0)


def start(*arguments: object, launcher: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """This file as a program that does `run`: Fabric starts it again in the other processes."""
    words = [sys.executable, *launcher, __file__, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, stderr=subprocess.PIPE, env=environment)


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors.decode()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """46 training clips, with features for words too and a sixth of the frames."""
    small, rng = synthesize("demo", 3, ["train=46", "valid=16", "test=4"]), np.random.default_rng(0)
    spec = dataclasses.replace(small.spec, features={"text": 6, **small.spec.features})
    splits = {}
    for name, clips in small.splits.items():
        words = [rng.normal(size=(len(t.split()), 6)).astype(np.float32) for t in clips.texts]
        frames = {m: Ragged.of([x[::6] for x in column]) for m, column in clips.features.items()}
        features = {"text": Ragged.of(words), **frames}
        splits[name] = dataclasses.replace(clips, features=features)
    folder = tmp_path_factory.mktemp("clips") / "data"
    write_store(Corpus(spec, splits), folder)
    return folder


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone")
    run(data, out, 1, EPOCHS, *RECIPES)
    return out


@pytest.fixture(scope="module")
def both(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("both")
    finish(start(data, out, 2, EPOCHS, *RECIPES))
    return out


def assert_same_training(one: Path, other: Path) -> None:
    """The same weights of the best epoch, and the same history."""
    a, b = (load_file(run / "seed-5/checkpoint/model.safetensors") for run in (one, other))
    torch.testing.assert_close(dict(a), dict(b), rtol=1e-5, atol=1e-5)
    histories = (read_json(run / "seed-5/history.json") for run in (one, other))
    for left, right in zip(*histories, strict=True):
        assert left.keys() == right.keys()
        for name in left.keys() - {"seconds"}:
            assert left[name] == pytest.approx(right[name], abs=1e-5), name


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_train_the_weights_of_one(name: str, alone: Path, both: Path) -> None:
    assert_same_training(alone / name, both / name)
    metrics = [read_json(out / name / "seed-5/metrics.json") for out in (alone, both)]
    assert metrics[0]["epoch"] == metrics[1]["epoch"]


def test_what_is_found_of_each_clip_is_the_same(alone: Path, both: Path) -> None:
    one, two = (read_json(out / "self_mm/seed-5/training_clips.json") for out in (alone, both))
    assert one.pop("id") == two.pop("id")
    labels = {name: np.array(values, float) for name, values in one.items()}
    for name, values in labels.items():
        assert np.allclose(values, np.array(two[name], float), atol=1e-5, equal_nan=True), name
    assert np.nanmax(np.abs(labels["text"] - labels["multimodal"])) > 0.1  # they have moved


def test_three_processes_of_torchrun_do_too(data: Path, alone: Path, tmp_path: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "3")
    finish(start(data, tmp_path, 3, EPOCHS, "self_mm", launcher=launcher))
    assert_same_training(alone / "self_mm", tmp_path / "self_mm")


def test_a_lost_process_ends_the_others_and_the_run_goes_on(data: Path, tmp_path: Path) -> None:
    broken = start(data, tmp_path / "broken", 2, MANY, "supervised")
    seed, deadline = tmp_path / "broken/supervised/seed-5", time.monotonic() + 300
    while not list(seed.glob("state/epoch-*")):
        assert broken.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(int((tmp_path / "broken/1.pid").read_text()), signal.SIGKILL)
    _, errors = broken.communicate(timeout=120)
    assert broken.returncode not in (0, -signal.SIGKILL)
    assert errors.decode().count(LOST) == 1
    assert len(read_json(seed / "history.json")) < MANY
    run(data, tmp_path / "broken", 1, MANY, "supervised")  # in one process, as well as in two
    run(data, tmp_path / "whole", 1, MANY, "supervised")
    assert_same_training(tmp_path / "broken/supervised", tmp_path / "whole/supervised")


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    """A process group of this process alone."""
    meeting = (tmp_path / "meeting").as_uri()
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


class Noise(torch.nn.Module):
    """What it predicts is drawn at random."""

    def forward(self, batch: Batch) -> Output:
        drawn = torch.rand(len(batch), 1)
        return Output(drawn, {"fused": drawn}, {})


@pytest.mark.usefixtures("group")
def test_what_a_model_draws_is_its_own_and_is_drawn_anew_where_a_run_goes_on() -> None:
    batch = Batch({"audio": Padded(torch.ones(4, 2, 1), torch.tensor([1, 2, 2, 1]))},
                  torch.zeros(4, 1), torch.arange(4))  # fmt: skip
    model = Noise()
    share = Share(model, torch.device("cpu"))
    drawn = []
    for epoch in (1, 2, 1):
        share.begin_epoch(7, epoch)
        torch.manual_seed(3)
        first, second = (model(batch).prediction for _ in range(2))
        assert not first.equal(second)
        assert torch.rand(5).equal(torch.rand(5, generator=torch.Generator().manual_seed(3)))
        drawn.append(first)
    assert drawn[0].equal(drawn[2])
    assert not drawn[0].equal(drawn[1])


@pytest.mark.parametrize(
    ("devices", "sentence"),
    [
        (0, "at least one process; found --devices 0"),
        (1, "3 processes of this run have been started.*give --devices 3"),
        (2, "3 processes of this run have been started.*give --devices 3"),
    ],
)
def test_what_cannot_be_started_is_refused(
    devices: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(InfofuseError, match=sentence):
        launch(TrainConfig(), devices)


@pytest.mark.parametrize("device", ["tpu", "tpus"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(InfofuseError, match=f"train.device is '{device}', not to be had: "):
        launch(TrainConfig(device=device))


if __name__ == "__main__":
    torch.set_num_threads(1)
    _, here, there, devices, epochs, *names = sys.argv
    Path(there).mkdir(exist_ok=True)
    (Path(there) / f"{rank()}.pid").write_text(str(os.getpid()))
    try:
        run(Path(here), Path(there), int(devices), int(epochs), *names)
    except InfofuseError as error:
        sys.exit(str(error))
