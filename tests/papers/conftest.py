"""Puts `tiny` within reach of the tests beside it, and holds what they share."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from infofuse.data import Corpus, DataSpec
from infofuse.types import Batch, Padded, Ragged

sys.path.append(str(Path(__file__).parent))

WIDTHS = {"text": 6, "audio": 3, "vision": 4}
LENGTHS = {"text": [4, 7, 2], "audio": [9, 3, 5], "vision": [6, 6, 1]}


@pytest.fixture(scope="session")
def corpus(small_corpus: Corpus) -> Corpus:
    """The small corpus with features of its words, a random vector each, and a third of frames."""
    rng = np.random.default_rng(0)
    words = sorted({w for c in small_corpus.splits.values() for t in c.texts for w in t.split()})
    vectors = dict(zip(words, rng.normal(size=(len(words), 12)).astype(np.float32), strict=True))
    features = {"text": 12, **small_corpus.spec.features}
    splits = {}
    for name, clips in small_corpus.splits.items():
        column = Ragged.of([np.stack([vectors[w] for w in t.split()]) for t in clips.texts])
        thinned = {m: Ragged.of([x[::3] for x in r]) for m, r in clips.features.items()}
        splits[name] = dataclasses.replace(clips, features={"text": column, **thinned})
    return Corpus(dataclasses.replace(small_corpus.spec, features=features), splits)


@pytest.fixture(params=["words", "features"])
def text(request: pytest.FixtureRequest, tiny_bert: str) -> str:
    """Both text encoders: of words, and of the features that came with the data."""
    return tiny_bert if request.param == "words" else "features"


@pytest.fixture
def three() -> DataSpec:
    """Features of words, audio and vision, one label."""
    return DataSpec("three", WIDTHS)


@pytest.fixture
def batch() -> Batch:
    """Three clips with every modality, of different lengths, and noise beyond them."""
    generator = torch.Generator().manual_seed(3)
    inputs = {
        m: Padded(
            torch.randn(3, max(lengths), WIDTHS[m], generator=generator), torch.tensor(lengths)
        )
        for m, lengths in LENGTHS.items()
    }
    return Batch(inputs, torch.tensor([[1.0], [-2.0], [0.5]]), torch.arange(3))
