"""Shapley values: efficiency, absence, additivity, and the definition over all orders."""

from dataclasses import replace
from itertools import permutations
from math import factorial

import numpy as np
import pytest
import torch
from torch import nn

from infofuse import papers
from infofuse.analysis.attribution import Attribution, attribute
from infofuse.config import from_table
from infofuse.data import Corpus
from infofuse.models import columns, fit_inputs
from infofuse.training.predict import predict_subsets, subsets
from infofuse.types import Clips


@pytest.fixture(scope="module")
def model(small_corpus: Corpus, tiny_bert: str) -> nn.Module:
    torch.manual_seed(0)
    paper = papers.get("mmim")
    config = from_table(paper.Config, {"text_encoder": tiny_bert}, "model")
    built, _ = paper.build(config, small_corpus.spec)
    fit_inputs(built, small_corpus.split("train"))
    return built.eval()


def shapley(model: nn.Module, clips: Clips) -> Attribution:
    return attribute(predict_subsets(model, columns(model, clips)))


def test_values_sum_to_what_the_modalities_change(model: nn.Module, small_corpus: Corpus) -> None:
    found = shapley(model, small_corpus.split("valid"))
    assert list(found.values) == ["text", "audio", "vision"]
    assert len(found.predictions) == 8
    total = sum(found.values.values())
    np.testing.assert_allclose(total, found.whole - found.predictions[()], atol=1e-5)
    assert all(np.abs(v).max() > 1e-4 for v in found.values.values())


def test_values_are_mean_gains_over_all_orders(model: nn.Module, small_corpus: Corpus) -> None:
    found = shapley(model, small_corpus.split("valid"))
    names = tuple(found.values)
    for name in names:
        gains = np.zeros_like(found.whole)
        for order in permutations(names):
            before = [m for m in names if m in order[: order.index(name)]]
            after = tuple(m for m in names if m in (*before, name))
            gains += found.predictions[after] - found.predictions[tuple(before)]
        np.testing.assert_allclose(found.values[name], gains / factorial(3), atol=1e-6)


def test_what_a_clip_lacks_adds_nothing(model: nn.Module, small_corpus: Corpus) -> None:
    clips = small_corpus.split("valid")
    audio = clips.features["audio"]
    gone = audio.take([]).values
    silent = replace(
        clips, features=clips.features | {"audio": type(audio)(gone, audio.offsets * 0)}
    )
    found = shapley(model, silent)
    assert (found.values["audio"] == 0).all()
    np.testing.assert_allclose(found.alone("audio"), found.predictions[()])


def test_subsets() -> None:
    assert list(subsets("ab")) == [(), ("a",), ("b",), ("a", "b")]
