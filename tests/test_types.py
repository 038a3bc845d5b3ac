"""Ragged sequences, clips and batches."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from infofuse.types import Batch, Clips, Padded, Ragged, Sample


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.integers(1, 3))
def test_ragged_keeps_its_sequences(lengths: list[int], width: int) -> None:
    parts = [np.full((n, width), i, np.float32) for i, n in enumerate(lengths)]
    ragged = Ragged.of(parts)
    assert len(ragged) == len(parts)
    assert ragged.width == width
    np.testing.assert_array_equal(ragged.lengths, lengths)
    for i, part in enumerate(parts):
        np.testing.assert_array_equal(ragged[i], part)
    back = ragged.take(range(len(parts))[::-1])
    np.testing.assert_array_equal(back.lengths, lengths[::-1])


def test_clips_from_samples() -> None:
    samples = [
        Sample("a", {"audio": np.ones((2, 3), np.float32)}, "good", 1.5, "v"),
        Sample("b"),
    ]
    clips = Clips.of(samples, {"audio": 3})
    assert clips.features["audio"].lengths.tolist() == [2, 0]
    assert clips.labels[0, 0] == 1.5
    assert np.isnan(clips.labels[1, 0])
    assert clips.take([1, 0]).ids == ["b", "a"]
    assert clips.take([]).features["audio"].width == 3


def test_only_makes_the_others_absent() -> None:
    padded = Padded(torch.ones(2, 3, 4), torch.tensor([3, 1]))
    batch = Batch({"audio": padded, "text": padded}, torch.zeros(2, 1), torch.arange(2))
    assert padded.mask.tolist() == [[True, True, True], [True, False, False]]
    only = batch.only(["text"])
    assert only.inputs["text"].present.all()
    assert not only.inputs["audio"].present.any()
    assert batch.inputs["audio"].present.all()
