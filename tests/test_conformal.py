"""Conformal prediction: its theorem, exactly and by simulation, and what each task allows."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from infofuse.conformal import Calibration, limit
from infofuse.errors import InfofuseError
from infofuse.tasks import Classification, MultiLabel, Regression, Task

COLOURS = ("anger", "joy", "neutral")
HUNDREDTHS = st.integers(1, 99)
TIMES, NEW = 500, 40


@given(st.lists(st.integers(0, 20), max_size=60), HUNDREDTHS)
def test_the_limit_is_the_least_score_that_enough_scores_reach(scores: list, percent: int) -> None:
    ascending = np.sort(np.array(scores, float))
    found = limit(ascending, percent / 100)
    needed = Fraction(percent, 100) * (len(scores) + 1)
    enough = [s for s in ascending if (ascending <= s).sum() >= needed]
    assert found == (min(enough) if enough else math.inf)


@given(st.sets(st.floats(-1e6, 1e6), min_size=2, max_size=60), HUNDREDTHS)
def test_left_out_in_turn_exactly_the_rank_of_all_is_covered(scores: set, percent: int) -> None:
    """P(s ≤ q) = ⌈(n + 1) c⌉ / (n + 1) for n + 1 exchangeable scores, all different."""
    everyone = np.sort(np.array(list(scores)))
    covered = sum(
        score <= limit(np.delete(everyone, i), percent / 100) for i, score in enumerate(everyone)
    )
    assert covered == math.ceil(Fraction(percent, 100) * len(everyone))


Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def scale(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of a score, and labels about them: some clips are harder than others."""
    prediction = rng.normal(0, 1, (n, 1))
    labels = prediction + rng.normal(0, 0.2 + rng.exponential(0.6, (n, 1)))
    return prediction.astype(np.float32), labels.astype(np.float32)


