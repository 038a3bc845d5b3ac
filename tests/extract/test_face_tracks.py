"""Which face is whose, and which one speaks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infofuse.extract.face_landmarks import COLUMNS, OPENING, Face, gaps, turns
from infofuse.extract.face_tracks import (
    choose,
    follow,
    loudness_of,
    overlap,
    speaking,
)
from infofuse.extract.sound import RATE

TIMES = np.arange(40) / 10


def face(left: float, opening: float, size: float = 0.2) -> Face:
    row = np.zeros(len(COLUMNS), np.float32)
    row[OPENING] = opening
    return Face(np.array([left, 0.3, left + size, 0.3 + size]), row)


def test_overlap_is_intersection_over_union() -> None:
    a, b = np.array([0.0, 0.0, 2.0, 2.0]), np.array([1.0, 1.0, 3.0, 3.0])
    assert overlap(a, a) == 1.0
    assert overlap(a, b) == pytest.approx(1 / 7)
    assert overlap(a, a + 5) == 0.0
    assert overlap(a * 0, a * 0) == 0.0


def test_faces_keep_their_tracks_in_any_order() -> None:
    """Two faces drift slowly, and are named in another order every time; one is away a while."""
    frames = []
    for i in range(40):
        both = [face(0.1 + i / 400, 0.1), face(0.6 - i / 400, 0.2)]
        frames.append([both[0]] if 10 <= i < 14 else both[:: 1 - 2 * (i % 2)])
    tracks = follow(frames, TIMES)
    assert sorted(len(t.frames) for t in tracks) == [36, 40]
    for track in tracks:
        assert len(set(track.openings)) == 1


def test_a_face_that_was_long_away_is_another() -> None:
    frames = [[face(0.1, 0.1)] if i < 10 or i > 20 else [] for i in range(40)]
    assert [len(t.frames) for t in follow(frames, TIMES)] == [10, 19]


def test_one_frame_a_second_is_enough_to_follow() -> None:
    frames = [[face(0.1, 0.1)] for _ in range(40)]
    assert [len(t.frames) for t in follow(frames, 10 * TIMES)] == [40]


def test_who_speaks_is_chosen_though_smaller() -> None:
    rng = np.random.default_rng(0)
    loud = rng.random(40)
    frames = [
        [face(0.1, 0.1 + 0.2 * loud[i], 0.15), face(0.5, 0.1 + 0.2 * rng.random(), 0.4)]
        for i in range(40)
    ]
    tracks = follow(frames, TIMES)
    assert speaking(tracks[0], loud) > speaking(tracks[1], loud)
    chosen = choose(tracks, loud)
    assert all(chosen[i] is frames[i][0] for i in range(40))


def test_without_sound_the_largest_is_chosen() -> None:
    frames = [[face(0.1, 0.1 * (i % 2), 0.15), face(0.5, 0.1, 0.4)] for i in range(40)]
    chosen = choose(follow(frames, TIMES), np.zeros(40))
    assert all(chosen[i] is frames[i][1] for i in range(40))


def test_speaking_is_moving_with_the_voice() -> None:
    voice = np.tile([1.0, 0.0, 1.0, 0.0, 0.5], 8)
    mouths = [face(0.1, 0.2 * v) for v in voice], [face(0.1, 0.2 - 0.2 * v) for v in voice]
    [[with_it], [against_it]] = [follow([[m] for m in moves], TIMES) for moves in mouths]
    assert speaking(with_it, voice) == pytest.approx(2 * 0.2 * voice.std(), rel=1e-5)
    assert speaking(against_it, voice) == pytest.approx(0, abs=1e-6)
    assert speaking(with_it, 0 * voice) == 0.0
    [still] = follow([[face(0.1, 0.01 * v)] for v in voice], TIMES)
    assert speaking(still, voice) == 0.0


def test_loudness_is_the_energy_of_an_interval() -> None:
    """Half the amplitude is 6 dB of 40 less; silence, and what is beyond the end, is 0."""
    wave = np.concatenate([np.ones(RATE), np.full(RATE, 0.5), np.zeros(RATE)]).astype(np.float32)
    times = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])
    expected = [1.0, 1 - 20 * np.log10(2) / 40, 0.0, 0.0]
    np.testing.assert_allclose(loudness_of(wave, times), expected, atol=1e-12)
    assert not loudness_of(wave[:0], times).any()


@given(*[st.floats(-1.2, 1.2)] * 3, st.floats(0.5, 20))
def test_turns_are_the_angles_of_a_pose(a: float, b: float, c: float, scale: float) -> None:
    def about(axis: int, angle: float) -> np.ndarray:
        i, j = (k for k in range(3) if k != axis)
        r = np.eye(3)
        r[[i, j], [i, j]] = np.cos(angle)
        r[j, i] = np.sin(angle) * (-1 if axis == 1 else 1)
        r[i, j] = -r[j, i]
        return r

    pose = np.eye(4)
    pose[:3, :3] = scale * about(2, c) @ about(1, b) @ about(0, a)
    np.testing.assert_allclose(turns(pose), (a, b, c), atol=1e-9)


def test_gaps_do_not_depend_on_size_or_turn() -> None:
    points = np.random.default_rng(1).random((478, 3))
    rotation, _ = np.linalg.qr(np.random.default_rng(2).random((3, 3)))
    np.testing.assert_allclose(gaps(points), gaps(7 * points @ rotation + 3))
