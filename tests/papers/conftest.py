"""What the papers' tests share: a batch of three feature modalities, made by hand."""

import pytest
import torch

from infofuse.data import DataSpec
from infofuse.types import Batch, Padded

WIDTHS = {"text": 6, "audio": 3, "vision": 4}
LENGTHS = {"text": [4, 7, 2], "audio": [9, 3, 5], "vision": [6, 6, 1]}


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
