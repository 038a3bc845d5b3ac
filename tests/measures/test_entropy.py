"""The entropy of a two-class Gaussian mixture: closed form, memory, and the cases that break."""

import logging
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from infofuse.measures import GaussianMixtureEntropy
from infofuse.measures.entropy import gaussian_constant


def plain(dim: int, **options: object) -> GaussianMixtureEntropy:
    return GaussianMixtureEntropy(dim, memory=0, shrink=False, **options)  # type: ignore[arg-type]


def test_formula_written_out() -> None:
    y, labels = torch.randn(40, 3, dtype=torch.float64), torch.randn(40)
    expected = 0.5 * 3 * math.log(2 * math.pi * math.e)
    for rows in (y[labels >= 0], y[labels < 0]):
        centred = (rows - rows.mean(0)).numpy()
        expected += 0.25 * np.linalg.slogdet(centred.T @ centred / len(rows))[1]
    assert plain(3)(y, labels=labels).item() == pytest.approx(expected, abs=1e-9)


def test_truth_on_gaussian_classes() -> None:
    labels = torch.randn(100_000)
    y = torch.randn(100_000, 4) * torch.where(labels >= 0, 2.0, 0.5)[:, None]
    y += 5 * labels.sign()[:, None]
    # H(y | class) = 1/2 (4 ln 2 + 4 ln 1/2) + constant: the scales cancel.
    assert plain(4)(y, labels=labels).item() == pytest.approx(gaussian_constant(4), abs=0.02)


def test_memory_is_the_same_as_a_longer_batch() -> None:
    y, labels = torch.randn(60, 4), torch.randn(60)
    remembering = GaussianMixtureEntropy(4, memory=40)
    remembering(y[:40], labels=labels[:40])
    with_memory = remembering(y[40:], labels=labels[40:])
    at_once = GaussianMixtureEntropy(4, memory=0)(y, labels=labels)
    torch.testing.assert_close(with_memory, at_once)


def test_memory_keeps_the_latest_and_carries_no_gradient() -> None:
    entropy = GaussianMixtureEntropy(2, memory=8)
    first, second = (torch.randn(8, 2, requires_grad=True) for _ in range(2))
    labels = torch.tensor([-1.0, 1.0] * 4)
    entropy(first, labels=labels)
    entropy(second, labels=labels).backward()
    assert first.grad is None
    assert second.grad is not None
    torch.testing.assert_close(entropy.remembered, second.detach())


def test_memory_is_state_and_rests_in_evaluation() -> None:
    entropy = GaussianMixtureEntropy(2, memory=8)
    labels = torch.tensor([-1.0, 1.0] * 4)
    entropy(torch.randn(8, 2), labels=labels)
    other = GaussianMixtureEntropy(2, memory=8)
    other.load_state_dict(entropy.state_dict())
    y = torch.randn(8, 2)
    torch.testing.assert_close(other.eval()(y, labels=labels), entropy.eval()(y, labels=labels))
    before = entropy.remembered.clone()
    entropy(torch.randn(8, 2), labels=labels)
    torch.testing.assert_close(entropy.remembered, before)


def gradient_of(entropy: GaussianMixtureEntropy, y: Tensor, labels: Tensor) -> Tensor:
    y = y.clone().requires_grad_()
    entropy(y, labels=labels).backward()
    assert y.grad is not None
    return y.grad


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (torch.randn(12, 4), torch.ones(12)),
        (torch.randn(5, 16), torch.tensor([1.0, -1, 1, -1, 1])),
        (torch.randn(6, 1).repeat(1, 4), torch.tensor([1.0, -1] * 3)),
        (torch.randn(2, 3), torch.tensor([1.0, -1.0])),
    ],
    ids=["one class empty", "fewer clips than dimensions", "singular", "one clip a class"],
)
def test_what_breaks_a_covariance_leaves_it_finite(y: Tensor, labels: Tensor) -> None:
    entropy = GaussianMixtureEntropy(y.shape[1], memory=4)
    assert entropy(y, labels=labels).isfinite()
    assert gradient_of(GaussianMixtureEntropy(y.shape[1], memory=4), y, labels).isfinite().all()


def test_one_class_counts_for_both() -> None:
    y = torch.randn(50, 3)
    one = plain(3)(y, labels=torch.ones(50))
    centred = (y - y.mean(0)).double()
    expected = 0.5 * torch.logdet(centred.T @ centred / 50) + gaussian_constant(3)
    assert one.item() == pytest.approx(expected.item(), abs=1e-5)


def test_zero_labels_are_positive_or_dropped() -> None:
    y, labels = torch.randn(30, 2), torch.tensor([1.0, 0.0, -1.0] * 10)
    kept = plain(2)(y, labels=labels)
    moved = plain(2)(y, labels=torch.where(labels == 0, 2.0, labels))
    torch.testing.assert_close(kept, moved)
    used = labels != 0
    dropped = plain(2, drop_zero=True)(y, labels=labels)
    torch.testing.assert_close(dropped, plain(2)(y[used], labels=labels[used]))
    assert not torch.isclose(kept, dropped)


def test_the_release_lets_it_in_from_the_third_batch_of_each_epoch() -> None:
    entropy = GaussianMixtureEntropy(4, memory=8, project=1, warm_up=2, forget=True, constant=False)
    labels = torch.tensor([-1.0, 1.0] * 4)
    for _ in range(2):
        entropy.start_epoch()
        assert (entropy.remembered_class == -1).all()
        values = [entropy(torch.randn(8, 4), labels=labels).item() for _ in range(4)]
        assert values[:2] == [0.0, 0.0]
        assert 0.0 not in values[2:]
    assert not any(p.requires_grad for p in entropy.parameters())


def test_a_small_batch_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    entropy = GaussianMixtureEntropy(16, memory=4)
    labels = torch.tensor([-1.0, 1.0] * 2)
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            entropy(torch.randn(4, 16), labels=labels)
    assert [r.getMessage() for r in caplog.records] == [
        "entropy of 16 dimensions from 4 clips of the rarer class: the covariance is shrunk; with "
        "classes in balance, a batch of 30 would do without"
    ]


def test_labels_are_asked_for() -> None:
    with pytest.raises(ValueError, match="labels="):
        GaussianMixtureEntropy(2)(torch.randn(4, 2))


def test_without_a_memory_nothing_is_remembered() -> None:
    entropy = GaussianMixtureEntropy(2, memory=0)
    labels = torch.tensor([-1.0, 1.0] * 4)
    for _ in range(3):
        entropy(torch.randn(8, 2), labels=labels)
        assert entropy.remembered.shape == (0, 2)