def one_of_three(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits that exaggerate, and classes drawn by milder ones."""
    logits = rng.normal(0, 2, (n, 3))
    drawn = (logits / 2 + rng.gumbel(size=(n, 3))).argmax(1)
    return logits.astype(np.float32), drawn[:, None].astype(np.float32)


def each_of_two(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    logits = rng.normal(0, 2, (n, 2))
    holds = logits / 2 + rng.logistic(size=(n, 2)) > 0
    return logits.astype(np.float32), holds.astype(np.float32)


TASKS = [
    (Regression(), scale),
    (Classification(COLOURS), one_of_three),
    (MultiLabel(("joy", "fear")), each_of_two),
]


def simulate(task: Task, draw: Draw, n: int, confidence: float, times: int) -> dict[str, float]:
    """Shares over many calibrations, each with `NEW` clips: covered, decided and wrong, decided.

    A label is covered if it is within the limits; of several columns, the first counts.
    """
    rng = np.random.default_rng(1)
    covered, wrong, decided = [], [], []
    for _ in range(times):
        logits, labels = draw(rng, n + NEW)
        readable = task.readable(logits)
        off = task.nonconformity(readable, labels)
        limits = [limit(np.sort(column), confidence) for column in off[:n].T]
        region = task.region(readable[n:], np.tile(limits, (NEW, 1)))
        covered.append((off[n:] <= limits)[:, 0].mean())
        answer, truth = task.answer(logits[n:]), labels[n:]
        right = np.sign(answer) == np.sign(truth) if isinstance(task, Regression) else None
        right = answer == truth if right is None else right
        wrong.append((region.decided & ~right[:, 0]).mean())
        decided.append(region.decided.mean())
    return {"covered": np.mean(covered), "wrong": np.mean(wrong), "decided": np.mean(decided)}


@pytest.mark.parametrize(("task", "draw"), TASKS)
@pytest.mark.parametrize(("n", "confidence"), [(19, 0.9), (50, 0.8)])
def test_coverage_and_abstention_hold_on_average(
    task: Task, draw: Draw, n: int, confidence: float
) -> None:
    found = simulate(task, draw, n, confidence, times=TIMES)
    error = 4 * math.sqrt(confidence * (1 - confidence) / TIMES * (1 / n + 1 / NEW))
    assert confidence - error <= found["covered"] <= confidence + 1 / (n + 1) + error
    assert found["wrong"] <= 1 - confidence + error
    assert found["decided"] > 0.05  # else the line above would say little


@given(st.floats(-4, 4), st.floats(0, 8), st.floats(-3, 3))
def test_an_interval_is_what_is_within_the_limit(score: float, reach: float, label: float) -> None:
    task = Regression(label_range=(-3.0, 3.0))
    readable, limits = np.array([[score]]), np.array([[reach]])
    region = task.region(readable, limits)
    (((low, high),),) = region.interval
    within = task.nonconformity(readable, np.array([[label]]))[0, 0] <= reach
    if within:
        assert low - 1e-9 <= label <= high + 1e-9
    assert -3 <= low <= high <= 3
    assert region.decided[0] == (low > 0 or high < 0)


def test_the_middle_of_the_scale_decides() -> None:
    readable, limits = np.array([[4.0], [3.5], [1.0]]), np.full((3, 1), 0.9)
    ones = Regression(label_range=(1.0, 5.0)).region(readable, limits)
    assert ones.decided.tolist() == [True, False, True]
    assert ones.interval[2, 0].tolist() == [1.0, 1.9]
    assert Regression().region(readable, limits).decided.all()
    both = Regression(2).region(np.array([[1.0, -2.0], [1.0, 0.1]]), np.full((2, 2), 0.5))
    assert both.decided.tolist() == [True, False]


def test_a_set_of_classes_is_never_empty() -> None:
    task = Classification(COLOURS)
    chances = np.array([[0.5, 0.3, 0.2], [0.9, 0.08, 0.02]])
    for reach, sets in ((0.1, [[0], [0]]), (0.75, [[0, 1], [0]]), (np.inf, [[0, 1, 2]] * 2)):
        region = task.region(chances, np.full((2, 1), reach))
        assert [np.flatnonzero(row).tolist() for row in region.classes] == sets
        assert region.decided.tolist() == [len(s) == 1 for s in sets]


def test_classes_that_may_hold() -> None:
    task = MultiLabel(("joy", "fear"))
    chances = np.array([[0.9, 0.4], [0.55, 0.05]])
    sure = task.region(chances, np.array([[0.5, 0.5]] * 2))
    assert sure.classes.tolist() == [[True, False], [True, False]]
    assert sure.decided.all()
    unsure = task.region(chances, np.array([[0.5, 0.65]] * 2))
    assert unsure.classes.tolist() == [[True, True], [True, False]]
    assert unsure.decided.tolist() == [False, True]
    narrow = task.region(chances, np.array([[0.01, 0.01]] * 2))
    assert narrow.classes.tolist() == [[True, False], [True, False]]
    assert narrow.decided.all()


def test_readable_numbers_are_chances_of_classes() -> None:
    logits = np.array([[1.0, -2.0, 0.5]], np.float32)
    tensor = torch.from_numpy(logits)
    np.testing.assert_allclose(Classification(COLOURS).readable(logits), tensor.softmax(1))
    np.testing.assert_allclose(
        MultiLabel(COLOURS).readable(logits), 1 / (1 + np.exp(-logits)), 1e-6
    )
    assert Regression(3).readable(logits) is logits
    chances, labels = np.array([[0.7, 0.2, 0.1]] * 2), np.array([[1.0], [np.nan]])
    off = Classification(COLOURS).nonconformity(chances, labels)
    np.testing.assert_allclose(off, [[0.8], [np.nan]])


def test_what_is_said() -> None:
    assert Regression(2).say(np.array([1.5, -1.0])) == (1.5, -1.0)
    assert Classification(COLOURS).say(np.array([1.0])) == ("joy",)
    assert MultiLabel(COLOURS).say(np.array([1.0, 0.0, 1.0])) == ("anger", "neutral")
    assert MultiLabel(COLOURS).say(np.zeros(3)) == ()


def test_a_calibration_is_the_same_after_a_journey() -> None:
    some = Calibration({("text",): (np.array([0.1, 0.2]),), ("text", "audio"): (np.zeros(0),)})
    again = Calibration.from_json(some.to_json())
    assert again.to_json() == some.to_json()
    assert again.limits(("text",), 0.5) == [0.2]
    assert again.limits(("text",), 0.9) == again.limits(("text", "audio"), 0.1) == [math.inf]
    assert again.limits((), 0.5) == [math.inf]
    for wrong in ({}, {"format": 2}, {"format": 1, "subsets": [{}]}, {"format": 1, "subsets": 3}):
        with pytest.raises(InfofuseError, match="calibration"):
            Calibration.from_json(wrong)
