"""infofuse extract, as a user meets it."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from helpers import Call
from infofuse.data import open_corpus

ALONE = ("--audio", "descriptors", "--vision", "none", "--text", "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three sounds, one of them damaged, and their labels."""
    for i in range(3):
        with wave.open(str(tmp_path / f"c_{i}.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            at = np.arange(4000) / 16_000
            file.writeframes((9000 * np.sin(2 * np.pi * (150 + 50 * i) * at)).astype("<i2"))
    (tmp_path / "c_1.wav").write_bytes(b"no sound")
    rows = ["id,label,split", "c_0,1,train", "c_1,0,train", "c_2,-1,test"]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    return tmp_path


def test_done_with_findings(folder: Path, call: Call) -> None:
    out = folder / "store"
    words = ("extract", folder, "--labels", folder / "labels.csv", "--out", out, *ALONE)
    status, said, _ = call(*words)
    assert status == 1
    assert f"Written to {out}: train 1, test 1 clips." in said
    assert f"FAILED c_1: {folder}/c_1.wav cannot be read as sound or video" in said
    assert "--overwrite" in said
    status, _, error = call(*words)
    assert status == 2
    assert "exists; name a new folder" in error
    (folder / "c_1.wav").unlink()
    files = (folder / "c_0.wav", folder / "c_2.wav")
    follow = ("extract", *files, "--recipe", out, "--out", folder / "next", "--json")
    status, said, _ = call(*follow)
    assert status == 0
    facts = json.loads(said)
    assert facts["failed"] == {}
    assert facts["store"] == str(folder / "next")
    assert sum(facts["clips"].values()) == 2
    assert facts["kept"] is None
    first, second = open_corpus(out), open_corpus(folder / "next")
    assert first.spec.extraction == second.spec.extraction


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--audio", "mfcc"), "unknown audio extractor 'mfcc'"),
        (("--recipe", "none.toml"), "none.toml cannot be read as a recipe"),
        (("--labels", "none.csv"), "there is no file none.csv"),
        (("--fps", "0"), "fps is 0.0; above 0 and up to 60"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    folder: Path,
    words: tuple[str, ...],
    why: str,
    call: Call,
) -> None:
    command = ("extract", folder, "--out", folder / "store", *ALONE, *words)
    status, _, error = call(*command)
    assert status == 2
    assert why in error
    assert len(error.strip().splitlines()) == 1
