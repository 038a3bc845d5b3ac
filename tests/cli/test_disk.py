"""A disk that takes no more: one sentence and status 2, and the same command goes on.

`ulimit -f` stands for the full disk, as it needs no disk of its own.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w

from helpers import infofuse
from infofuse.data import Corpus
from infofuse.data.store import write_store

BEYOND = "a file grew beyond the largest that is allowed here"


def limited(kilobytes: int, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A verb that may write no file larger than this."""
    command = f'ulimit -f {kilobytes}; exec "$@"'
    verb = [sys.executable, "-m", "infofuse", *map(str, words)]
    return subprocess.run(
        ["bash", "-c", command, "bash", *verb], capture_output=True, text=True, cwd=cwd
    )


@pytest.fixture
def folder(small_corpus: Corpus, tmp_path: Path) -> Path:
    """With data, a recipe of one small run, and a study of it."""
    write_store(small_corpus, tmp_path / "data")
    model = {"modalities": ["audio"], "hidden": 200, "layers": 1}
    tables = {"model": model, "train": {"epochs": 1}, "seeds": [1]}
    run = tables | {"paper": "ef_lstm", "data": str(tmp_path / "data")}
    (tmp_path / "run.toml").write_text(tomli_w.dumps(run))
    study = tables | {
        "title": "One", "baseline": "one", "analyse": False,
        "data": {"made": {"path": str(tmp_path / "data")}}, "rows": {"one": {"paper": "ef_lstm"}},
    }  # fmt: skip
    (tmp_path / "study.toml").write_text(tomli_w.dumps(study))
    return tmp_path


@pytest.mark.parametrize(
    ("kilobytes", "words", "sentence"),
    [
        (300, "train run.toml --out out", BEYOND),
        (300, "tune run.toml --out out --trials 1 --set model.hidden=400", BEYOND),
        (20, "tune run.toml --out out --trials 1", "study.db cannot be used: "),
        (20, "convert data out", BEYOND),
        (20, "synth out", BEYOND),
    ],
)
def test_a_file_that_may_not_grow_is_one_sentence(
    kilobytes: int, words: str, sentence: str, folder: Path
) -> None:
    done = limited(kilobytes, *words.split(), cwd=folder)
    assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
    assert done.stderr.count("\n") == 1
    if words.startswith("t"):
        again = infofuse(*words.split(), cwd=folder)
        assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_cell_of_a_study_that_finds_no_room_is_not_called_a_mistake_of_ours(
    jobs: int, folder: Path
) -> None:
    done = limited(300, "study", "study.toml", "--out", "out", "--jobs", jobs, cwd=folder)
    assert BEYOND in done.stderr
    assert "a mistake of infofuse" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert infofuse("study", "study.toml", "--out", "out", cwd=folder).returncode == 0


def test_a_damaged_database_is_one_sentence_and_trials_are_kept(folder: Path) -> None:
    words = ("tune", "run.toml", "--out", "out", "--trials", "1", "--set", "model.hidden=4")
    assert infofuse(*words, cwd=folder).returncode == 0
    trial = folder / "out/trials/0000.json"
    before = trial.stat().st_mtime_ns
    (folder / "out/study.db").write_bytes(b"no database" * 1000)
    done = infofuse(*words, cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "study.db cannot be used: file is not a database" in done.stderr
    (folder / "out/study.db").unlink()
    assert infofuse(*words, cwd=folder).returncode == 0
    assert trial.stat().st_mtime_ns == before
