"""The statistics of studies beside scipy, statsmodels, tables in print, and known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from infofuse.study.statistics import (
    compare,
    critical_difference,
    elo,
    group_mean,
    holm,
    normalised,
    rank,
    rope,
    sign_flip,
    t_interval,
    t_test,
    verdict,
    wilcoxon,
)

SOME = np.array([0.031, -0.004, 0.022, 0.015, 0.040, -0.011, 0.019, 0.027])


def test_paired_tests_equal_scipy() -> None:
    found = compare(SOME)
    exact = stats.permutation_test((SOME,), np.mean, permutation_type="samples", n_resamples=1e6)
    assert found.permutation == pytest.approx(exact.pvalue, abs=1e-12)
    assert found.wilcoxon == stats.wilcoxon(SOME).pvalue
    assert found.mean == pytest.approx(SOME.mean())
    assert found.interval[0] < found.mean < found.interval[1]


def test_equal_gains_in_accuracy_are_ties() -> None:
    clips = np.array([2, 3, 1, -1, 1, 3, 3])
    ours = np.array([578, 551, 544, 592, 596, 587, 550])
    assert wilcoxon((ours + clips) / 686 - ours / 686) == stats.wilcoxon(clips).pvalue


def test_many_pairs_are_drawn_at_random() -> None:
    rng = np.random.default_rng(1)
    many = rng.normal(0.2, 1, 40)
    assert sign_flip(many) == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.02)


def test_the_t_test_and_its_interval_equal_scipy_and_bear_constants() -> None:
    theirs = stats.ttest_1samp(SOME, 0)
    interval = theirs.confidence_interval()
    assert t_test(SOME) == pytest.approx(theirs.pvalue)
    assert t_interval(SOME) == pytest.approx((interval.low, interval.high))
    both = np.stack([SOME, -2 * SOME])
    assert t_test(both) == pytest.approx([theirs.pvalue] * 2)
    assert t_test(np.full(3, 0.5)) == 0.0
    assert t_test(np.zeros(3)) == 1.0
    assert t_interval(np.full(3, 0.5)) == (0.5, 0.5)
    assert np.isnan(t_interval(np.array([1.0]))).all()
    assert wilcoxon(np.zeros(4)) == 1.0
    assert np.isnan(compare(np.array([0.1])).permutation)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_holm_equals_statsmodels(p: list[float]) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    theirs = multitest.multipletests(p, method="holm")[1]
    assert holm(np.array(p)) == pytest.approx(theirs)


def test_divisions_that_share_clips_count_for_less() -> None:
    """Nadeau and Bengio 2003: as if there were 1 / (1/n + rho / (1 - rho)) divisions."""
    n, rho = len(SOME), 0.25
    t = SOME.mean() / np.sqrt((1 / n + rho / (1 - rho)) * SOME.var(ddof=1))
    assert t_test(SOME, rho) == pytest.approx(2 * stats.t.sf(t, n - 1))
    low, high = t_interval(SOME, rho=rho)
    assert low < t_interval(SOME)[0] < t_interval(SOME)[1] < high
    assert rope(SOME, 0.0, rho).better == pytest.approx(1 - t_test(SOME, rho) / 2)


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = holm(np.array([[0.01, np.nan, 0.04]]))
    assert found[0].tolist() == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_under_the_null_few_studies_find_anything() -> None:
    """200 studies of four identical systems: how often any corrected p is at most 0.05."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(200, 10, 4)) + rng.normal(size=(200, 10, 1))  # seeds matter to all
    differences = np.moveaxis(scores[..., 1:] - scores[..., :1], 1, -1)
    assert differences.shape == (200, 3, 10)
    wrong = (holm(sign_flip(differences)) <= 0.05).any(-1).mean()
    assert wrong <= 0.07
    tests = np.array([[wilcoxon(d) for d in study] for study in differences])
    assert (holm(tests) <= 0.05).any(-1).mean() <= 0.07
    better = differences + 2.5
    assert (holm(sign_flip(better)) <= 0.05).all(-1).mean() > 0.9  # and it does find what is there


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_critical_difference_equals_the_table_in_print(k: int, q: float) -> None:
    """Demšar 2006, table 5(a)."""
    assert critical_difference(k, 14) == pytest.approx(
        q * np.sqrt(k * (k + 1) / (6 * 14)), rel=1e-3
    )


