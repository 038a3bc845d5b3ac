"""Our dropout does what torch's does: the rate, the scale, the gradient, and the seed."""

import pytest
import torch
from torch import nn

from infofuse.encoders.dropout import Dropout, dropout, replace_dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_rate_and_scale(p: float) -> None:
    torch.manual_seed(0)
    y = dropout(torch.ones(1000, 1001), p)
    assert (y == 0).double().mean().item() == pytest.approx(p, abs=0.002)
    kept = y[y != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p)), rtol=1e-4, atol=0)


def test_elements_fall_independently() -> None:
    """Four elements share a draw; knowing one says nothing of its neighbours."""
    torch.manual_seed(0)
    dropped = (dropout(torch.ones(250_000, 4), 0.3) == 0).double()
    correlation = torch.corrcoef(dropped.T) - torch.eye(4)
    assert correlation.abs().max() < 0.01


def test_gradient_is_the_mask() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 7, requires_grad=True)
    y = dropout(x, 0.5)
    y.sum().backward()
    torch.testing.assert_close(x.grad, (y / x).detach())


def test_seed_decides_and_evaluation_is_the_identity() -> None:
    x = torch.randn(3, 5)
    layer = Dropout(0.4)
    answers = []
    for _ in range(2):
        torch.manual_seed(1)
        answers.append(layer(x))
    torch.testing.assert_close(answers[0], answers[1], rtol=0, atol=0)
    assert layer.eval()(x) is x
    assert dropout(x, 0.0) is x
    assert (dropout(x, 1.0) == 0).all()


def test_bfloat16_keeps_its_type() -> None:
    assert dropout(torch.ones(8, dtype=torch.bfloat16), 0.5).dtype == torch.bfloat16


def test_every_dropout_of_a_model_is_replaced() -> None:
    model = nn.Sequential(nn.Dropout(0.2), nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.3)))
    replace_dropout(model)
    found = [m.p for m in model.modules() if isinstance(m, Dropout)]
    assert found == [0.2, 0.3]
