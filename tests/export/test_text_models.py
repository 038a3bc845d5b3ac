"""Text encoders that are no BERT export too, and say the same without torch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import CONFIG_MAPPING, AutoModel, AutoTokenizer

import infofuse
from infofuse.data import Corpus
from infofuse.encoders.pretrained import minilm_folder
from infofuse.export import export_onnx
from infofuse.training import resolve, train
from infofuse_runtime import Runtime

KINDS: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": 32, "n_layer": 1, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0},
    "mpnet": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_its_answers_are_those_of_the_checkpoint(
    kind: str, small_corpus: Corpus, tmp_path: Path
) -> None:
    config = CONFIG_MAPPING[kind](vocab_size=30522, **KINDS[kind])
    AutoModel.from_config(config).save_pretrained(tmp_path / "model")
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(tmp_path / "model")
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"text_encoder": str(tmp_path / "model"), "max_tokens": 40},
        "train": {"epochs": 1, "max_steps": {"audio": 5}},
    }
    train(resolve(tables), tmp_path / "run", corpus=small_corpus, test=False)
    export_onnx(tmp_path / "run", tmp_path / "out")
    clips = small_corpus.splits["valid"]
    features = {m: list(column) for m, column in clips.features.items()}
    found = Runtime.load(tmp_path / "out", threads=1)(list(clips.texts), features)
    model = infofuse.load(tmp_path / "run/seed-1111/checkpoint")
    assert np.abs(found - infofuse.predictions(model, clips)).max() <= 1e-4
    assert np.ptp(found) > 1e-3
