"""Padded arrays become the ragged sequences that they were made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.data.layouts.padding import join, unpad, unpad_aligned
from infofuse.errors import InfofuseError


def sequences(lengths: list[int], width: int, seed: int) -> list[np.ndarray]:
    """Frames that may be zero within a sequence, and never at its ends."""
    rng = np.random.default_rng(seed)
    made = [rng.normal(size=(n, width)).astype(np.float32) for n in lengths]
    for x in made:
        x[1:-1][rng.random(max(0, len(x) - 2)) < 0.3] = 0
    return made


def pad(parts: list[np.ndarray], time: int, left: bool) -> np.ndarray:
    out = np.zeros((len(parts), time, parts[0].shape[1]), np.float32)
    for row, x in zip(out, parts, strict=True):
        row[time - len(x) if left else 0 : time if left else len(x)] = x
    return out


@settings(max_examples=100, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=8),
    left=st.booleans(),
    told=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_sequence_comes_back(lengths: list[int], left: bool, told: bool, seed: int) -> None:
    lengths = [*lengths, 3]  # one that shows on which side the padding is
    parts = sequences(lengths, 2, seed)
    given_lengths = {"train": np.array(lengths)} if told else {}
    found, notes = unpad("audio", {"train": pad(parts, 7, left)}, given_lengths)
    assert [len(x) for x in found["train"]] == lengths
    for x, y in zip(found["train"], parts, strict=True):
        np.testing.assert_array_equal(x, y)
    assert any("padded at the beginning" in note for note in notes) == left
    assert any("all zero or NaN in" in note for note in notes) == (0 in lengths)


def test_the_side_is_that_of_the_whole_modality() -> None:
    parts = sequences([2, 3, 4], 2, 0)
    full = sequences([5], 2, 1)  # shows no side of its own
    found, _ = unpad("audio", {"train": pad(parts, 5, True), "test": pad(full, 5, True)}, {})
    assert found["train"].lengths.tolist() == [2, 3, 4]
    assert found["test"].lengths.tolist() == [5]


def test_zero_frames_at_the_other_end_do_not_change_the_side() -> None:
    """In files aligned to BERT's tokens that of [CLS] is zero, and a clip may fill the array."""
    parts = sequences([6, 2, 3], 2, 0)
    for part in parts:
        part[0] = 0
    found, notes = unpad("audio", {"train": pad(parts, 6, False)}, {})
    assert found["train"].lengths.tolist() == [6, 2, 3]
    assert not found["train"][1][0].any()
    assert notes == []


@settings(max_examples=100, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    left=st.booleans(),
    seed=st.integers(0, 99),
)
def test_aligned_modalities_keep_their_steps_together(
    lengths: list[int], left: bool, seed: int
) -> None:
    lengths = [*lengths, 3]
    text = sequences(lengths, 2, seed)
    rng = np.random.default_rng(seed)
    audio = [x * (rng.random((len(x), 1)) < 0.6) for x in text]  # lost frames, wherever they are
    found = unpad_aligned(
        {m: {"train": pad(x, 7, left)} for m, x in (("text", text), ("audio", audio))}
    )
    for i in range(len(lengths)):
        np.testing.assert_array_equal(found["text"][0]["train"][i], text[i])
        expected = audio[i] if audio[i].any() else audio[i][:0]
        np.testing.assert_array_equal(found["audio"][0]["train"][i], expected)
    assert ("text: padded at the beginning" in found["text"][1]) == left


def test_a_list_of_sequences_is_joined() -> None:
    parts = [*sequences([2, 3], 2, 0), np.zeros((4, 2)), np.array([[np.inf, 1]])]
    found, notes = join("audio", {"train": parts})
    assert found["train"].lengths.tolist() == [2, 3, 0, 1]
    np.testing.assert_array_equal(found["train"][1], parts[1])
    assert found["train"][3].tolist() == [[0, 1]]
    assert notes == [
        "audio: all zero or NaN in 1 of 4 clips, which count as without it",
        "audio: 1 numbers are not finite, read as 0",
    ]


def test_zero_frames_within_a_known_length_are_kept() -> None:
    padded = pad(sequences([2, 4], 3, 0), 6, False)
    found, notes = unpad("audio", {"train": padded}, {"train": np.array([3, 5])})
    assert found["train"].lengths.tolist() == [3, 5]
    assert not found["train"][0][2].any()
    assert notes == []


def test_frames_outside_a_length_are_kept_and_noted() -> None:
    padded = pad(sequences([2, 4], 3, 0), 6, False)
    found, notes = unpad("audio", {"train": padded}, {"train": np.array([1, 4])})
    assert found["train"].lengths.tolist() == [2, 4]
    assert notes == ["audio: 1 of 2 lengths leave out frames, which were kept"]


def test_a_clip_of_zeros_is_absent_whatever_its_length_says() -> None:
    padded = np.zeros((2, 3, 4), np.float32)
    found, notes = unpad("vision", {"train": padded}, {"train": np.array([1, 3])})
    assert found["train"].lengths.tolist() == [0, 0]
    assert found["train"].values.shape == (0, 4)
    assert notes == ["vision: every clip is zero or NaN, left out"]


def test_a_clip_of_nan_is_absent_padded_or_not() -> None:
    nothing = np.full((2, 3), np.nan)
    something = np.array([[np.nan, 1.0, 2.0]])
    told = [
        "vision: all zero or NaN in 2 of 3 clips, which count as without it",
        "vision: 1 numbers are not finite, read as 0",
    ]
    parts = [nothing, something, np.zeros((1, 3))]
    for found, notes in (
        join("vision", {"train": parts}),
        unpad("vision", {"train": pad(parts, 2, False)}, {"train": np.array([2, 1, 1])}),
    ):
        assert found["train"].lengths.tolist() == [0, 1, 0]
        assert found["train"].values.tolist() == [[0, 1, 2]]
        assert notes == told


def test_numbers_that_are_not_finite_become_zero_and_are_counted() -> None:
    padded = np.full((1, 3, 2), 1e300)
    padded[0, 1] = [np.nan, -np.inf]
    padded[0, 2] = 2.0
    found, notes = unpad("audio", {"train": padded}, {})
    assert found["train"].values.tolist() == [[0, 0], [0, 0], [2, 2]]
    assert notes == ["audio: 4 numbers are not finite, read as 0"]


@pytest.mark.parametrize("wrong", [-1, 6, 400])
def test_a_length_that_cannot_be_is_refused(wrong: int) -> None:
    padded = pad(sequences([2, 4], 3, 0), 5, False)
    with pytest.raises(InfofuseError, match=f"audio_lengths holds {wrong}, and audio has 5 steps"):
        unpad("audio", {"train": padded}, {"train": np.array([2, wrong])})


def test_arrays_of_no_steps_are_absent() -> None:
    found, _ = unpad("audio", {"train": np.zeros((2, 0, 3))}, {})
    assert found["train"].lengths.tolist() == [0, 0]
