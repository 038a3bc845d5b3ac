"""Frozen text encoders: equal to the encoder itself, computed once, and found again."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from infofuse.data import Corpus
from infofuse.data.loader import Loader, pad
from infofuse.encoders import FrozenSequence, FrozenText, TextEncoder, TextSequence
from infofuse.training import evaluate, resolve, train
from infofuse.types import Clips, Sample

TEXTS = ("it was really good", "the worst film that i have ever seen in my life", "", "fine")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFOFUSE_CACHE", str(tmp_path / "cache"))


def clips(n: int = 4) -> Clips:
    return Clips.of([Sample(str(i), text=TEXTS[i % 4]) for i in range(n)], {})


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_vectors_are_those_of_the_encoder(
    tiny_bert: str, pooling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infofuse.encoders.frozen.BATCH", 2)
    monkeypatch.setattr("infofuse.encoders.frozen.WINDOW", 3)
    plain = TextEncoder(tiny_bert, pooling=pooling).eval()  # type: ignore[arg-type]
    frozen = FrozenText(TextEncoder(tiny_bert, pooling=pooling)).train()  # type: ignore[arg-type]
    x = pad(frozen.column(clips(9)), np.arange(9))
    assert x.present.tolist() == [i % 4 != 2 for i in range(9)]
    with torch.no_grad():
        expected = plain(pad(plain.column(clips(9)), np.arange(9)))
    found = frozen(x)
    torch.testing.assert_close(found[x.present], expected[x.present], atol=1e-6, rtol=1e-5)
    assert not found[~x.present].any()
    assert not any(p.requires_grad for p in frozen.parameters())


def test_states_are_those_of_the_encoder(tiny_bert: str) -> None:
    plain, frozen = TextSequence(tiny_bert).eval(), FrozenSequence(TextSequence(tiny_bert))
    tokens = plain.column(clips())
    found = frozen(pad(frozen.column(clips()), np.arange(4)))
    with torch.no_grad():
        expected = plain(pad(tokens, np.arange(4)))
    assert torch.equal(found.lengths, expected.lengths)
    mask = found.mask
    torch.testing.assert_close(found.values[mask], expected.values[mask], atol=1e-6, rtol=1e-5)


def test_an_encoder_runs_once_and_again_with_other_weights(
    tiny_bert: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    states = TextEncoder.forward
    monkeypatch.setattr(TextEncoder, "forward", lambda self, x: runs.append(1) or states(self, x))
    for _ in range(2):
        FrozenText(TextEncoder(tiny_bert)).column(clips())
    assert len(runs) == 1
    FrozenText(TextEncoder(tiny_bert, pooling="mean")).column(clips())
    FrozenText(TextEncoder(tiny_bert)).column(clips(3))
    other = TextEncoder(tiny_bert)
    nn.init.normal_(next(other.parameters()))
    FrozenText(other).column(clips())
    assert len(runs) == 4


def test_texts_are_tokenised_once(tiny_bert: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = TextEncoder(tiny_bert).column(clips())
    again = TextEncoder(tiny_bert)
    monkeypatch.setattr(again, "_tokenize", lambda texts: pytest.fail("tokenised again"))
    np.testing.assert_array_equal(again.column(clips()).values, first.values)
    assert TextEncoder(tiny_bert, max_tokens=4).column(clips()).lengths.max() == 4
    assert len(again.column(clips(0))) == 0


def test_a_paper_with_a_frozen_encoder_trains_and_is_loaded(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"text_encoder": tiny_bert, "freeze_text": True},
        "train": {"epochs": 1, "max_steps": {"audio": 5}},
    }
    with caplog.at_level(logging.WARNING, "infofuse"):
        metrics = train(resolve(tables), tmp_path / "run", corpus=small_corpus, test=False)
        score = evaluate(tmp_path / "run/seed-1111/checkpoint", small_corpus, "valid")["scores"]
    assert score["mae"] == pytest.approx(metrics["seeds"]["1111"]["valid"]["mae"], abs=1e-5)
    assert not caplog.text


def test_no_gradient_and_no_noise(tiny_bert: str) -> None:
    frozen = FrozenText(TextEncoder(tiny_bert)).train()
    loader = Loader({"text": frozen.column(clips())}, np.zeros((4, 1), np.float32), 4)
    a, b = (frozen(next(loader.epoch(1)).inputs["text"]) for _ in range(2))
    assert torch.equal(a, b)
    assert not a.requires_grad
