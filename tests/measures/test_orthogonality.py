"""Orthogonality: closed forms, what it does not see, and the two options."""

import pytest
import torch

from infofuse.measures import Orthogonality


def test_formula() -> None:
    x, y = torch.randn(6, 3, dtype=torch.double), torch.randn(6, 2, dtype=torch.double)
    unit = [(v - v.mean(0)) / (v - v.mean(0)).norm(dim=1, keepdim=True) for v in (x, y)]
    expected = sum((unit[0][:, i] @ unit[1][:, j]).item() ** 2 for i in range(3) for j in range(2))
    assert Orthogonality()(x, y).item() == pytest.approx(expected, rel=1e-5)
    assert Orthogonality(average=True)(x, y).item() == pytest.approx(expected / 6, rel=1e-5)


def test_views_in_orthogonal_subspaces_of_clips_have_none() -> None:
    """Every sign of x meets every sign of y: no coordinate goes along with another."""
    signs = torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0]))
    x, y = signs[:, :1], signs[:, 1:]
    assert Orthogonality()(x, y).item() == pytest.approx(0, abs=1e-12)
    assert Orthogonality()(x, x).item() == pytest.approx(16, rel=1e-4)


def test_means_and_scales_of_a_view_do_not_matter() -> None:
    x, y = torch.randn(2, 8, 3)
    torch.testing.assert_close(
        Orthogonality()(x, y), Orthogonality()(5 * x + 2, y), rtol=1e-4, atol=1e-4
    )


def test_constant_lengths_change_the_gradient_alone() -> None:
    x, y = torch.randn(2, 8, 3)
    x.requires_grad_()
    values = [Orthogonality(constant_lengths=constant)(x, y) for constant in (False, True)]
    assert values[0] == values[1]
    free, fixed = (torch.autograd.grad(value, x)[0] for value in values)
    assert not torch.allclose(free, fixed)
