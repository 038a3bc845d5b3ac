"""Every paper's model as an ONNX graph: it answers as the checkpoint does, whatever is missing."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tiny import batch_of, build, tiny

import infofuse
from infofuse import papers
from infofuse.data import Corpus
from infofuse.export import export_onnx
from infofuse.training import checkpoint
from infofuse.training.recipe import Recipe
from infofuse_runtime import Runtime

CASES = [(paper, "words") for paper in papers.names()] + [("mag", "features"), ("misa", "features")]


@pytest.mark.parametrize(("paper", "text"), CASES)
def test_answers_as_the_checkpoint(
    paper: str, text: str, corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    encoder = tiny_bert if text == "words" else text
    model, objective = build(paper, corpus.spec, encoder)
    batch_of(model, corpus, size=2)  # fits the scale of its features
    recipe = Recipe(paper, "given", tiny(paper, encoder))
    checkpoint.save(tmp_path / "run", model, objective, recipe, corpus.spec, {})
    facts = export_onnx(tmp_path / "run", tmp_path / "out")
    assert facts["parity"]["largest_difference"] < 1e-5
    clips = corpus.split("test")
    without_text = dataclasses.replace(clips, texts=[""] * len(clips))
    runtime = Runtime.load(tmp_path / "out", threads=1)
    features = {m: list(clips.features[m]) for m in runtime.modalities if m != "text"}
    words = clips.texts
    if text == "features":
        features["text"], words, without_text = list(clips.features["text"]), None, None
    expected = infofuse.predictions(model.eval(), clips)
    np.testing.assert_allclose(runtime(words, features), expected, atol=1e-5)
    if without_text is not None:
        expected = infofuse.predictions(model, without_text)
        np.testing.assert_allclose(runtime(None, features), expected, atol=1e-5)
