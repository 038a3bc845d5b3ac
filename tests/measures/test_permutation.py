"""The permutation test: calibrated under independence, awake under dependence."""

import math

import pytest
import torch

from infofuse.measures.kernels import HSIC, MMD, DistanceCorrelation
from infofuse.measures.permutation import permutation_test


def rejections(measure, draws, permutations=19, n=20):
    generator = torch.Generator().manual_seed(1)
    p = [
        permutation_test(measure, torch.randn(n, 1), torch.randn(n, 1), permutations, generator)
        for _ in range(draws)
    ]
    return sum(value <= 0.05 for value in p) / draws


@pytest.mark.slow
def test_false_positives_are_five_percent():
    assert rejections(HSIC(bandwidth=1.0), draws=500) == pytest.approx(0.05, abs=0.02)


def test_dependence_without_correlation_is_found():
    x = torch.randn(60, 1)
    y = x.square() + 0.3 * torch.randn(60, 1)
    for measure in (HSIC(), DistanceCorrelation()):
        assert permutation_test(measure, x, y, 99) == 0.01


def test_the_generator_decides():
    x, y = torch.randn(2, 15, 1)
    first, second = (
        permutation_test(HSIC(), x, y, 50, torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert first == second


def test_it_counts_the_observed_order_in():
    x = torch.arange(4.0)[:, None]
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(4, generator=generator) for _ in range(30)]
    statistic = lambda a, b: (a * b).sum()  # noqa: E731
    reached = sum(bool(statistic(x, x[o]) >= statistic(x, x)) for o in orders)
    found = permutation_test(statistic, x, x, 30, torch.Generator().manual_seed(0))
    assert found == (1 + reached) / 31


def test_what_is_no_number_has_no_p():
    x = torch.randn(20, 2)
    assert math.isnan(permutation_test(HSIC(), x.masked_fill(x > 2, float("nan")) * math.nan, x, 9))


def test_measures_blind_to_pairing_say_nothing():
    x, y = torch.randn(2, 10, 1, dtype=torch.float64)
    # The order of a sum may move the last digit, so ask for more than one sample's worth.
    assert permutation_test(lambda a, b: MMD(bandwidth=1.0)(a, b).round(decimals=9), x, y, 20) == 1
