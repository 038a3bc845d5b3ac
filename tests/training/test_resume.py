"""A run that is killed at any moment goes on to the very bits of one that is not."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tomli_w
from safetensors.torch import load_file

from helpers import infofuse
from infofuse.data import Corpus
from infofuse.data.store import write_store
from infofuse.errors import InfofuseError
from infofuse.training import resolve, train

TRAIN = """
import sys
from infofuse.training import resolve, train
tables = {{"paper": "mmim", "data": {data!r}, "seeds": [5, 6],
           "model": {{"text_encoder": {text!r}}}, "train": {{"epochs": 6, "batch_size": 16}}}}
train(resolve(tables), {out!r}, snapshot_seconds=0)
"""


def start(data: Path, text: str, out: Path) -> subprocess.Popen[bytes]:
    code = TRAIN.format(data=str(data), text=text, out=str(out))
    return subprocess.Popen([sys.executable, "-c", code])


def kill_once(process: subprocess.Popen[bytes], sign: Path) -> None:
    """kill -9, as soon as the file or folder is there and a little later."""
    deadline = time.monotonic() + 120
    while not list(sign.parent.glob(sign.name)):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(0.03)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_killed_and_resumed_gives_equal_bits(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    write_store(small_corpus, data)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert start(data, tiny_bert, whole).wait() == 0
    for sign in ("seed-5/state/epoch-0002", "seed-5/state/.epoch-0004.new", "seed-6/state/epoch-*"):
        kill_once(start(data, tiny_bert, broken), broken / sign)
    assert start(data, tiny_bert, broken).wait() == 0
    for seed in ("seed-5", "seed-6"):
        a, b = (load_file(run / seed / "checkpoint/model.safetensors") for run in (whole, broken))
        assert a.keys() == b.keys()
        assert all(a[name].equal(b[name]) for name in a)
        one, two = (
            json.loads((run / seed / "metrics.json").read_text()) for run in (whole, broken)
        )
        one.pop("seconds"), two.pop("seconds")
        assert one == two
        assert not (broken / seed / "state").exists()
        assert sorted(p.name for p in (broken / seed).iterdir()) == sorted(
            p.name for p in (whole / seed).iterdir()
        )


AT_FIRST_RENAME = """
import os, signal, sys
rename = os.replace
def killed(*paths):
    os.kill(os.getpid(), signal.SIGKILL)
os.replace = killed
sys.argv = ["infofuse", *sys.argv[1:]]
from infofuse.cli import main
main()
"""
"""The command line, killed when its first file is written and has not got its name."""


@pytest.mark.parametrize("verb", ["train", "tune", "study"])
def test_killed_in_the_very_first_write_it_goes_on(
    verb: str, small_corpus: Corpus, tmp_path: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    write_store(small_corpus, data)
    model = {"modalities": ["audio"], "hidden": 4, "layers": 1}
    tables = {"model": model, "train": {"epochs": 1}, "seeds": [1]}
    one = {"paper": "ef_lstm"}
    if verb == "study":
        of_study = {"data": {"made": {"path": str(data)}}, "rows": {"one": one}, "analyse": False}
        tables |= of_study | {"baseline": "one", "title": "One"}
    else:
        tables |= one | {"data": str(data)}
    (tmp_path / "file.toml").write_text(tomli_w.dumps(tables))
    words = [verb, tmp_path / "file.toml", "--out", out]
    words += ["--trials", 1] if verb == "tune" else ["--jobs", 0] if verb == "study" else []
    killed = subprocess.run([sys.executable, "-c", AT_FIRST_RENAME, *map(str, words)])
    assert killed.returncode == -signal.SIGKILL
    assert [file.suffix for file in out.iterdir()] == [".new"]
    done = infofuse(*words)
    assert done.returncode == 0, done.stderr
    assert not list(out.glob(".*.new"))


def test_what_is_not_ours_is_never_taken_for_a_run(small_corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / ".run.json.new").touch()
    (tmp_path / "thesis.new").touch()
    tables = {"paper": "ef_lstm", "data": "given"}
    with pytest.raises(InfofuseError, match="exists and is no run"):
        train(resolve(tables), tmp_path, corpus=small_corpus)
    assert (tmp_path / "thesis.new").exists()


def test_snapshots_that_were_left_while_they_were_removed_do_no_harm(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    model = {"modalities": ["audio"], "hidden": 4, "layers": 1}
    tables = {"paper": "ef_lstm", "data": "given", "model": model, "train": {"epochs": 1}}
    before = train(resolve(tables), tmp_path / "run", corpus=small_corpus)
    seed = tmp_path / "run/seed-1111"
    for left in ("state", ".state.old"):
        (seed / left / "epoch-0001").mkdir(parents=True)  # without its progress.json
    again = train(resolve(tables), tmp_path / "run", corpus=small_corpus)
    assert again["seeds"] == before["seeds"]
    assert not {"state", ".state.old"} & {entry.name for entry in seed.iterdir()}


def test_finished_seeds_are_kept_and_more_may_be_added(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    def go(seeds: list[int], **changes: object) -> dict:
        tables = {
            "paper": "mmim",
            "data": "given",
            "seeds": seeds,
            "model": {"text_encoder": tiny_bert, **changes},
            "train": {"epochs": 1, "clip": float("inf")},  # JSON has no infinity
        }
        return train(resolve(tables), tmp_path / "run", corpus=small_corpus)

    with pytest.raises(ValueError, match="no text encoder could be loaded"):
        go([1], text_encoder="a slip", alpha=0.5)
    go([1])
    written = (tmp_path / "run/seed-1/checkpoint/model.safetensors").stat().st_mtime_ns
    metrics = go([1, 2])
    assert list(metrics["seeds"]) == ["1", "2"]
    assert (tmp_path / "run/seed-1/checkpoint/model.safetensors").stat().st_mtime_ns == written
    assert metrics["seeds"]["1"]["test_openings"] == 1
    with pytest.raises(ValueError, match=r"another run \(model.alpha is 0.3 there and 0.5 here\)"):
        go([1], alpha=0.5)
