"""The field's scores against hand counts, scikit-learn and scipy."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from infofuse import metrics
from infofuse.errors import InfofuseError

Convention = Callable[[np.ndarray, np.ndarray], dict[str, float]]

CONVENTIONS: dict[str, Convention] = {
    name: getattr(metrics, name) for name in ("mosi", "sims", "plain", "classification")
}

# Ten clips that hit every edge: halves, zeros, values beyond the range, both signs.
TRUTH = np.array([-3.0, -2.5, -1.4, -0.5, 0.0, 0.0, 0.5, 1.5, 2.5, 3.0])
GUESS = np.array([-3.9, -2.0, -0.4, 0.5, 0.0, -0.2, 1.0, 1.6, 1.5, 2.4])

labels = st.integers(-15, 15).map(lambda i: i / 5)
guesses = st.one_of(st.floats(-4, 4, width=32), st.integers(-8, 8).map(lambda i: i / 2))
clips = st.lists(st.tuples(labels, guesses), min_size=1, max_size=40).map(
    lambda pairs: np.array(pairs).T
)


def test_mosi_by_hand() -> None:
    scores = metrics.mosi(TRUTH, GUESS)
    # |t - p|: .9 .5 1 1 0 .2 .5 .1 1 .6
    assert scores["mae"] == pytest.approx(0.58)
    # to ±3: -3 -2 -1 0 0 0 0 2 2 3 | -3 -2 0 0 0 0 1 2 2 2; half to even makes 2.5 and 1.5 both 2
    assert scores["acc7"] == pytest.approx(7 / 10)
    # to ±2: -2 -2 -1 0 0 0 0 2 2 2 | -2 -2 0 0 0 0 1 2 2 2
    assert scores["acc5"] == pytest.approx(8 / 10)
    # to ±1: -1 -1 -1 0 0 0 0 1 1 1 | -1 -1 0 0 0 0 1 1 1 1
    assert scores["acc3"] == pytest.approx(8 / 10)
    # >= 0: 0 0 0 0 1 1 1 1 1 1 | 0 0 0 1 1 0 1 1 1 1; C = [[3, 1], [1, 5]]
    assert scores["acc2_has0"] == pytest.approx(8 / 10)
    assert scores["f1_has0"] == pytest.approx(0.4 * 6 / 8 + 0.6 * 10 / 12)
    # zeros dropped, > 0: 0 0 0 0 1 1 1 1 | 0 0 0 1 1 1 1 1; C = [[3, 1], [0, 4]]
    assert scores["acc2_non0"] == pytest.approx(7 / 8)
    assert scores["f1_non0"] == pytest.approx(0.5 * 6 / 7 + 0.5 * 8 / 9)


def test_sims_by_hand() -> None:
    truth = np.array([-1.0, -0.8, -0.6, -0.2, 0.0, 0.2, 0.6, 1.0])
    guess = np.array([-1.5, -0.7, -0.7, -0.1, 0.1, 0.0, 0.7, 2.0])
    scores = metrics.sims(truth, guess)
    # clipped: |t - p| = 0 .1 .1 .1 .1 .2 .1 0
    assert scores["mae"] == pytest.approx(0.7 / 8)
    assert scores["corr"] == pytest.approx(stats.pearsonr(truth, np.clip(guess, -1, 1))[0])
    # five, an edge belonging to the class below: 0 0 1 1 2 3 3 4 | 0 0 0 1 2 2 3 4
    assert scores["acc5"] == pytest.approx(6 / 8)
    # three: 0 0 0 0 1 2 2 2 | 0 0 0 0 1 1 2 2
    assert scores["acc3"] == pytest.approx(7 / 8)
    # two: 0 0 0 0 0 1 1 1 | 0 0 0 0 1 0 1 1
    assert scores["acc2"] == pytest.approx(6 / 8)
    assert scores["f1"] == pytest.approx(5 / 8 * 8 / 10 + 3 / 8 * 4 / 6)


def test_a_label_stored_in_float32_lies_on_its_cut() -> None:
    edge = np.array([0.1], np.float32)  # a little over 0.1 in float64
    assert metrics.sims_acc3(edge, [0.1]) == 1.0
    assert metrics.sims_acc3(edge, [0.0]) == 1.0


@settings(deadline=None, max_examples=60)
@given(clips)
def test_classes_agree_with_scikit_learn(pair: np.ndarray) -> None:
    truth, guess = pair
    scores = metrics.mosi(truth, guess)
    for bound, key in [(3, "acc7"), (2, "acc5"), (1, "acc3")]:
        a, b = (np.round(np.clip(v, -bound, bound)) for v in (truth, guess))
        assert scores[key] == pytest.approx(sk.accuracy_score(a, b))
    assert scores["acc2_has0"] == pytest.approx(sk.accuracy_score(truth >= 0, guess >= 0))
    f1 = sk.f1_score(truth >= 0, guess >= 0, average="weighted", zero_division=0)
    assert scores["f1_has0"] == pytest.approx(f1)
    kept = truth != 0
    if kept.any():
        a, b = truth[kept] > 0, guess[kept] > 0
        assert scores["acc2_non0"] == pytest.approx(sk.accuracy_score(a, b))
        f1 = sk.f1_score(a, b, average="weighted", zero_division=0)
        assert scores["f1_non0"] == pytest.approx(f1)
    else:
        assert math.isnan(scores["acc2_non0"])
        assert math.isnan(scores["f1_non0"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_classification_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, guess = np.array(pairs).T
    scores = metrics.classification(truth, guess)
    present = np.unique(truth)
    recalls = sk.recall_score(truth, guess, labels=present, average="macro", zero_division=0)
    assert scores["uar"] == pytest.approx(recalls)
    assert scores["war"] == scores["accuracy"] == pytest.approx(sk.accuracy_score(truth, guess))
    f1 = sk.f1_score(truth, guess, average="weighted", zero_division=0)
    assert scores["f1_weighted"] == pytest.approx(f1)


@settings(deadline=None, max_examples=60)
@given(clips)
def test_regression_agrees_with_scikit_learn_and_scipy(pair: np.ndarray) -> None:
    truth, guess = pair
    scores = metrics.plain(truth, guess)
    assert scores["mae"] == pytest.approx(sk.mean_absolute_error(truth, guess))
    if np.ptp(truth) == 0 or np.ptp(guess) == 0:
        assert math.isnan(scores["corr"])
    elif np.ptp(guess) > 1e-6:  # scipy warns of rounding errors below
        assert scores["corr"] == pytest.approx(stats.pearsonr(truth, guess).statistic, abs=1e-9)
        sd, sd_guess = truth.std(), guess.std()
        shift = (truth.mean() - guess.mean()) ** 2
        restated = 2 * scores["corr"] * sd * sd_guess / (sd**2 + sd_guess**2 + shift)
        assert scores["ccc"] == pytest.approx(restated, abs=1e-9)


def test_concordance_punishes_shift_and_scale_where_correlation_does_not() -> None:
    t = np.array([-1.0, 0.0, 1.0])
    assert metrics.ccc(t, t) == pytest.approx(1)
    assert metrics.ccc(t, -t) == pytest.approx(-1)
    # var t = 2/3 each, mean gap 1: (4/3) / (4/3 + 1)
    assert metrics.ccc(t, t + 1) == pytest.approx(4 / 7)
    assert metrics.corr(t, t + 1) == pytest.approx(1)
    assert metrics.ccc(t, [0.0, 0.0, 0.0]) == 0


def test_the_order_of_arguments_changes_weighted_f1() -> None:
    # C = [[4, 0, 0], [1, 0, 0], [1, 0, 0]]: class 0 has F1 = 8/10, the others 0
    truth, leaning = [0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 0]
    assert metrics.f1_weighted(truth, leaning) == pytest.approx(4 / 6 * 8 / 10)
    assert metrics.f1_weighted(leaning, truth) == pytest.approx(8 / 10)  # the flattering order


def test_unweighted_recall_ignores_class_sizes_and_absent_classes() -> None:
    truth, guess = [0] * 8 + [1] * 2, [0] * 8 + [2, 1]
    assert metrics.uar(truth, guess) == pytest.approx((1 + 1 / 2) / 2)
    assert metrics.war(truth, guess) == pytest.approx(9 / 10)


@pytest.mark.parametrize("convention", [metrics.mosi, metrics.sims, metrics.plain])
def test_unknown_labels_are_dropped_with_their_predictions(convention: Convention) -> None:
    truth = np.append(TRUTH / 3, [np.nan, np.nan])
    guess = np.append(GUESS / 3, [3.0, np.nan])
    assert convention(truth, guess) == pytest.approx(convention(TRUTH / 3, GUESS / 3))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_prediction_that_is_not_finite_spoils_every_score(bad: float) -> None:
    spoilt = np.append(GUESS[1:], bad)
    for convention in CONVENTIONS.values():
        assert all(math.isnan(v) for v in convention(TRUTH, spoilt).values())


def test_no_clip_at_all() -> None:
    for convention in CONVENTIONS.values():
        assert all(math.isnan(v) for v in convention([], []).values())
        assert all(math.isnan(v) for v in convention([np.nan], [1.0]).values())


def test_degenerate_labels_give_defined_scores() -> None:
    scores = metrics.mosi([0.0, 0.0], [1.0, -1.0])
    undefined = {key for key, value in scores.items() if math.isnan(value)}
    assert undefined == {"corr", "acc2_non0", "f1_non0"}
    one_class = metrics.mosi([1.0, 2.0], [0.4, 3.0])
    assert one_class["acc2_has0"] == one_class["f1_has0"] == one_class["f1_non0"] == 1
    single = metrics.plain([1.0], [0.5])
    assert single["mae"] == 0.5
    assert math.isnan(single["corr"])


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(InfofuseError, match=r"\(2,\) and predictions of shape \(3,\)"):
        metrics.mae([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InfofuseError, match="flat"):
        metrics.mosi(np.zeros((2, 1)), np.zeros((2, 1)))


ONE_FUNCTION_OF_A_METRIC = [
    pytest.param(metric, convention, id=f"{key}-{convention}")
    for key, metric in metrics.METRICS.items()
    for convention in metric.functions
]


def test_every_key_of_a_convention_has_a_record_which_knows_its_function() -> None:
    for name, convention in CONVENTIONS.items():
        having = {key for key, metric in metrics.METRICS.items() if name in metric.functions}
        assert set(convention([1.0, 0.0], [1.0, 0.0])) == having, name
    records = metrics.METRICS.values()
    assert [metric.key for metric in records] == list(metrics.METRICS)
    assert {convention for m in records for convention in m.functions} == set(CONVENTIONS)
    for words in (m.name for m in records), (m.short for m in records):
        assert len(set(words)) == len(metrics.METRICS)


@pytest.mark.parametrize(("metric", "convention"), ONE_FUNCTION_OF_A_METRIC)
def test_a_record_says_what_its_function_does(metric: metrics.Metric, convention: str) -> None:
    score = metric.functions[convention]
    truth = np.array([-1.0, -0.8, -0.3, 0.0, 0.2, 0.5, 0.9])
    assert score(truth, truth) == pytest.approx(metric.ceiling)
    rng = np.random.default_rng(0)
    for _ in range(50):
        perturbed = score(truth, truth + rng.normal(size=len(truth)))
        assert metrics.gain(metric.key, perturbed, metric.ceiling) <= 1e-12
    # What a constant predictor reaches, which is `floor` only where that is undefined.
    constant = score(truth, np.zeros_like(truth))
    low, high = metric.ends(constant)
    assert low == pytest.approx(metric.floor if math.isnan(constant) else constant)
    assert metrics.gain(metric.key, high, low) > 0


def test_floors_stand_in_for_undefined_scores_of_constants() -> None:
    assert metrics.METRICS["corr"].ends(math.nan) == (0.0, 1.0)
    assert metrics.METRICS["mae"].ends(1.3) == (1.3, 0.0)
    assert math.isnan(metrics.METRICS["mae"].ends(math.nan)[0])


def test_a_score_without_a_record_is_its_own_name() -> None:
    assert metrics.named("acc7") == "Acc-7 (seven classes)"
    assert metrics.named("perplexity") == "perplexity"


def test_the_page_on_metrics_agrees_with_the_records() -> None:
    page = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text()
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| `")]
    pairs = [(re.findall("`(.+?)`", cells[0]), re.findall("`(.+?)`", cells[-1])) for cells in rows]
    theirs = {
        key: alias for keys, found in pairs for key, alias in zip_longest(keys, found, fillvalue="")
    }
    assert theirs == {key: metric.mmsa_key for key, metric in metrics.METRICS.items()}
    for name in CONVENTIONS:
        # A convention has a section of its own, or a paragraph that begins with its name.
        passage = re.search(rf"^## `{name}`:(.+?)^## |^`{name}`, (.+?)\n\n", page, re.M | re.S)
        assert passage, name
        named = {word for word in re.findall("`(.+?)`", passage[0]) if word in metrics.METRICS}
        assert named == {k for k, metric in metrics.METRICS.items() if name in metric.functions}


def test_mmsa_names() -> None:
    theirs = metrics.to_mmsa(metrics.mosi(TRUTH, GUESS))
    assert theirs["Has0_acc_2"] == metrics.acc2_has0(TRUTH, GUESS)
    assert theirs["Non0_F1_score"] == metrics.f1_non0(TRUTH, GUESS)
    assert theirs["Mult_acc_7"] == metrics.acc7(TRUTH, GUESS)
    assert {"MAE", "Corr", "Has0_F1_score", "Non0_acc_2", "Mult_acc_5"} < set(theirs)
    sims = metrics.to_mmsa(metrics.sims(TRUTH / 3, GUESS / 3))
    assert set(sims) == {"Mult_acc_2", "Mult_acc_3", "Mult_acc_5", "F1_score", "MAE", "Corr"}
    assert metrics.to_mmsa({"ccc": 0.5}) == {"ccc": 0.5}


def test_importing_the_scores_is_light() -> None:
    heavy = "{'torchmetrics', 'transformers', 'sklearn', 'scipy'}"
    code = f"import sys, infofuse.metrics; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
