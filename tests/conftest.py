"""What every test may use: seeds, one torch thread a worker, and the real data where it is.

Puts `helpers` and the scripts of docs/house within reach of all of them.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "docs" / "house"))

from helpers import Call
from infofuse.cli import main
from infofuse.data import Corpus
from infofuse.data.synthetic import synthesize

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is read from, or left in, the cache of whoever runs the tests."""
    os.environ["INFOFUSE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout (or at $INFOFUSE_SHARED); skips without it."""
    folder = Path(os.environ.get("INFOFUSE_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the real data, and there is no {folder / 'data'}")
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a two-layer BERT of random weights and the real tokenizer: quick to train."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    from infofuse.encoders.pretrained import minilm_folder

    folder = tmp_path_factory.mktemp("tiny-bert")
    torch.manual_seed(7)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    BertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def small_corpus() -> Corpus:
    """A generated corpus of 48 / 16 / 16 clips in three modalities."""
    return synthesize("demo", 3, ["train=48", "valid=16", "test=16"])


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A verb in this process: its exit status, standard output and standard error."""

    def verb(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["infofuse", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return verb


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; skips without it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("needs Chromium, such as Debian's (or set $CHROMIUM)")
    quiet = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    ]  # fmt: skip
    with playwright.sync_playwright() as engine:
        started = engine.chromium.launch(executable_path=chromium, args=quiet)
        yield started
        started.close()