def test_ranks_of_the_worked_example() -> None:
    """Demšar 2006, section 3.2.2: four classifiers, 14 data sets, CD 1.25 at 0.10 is 1.12."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, alpha=0.10) == pytest.approx(1.12, abs=0.005)


def test_ranks_cliques_and_friedman() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(12, 4)) + np.array([0.0, 6.0, 6.1, 3.0])
    found = rank(scores, ("worst", "a", "b", "middle"))
    assert set(found.names[:2]) == {"a", "b"}
    assert found.names[2:] == ("middle", "worst")
    assert found.friedman == pytest.approx(stats.friedmanchisquare(*scores.T).pvalue)
    assert sum(found.average) == pytest.approx(10)
    assert set(found.cliques[0]) >= {"a", "b"}
    alike = np.abs(np.subtract.outer(found.average, found.average)) < found.difference
    assert ((found.p > 0.05) == alike).all()
    assert rank(np.zeros((5, 3)), ("a", "b", "c")).friedman == 1.0
    assert rank(np.zeros((5, 3)), ("a", "b", "c")).cliques == (("a", "b", "c"),)


def test_rope_is_the_posterior_t() -> None:
    found = rope(SOME, 0.01)
    t = stats.t(7, SOME.mean(), SOME.std(ddof=1) / np.sqrt(8))
    assert found.better == pytest.approx(t.sf(0.01))
    assert found.worse == pytest.approx(t.cdf(-0.01))
    assert found.worse + found.equivalent + found.better == pytest.approx(1)
    assert rope(SOME, 0.0).better == pytest.approx(1 - stats.ttest_1samp(SOME, 0).pvalue / 2)
    assert rope(SOME, 0.01, rho=0.3).better < found.better
    assert rope(np.full(4, 0.5), 0.1).better == 1.0


@pytest.mark.parametrize(
    ("gains", "width", "p", "expected"),
    [
        (SOME, 0.1, 0.001, "equivalent"),
        (SOME + 1, 0.1, 0.001, "better"),
        (SOME + 1, 0.1, 0.06, "undecided"),  # many comparisons: Holm's p is not below .05
        (SOME - 1, 0.1, 0.001, "worse"),
        (SOME, 0.015, 0.001, "undecided"),  # some gain, but perhaps too small to matter
        (np.array([0.3]), 0.01, float("nan"), "undecided"),
    ],
)
def test_a_verdict_needs_a_corrected_p_and_a_gain_that_matters(
    gains: np.ndarray, width: float, p: float, expected: str
) -> None:
    assert verdict(p, rope(gains, width)) == expected


def test_under_the_null_the_verdict_is_seldom_wrong_with_five_seeds_too() -> None:
    """2,000 studies of four identical systems: how often any is called better or worse."""
    rng = np.random.default_rng(11)
    scores = rng.normal(size=(2_000, 5, 4))
    differences = np.moveaxis(scores[..., 1:] - scores[..., :1], 1, -1)
    corrected = holm(t_test(differences))
    called = [
        verdict(float(p), rope(gains, 0.0)) in ("better", "worse")
        for study, ps in zip(differences[:400], corrected[:400], strict=True)
        for gains, p in zip(study, ps, strict=True)
    ]
    assert (corrected < 0.05).any(-1).mean() <= 0.06
    assert np.reshape(called, (400, 3)).any(-1).mean() <= 0.07


def test_elo_of_two_is_the_log_odds() -> None:
    scores = np.array([[1.0, 0.0]] * 7 + [[0.0, 1.0]] * 3)
    found = elo(scores, anchor=1)
    assert found[1] == 1000
    assert found[0] - found[1] == pytest.approx(400 * np.log10(7.5 / 3.5))


def test_elo_is_the_most_likely_rating() -> None:
    """Three that beat each other in turn: expected wins equal wins, for each of them."""
    scores = np.array([[3, 2, 1], [1, 3, 2], [2, 1, 3], [3, 2, 1], [2.5, 2, 3]], float)
    found = elo(scores)
    expected = 1 / (1 + 10 ** (np.subtract.outer(found, found) / -400))
    wins = (scores[:, :, None] > scores[:, None]).sum(0) + 0.5
    np.fill_diagonal(wins, 0)
    np.fill_diagonal(expected, 0)
    assert (expected * (wins + wins.T)).sum(1) == pytest.approx(wins.sum(1), abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_bad_system_moves_no_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(9, 4)) + rng.normal(size=4)
    bad = scores.min(1, keepdims=True) - 1
    lucky = rng.integers(0, 9)
    bad[lucky] = scores[lucky].max() + 1  # bad, yet it wins a block
    assert elo(np.hstack([scores, bad]), anchor=0)[:4] == pytest.approx(elo(scores, anchor=0))
    shuffled = rng.permutation(9)
    assert elo(scores[shuffled], anchor=0) == pytest.approx(elo(scores, anchor=0), abs=1e-3)


def test_normalised_scores_have_fixed_ends() -> None:
    assert normalised(np.array([1.4, 0.7, 0.0]), 1.4, "mae").tolist() == [0.0, 0.5, 1.0]
    assert normalised(np.array([0.2, 1.0]), 0.2, "uar").tolist() == [0.0, 1.0]
    assert normalised(np.array([0.3]), float("nan"), "corr").tolist() == [0.3]


def test_group_means_count_each_data_set_the_same() -> None:
    rng = np.random.default_rng(5)
    groups = [rng.normal(0.2, 0.01, 40), rng.normal(0.8, 0.01, 5)]
    found = group_mean(groups)
    assert found.mean == pytest.approx((groups[0].mean() + groups[1].mean()) / 2)
    assert found.interval[0] < found.mean < found.interval[1]
    assert found.groups == 2
    assert np.isnan(group_mean([np.array([0.5])]).interval).all()
