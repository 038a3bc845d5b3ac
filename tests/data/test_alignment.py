"""Interval pooling: against a plain loop, and where the answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.data import pool_intervals
from infofuse.errors import InfofuseError

PLAIN = {
    "mean": lambda rows, ends: rows.astype(np.float64).mean(axis=0),
    "max": lambda rows, ends: rows.max(axis=0),
    "last": lambda rows, ends: rows[np.flatnonzero(ends == ends.max())[-1]],
}
SECONDS = st.integers(0, 12).map(lambda n: n / 4)
INTERVALS = st.lists(st.tuples(SECONDS, SECONDS).map(sorted), max_size=9)


@settings(max_examples=150, deadline=None)
@given(words=INTERVALS, frames=INTERVALS, pooling=st.sampled_from(list(PLAIN)))
def test_it_is_the_loop_that_it_stands_for(
    words: list[list[float]], frames: list[list[float]], pooling: str
) -> None:
    """Any intervals: unordered, nested, overlapping, empty, of no length."""
    spans = np.array(words, float).reshape(-1, 2)
    intervals = np.array(sorted(frames), float).reshape(-1, 2)
    features = np.random.default_rng(0).normal(size=(len(intervals), 3)).astype(np.float32)
    found = pool_intervals(spans, intervals, features, pooling)
    assert found.shape == (len(spans), 3)
    assert found.dtype == np.float32
    for row, (begin, end) in zip(found, spans, strict=True):
        inside = (intervals[:, 0] < end) & (intervals[:, 1] > begin)
        rows, ends = features[inside], intervals[inside, 1]
        expected = PLAIN[pooling](rows, ends) if len(rows) else np.zeros(3)
        np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_a_frame_across_two_words_counts_for_both() -> None:
    frames = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    features = np.array([[1.0], [2.0], [6.0]])
    words = np.array([[0.0, 1.5], [1.5, 3.0], [3.0, 4.0]])
    assert pool_intervals(words, frames, features).tolist() == [[1.5], [4.0], [0.0]]
    assert pool_intervals(words, frames, features, "max").tolist() == [[2.0], [6.0], [0.0]]
    assert pool_intervals(words, frames, features, "last").tolist() == [[2.0], [6.0], [0.0]]


def test_the_mean_of_float32_does_not_drift() -> None:
    frames = np.stack([np.arange(200_000.0), np.arange(1, 200_001.0)], axis=1)
    features = np.full((200_000, 1), 0.1, np.float32)
    found = pool_intervals(np.array([[0.0, 200_000.0]]), frames, features)
    np.testing.assert_allclose(found, features[:1], rtol=1e-7)


def test_the_order_of_frames_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    begin = np.arange(0, 4, 0.1)
    frames, features = np.stack([begin, begin + 0.1], axis=1), rng.normal(size=(40, 2))
    words = np.array([[0.05, 1.0], [1.0, 1.02], [3.0, 9.0]])
    order = rng.permutation(40)
    for pooling in PLAIN:
        np.testing.assert_allclose(
            pool_intervals(words, frames, features, pooling),
            pool_intervals(words, frames[order], features[order], pooling),
        )


def test_another_pooling_is_refused() -> None:
    with pytest.raises(InfofuseError, match=r"unknown pooling 'men'; did you mean 'mean'\?"):
        pool_intervals(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 2)), "men")
