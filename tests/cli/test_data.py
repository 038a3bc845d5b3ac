"""The verbs on data, as a user meets them: inspect, audit, convert, datasets, synth --like."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from helpers import Call, infofuse
from infofuse.data import Corpus, open_corpus, write_store

VERBS = ("inspect", "audit", "convert", "datasets", "synth")


@pytest.fixture
def store(small_corpus: Corpus, tmp_path: Path) -> Path:
    write_store(small_corpus, tmp_path / "corpus")
    return tmp_path / "corpus"


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    """A file in the layout of MMSA: a padded audio, a vision that is all zero, an id twice."""
    rng = np.random.default_rng(0)

    def part(n: int, name: str) -> dict[str, object]:
        audio = rng.normal(size=(n, 6, 5)).astype(np.float32)
        audio[:, 4:] = 0
        return {
            "id": [f"{name}{i // 4}$_${i}" for i in range(n)],
            "raw_text": [f"this is what clip {name} {i} says" for i in range(n)],
            "audio": audio,
            "vision": np.zeros((n, 3, 20), np.float32),
            "regression_labels": rng.uniform(-3, 3, n).astype(np.float32),
        }

    data = {s: part(n, s) for s, n in [("train", 12), ("valid", 4), ("test", 4)]}
    data["test"]["id"] = ["train0$_$0", *list(data["test"]["id"])[1:]]  # type: ignore[call-overload]
    path = tmp_path / "made_up.pkl"
    path.write_bytes(pickle.dumps(data, protocol=4))
    return path


def test_a_real_process_ends_with_status_1_on_an_error(pickled: Path) -> None:
    failed = infofuse("audit", pickled)
    assert failed.returncode == 1, failed.stderr
    assert failed.stderr == ""
    assert "error   duplicate ids: 1 ids are in more than one split." in failed.stdout


def test_inspect_says_what_is_there_and_what_is_not(pickled: Path, call: Call) -> None:
    status, out, _ = call("inspect", pickled)
    assert status == 0
    assert "made_up.pkl: mmsa" in out
    assert "vision: every clip is zero or NaN, left out" in out
    assert "(mosi-" in out  # audio of width 5
    assert max(map(len, out.splitlines()[1:])) <= 80
    status, out, _ = call("inspect", pickled, "--json")
    said = json.loads(out)
    assert said["format"] == "mmsa"
    assert said["clips"] == {"train": 12, "valid": 4, "test": 4}
    assert said["features"]["audio"]["lengths"] == {"min": 4, "median": 4, "p95": 4, "max": 4}


def test_convert_writes_the_same_corpus_and_replaces_only_what_it_may(
    pickled: Path,
    tmp_path: Path,
    call: Call,
) -> None:
    out = tmp_path / "out"
    status, said, _ = call("convert", pickled, out, "--json")
    assert status == 0
    assert json.loads(said)["fingerprint"] == open_corpus(pickled).fingerprint
    assert open_corpus(out).fingerprint == open_corpus(pickled).fingerprint
    assert open_corpus(out).notes == open_corpus(pickled).notes
    before = {file.name: file.read_bytes() for file in out.glob("[!.]*")}
    status, _, error = call("convert", pickled, out)
    assert (status, "ask for it to be overwritten" in error) == (2, True)
    status, said, _ = call("convert", out, out, "--overwrite")
    assert status == 0
    assert {file.name: file.read_bytes() for file in out.glob("[!.]*")} == before
    (tmp_path / "folder").mkdir()
    words = ("convert", pickled, tmp_path / "folder", "--overwrite")
    status, _, error = call(*words)
    assert (status, "is no store" in error) == (2, True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "made_up.pkl", "out"]


def test_audit_writes_json_and_a_page(store: Path, tmp_path: Path, call: Call) -> None:
    words = ("audit", store, "--as", "mosi", "--json", "--html", tmp_path / "page.html")
    status, out, _ = call(*words)
    said = json.loads(out)
    assert (status, said["passed"], said["compared_with"]) == (0, True, "CMU-MOSI")
    status, _, error = call("audit", store, "--as", "mosl")
    assert (status, "did you mean 'mosi'" in error) == (2, True)
    assert any(f["check"] == "counts" and f["severity"] == "warning" for f in said["findings"])
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_datasets_lists_them_and_says_how_to_get_one(call: Call) -> None:
    status, out, _ = call("datasets")
    assert status == 0
    assert "mosei: CMU-MOSEI" in out
    status, out, _ = call("datasets", "ravdess")
    assert "zenodo.org" in out
    assert max(map(len, out.splitlines())) <= 80
    status, out, _ = call("datasets", "mosi", "--json")
    assert len(json.loads(out)["splits"][0]["groups"]["test"]) == 31
    status, _, error = call("datasets", "mossi")
    assert (status, "did you mean 'mosi'" in error) == (2, True)


def test_synth_makes_a_twin(tmp_path: Path, call: Call) -> None:
    words = ("synth", tmp_path / "twin", "--like", "mosi-unaligned", "--scale", 0.01, "--json")
    status, out, _ = call(*words)
    assert status == 0
    assert json.loads(out)["clips"] == {"train": 13, "valid": 2, "test": 7}
    assert open_corpus(tmp_path / "twin").spec.features == {"text": 768, "audio": 5, "vision": 20}
    status, _, error = call(*words)
    assert (status, "exists; name a new folder" in error) == (2, True)
    assert call(*words, "--overwrite") == (0, out, "")
    for wrong in (("--preset", "demo"), ("--set", "train=3")):
        words = ("synth", tmp_path / "no", "--like", "pom-mfn", *wrong)
        status, _, error = call(*words)
        assert (status, "--like" in error) == (2, True)
    status, _, error = call("synth", tmp_path / "no", "--scale", 0.1)
    assert (status, "--scale" in error) == (2, True)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_eighty_columns(verb: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = call(verb, "--help")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "--json" in out


def test_doctor_says_that_a_split_has_no_labels(call: Call, tmp_path: Path) -> None:
    rows = "id,label,text,split\na,1,x,train\nb,-1,y,train\nc,,z,valid\nd,,z,test\n"
    (tmp_path / "clips.csv").write_text(rows)
    status, out, _ = call("doctor", tmp_path)
    assert status == 1
    assert "NO  labels of valid: no clip has one: training needs them" in out
    assert "labels of train" not in out
    assert "no test clip has a label: train with --no-test" in out
