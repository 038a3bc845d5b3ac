"""Alignment: interval means restated in loops, and nothing changed that is aligned already."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.fusion import align
from infofuse.types import Padded


def sequences(lengths: list[int], width: int, seed: int) -> Padded:
    """Random frames, and other numbers beyond them."""
    draw = torch.randn(len(lengths), max(1, *lengths), width, generator=_generator(seed))
    return Padded(draw, torch.tensor(lengths))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def restated(frames: np.ndarray, steps: int) -> np.ndarray:
    """Step by step: the mean of an interval's frames, or the frame it begins in."""
    n = len(frames)
    rows = []
    for k in range(steps):
        begin, end = k * n // steps, (k + 1) * n // steps
        rows.append(frames[begin : max(end, begin + 1)].mean(0))
    return np.stack(rows)


lengths = st.lists(st.integers(0, 9), min_size=3, max_size=3)


@given(text=lengths, audio=lengths)
@settings(max_examples=40, deadline=None)
def test_each_step_is_the_mean_of_its_interval(text: list[int], audio: list[int]) -> None:
    given = {"text": sequences(text, 2, 0), "audio": sequences(audio, 3, 1)}
    aligned = align(given)
    for i, (t, a) in enumerate(zip(text, audio, strict=True)):
        steps = t or a
        for name, frames in aligned.items():
            assert frames.lengths[i] == steps
            assert not frames.values[i, steps:].any()
            present = int(given[name].lengths[i])
            found = frames.values[i, :steps].numpy()
            if present and steps:
                expected = restated(given[name].values[i, :present].numpy(), steps)
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
            assert present or not found.any()


def test_aligned_sequences_come_back_to_the_bit() -> None:
    given = {"text": sequences([4, 2], 2, 0), "audio": sequences([4, 2], 3, 1)}
    for name, frames in align(given).items():
        torch.testing.assert_close(frames.values[0], given[name].values[0], rtol=0, atol=0)
        torch.testing.assert_close(frames.values[1, :2], given[name].values[1, :2], rtol=0, atol=0)


def test_without_the_base_the_longest_modality_decides() -> None:
    given = {"vision": sequences([4, 2], 2, 0), "audio": sequences([3, 7], 3, 1)}
    assert align(given)["audio"].lengths.tolist() == [4, 7]


def test_gradient_is_that_of_means() -> None:
    audio = sequences([6], 1, 0)
    audio.values.requires_grad_()
    align({"text": sequences([2], 1, 1), "audio": audio})["audio"].values[0, 1].sum().backward()
    assert audio.values.grad is not None
    torch.testing.assert_close(audio.values.grad[0, :, 0], torch.tensor([0, 0, 0, 1, 1, 1]) / 3)
