"""LearnedWeights: its formula, its minimum, and what it refuses."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from infofuse.measures import CMD, BarberAgakov, GaussianInformation
from infofuse.objectives import LearnedWeights, Maximize, Minimize, Objective, Sum, Supervised, Term
from infofuse.tasks import Regression
from infofuse.types import Batch, Output


class Given(Objective):
    """Terms of given losses."""

    nonnegative = True

    def __init__(self, **losses: float):
        super().__init__()
        self.losses = {k: torch.tensor(v, requires_grad=True) for k, v in losses.items()}

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        return {name: Term(1 * x, x.detach() + 7) for name, x in self.losses.items()}


def clips(n: int = 8) -> tuple[Output, Batch]:
    views = {name: torch.randn(n, 3) for name in ("text", "audio")}
    present = {name: torch.ones(n, dtype=torch.bool) for name in views}
    return Output(torch.randn(n, 1), views, present), Batch({}, torch.randn(n, 1), torch.arange(n))


def scales(objective: nn.Module) -> list[nn.Parameter]:
    return [p for name, p in objective.named_parameters() if name.endswith("scale")]


def total(objective: Objective) -> Tensor:
    return torch.stack([t.loss for t in objective(*clips()).values()]).sum()


def test_it_begins_with_weights_of_one_and_leaves_values_alone() -> None:
    weighted = LearnedWeights(Given(a=2.0), Given(b=0.5))
    terms = weighted(*clips())
    assert {k: t.loss.item() for k, t in terms.items()} == {"a": 2.0, "b": 0.5}
    assert {k: t.value.item() for k, t in terms.items()} == {"a": 9.0, "b": 7.5}
    assert weighted.weights == [1.0, 1.0]


@given(loss=st.floats(1e-3, 1e3), s=st.floats(-5, 5))
def test_the_formula_and_its_gradients(loss: float, s: float) -> None:
    inner = Given(a=loss)
    weighted = LearnedWeights(inner)
    (scale,) = scales(weighted)
    nn.init.constant_(scale, s)
    total(weighted).backward()
    assert total(weighted).item() == pytest.approx(math.exp(-s) * loss + s, rel=1e-4, abs=1e-4)
    assert inner.losses["a"].grad.item() == pytest.approx(math.exp(-s), rel=1e-4)
    assert scale.grad.item() == pytest.approx(1 - math.exp(-s) * loss, rel=1e-4, abs=1e-4)


def test_the_learnt_weights_are_one_over_the_losses() -> None:
    weighted = LearnedWeights(Given(a=20.0), Given(b=0.05))
    optimizer = torch.optim.LBFGS(scales(weighted), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = total(weighted)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert weighted.weights == pytest.approx([1 / 20, 1 / 0.05], rel=1e-2)
    assert total(weighted).item() == pytest.approx(2 + math.log(20) + math.log(0.05), abs=1e-4)


def test_it_is_the_likelihood_of_laplace_and_twice_that_of_gauss() -> None:
    """Up to their constants ln 2 and ln(2 pi) / 2."""
    error = torch.randn(50)
    weighted = LearnedWeights(Given(a=error.abs().mean().item()))
    nn.init.constant_(scales(weighted)[0], 0.4)
    laplace = torch.distributions.Laplace(0, math.exp(0.4)).log_prob(error).mean()
    torch.testing.assert_close(total(weighted), -laplace - math.log(2))
    weighted = LearnedWeights(Given(a=error.square().mean().item()))
    nn.init.constant_(scales(weighted)[0], 0.4)
    gauss = torch.distributions.Normal(0, math.exp(0.2)).log_prob(error).mean()
    torch.testing.assert_close(total(weighted), -2 * gauss - math.log(2 * math.pi))


def test_a_batch_without_clips_for_a_term_does_not_move_its_weight() -> None:
    distance = Minimize(("text", "audio"), CMD(), name="cmd")
    distance.nonnegative = True
    weighted = LearnedWeights(Supervised(Regression()), distance)
    output, batch = clips()
    output.present["audio"][:] = False
    torch.stack([t.loss for t in weighted(output, batch).values()]).sum().backward()
    task, cmd = (p.grad.item() for p in scales(weighted))
    assert task != 0
    assert cmd == 0


def test_what_has_no_least_loss_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Maximize 'mi': minus a dependence .* add it outside"):
        LearnedWeights(Maximize(("text", "audio"), GaussianInformation(), name="mi"))
    with pytest.raises(ValueError, match="Minimize does not declare"):
        LearnedWeights(Minimize(("text", "audio"), GaussianInformation()))
    with pytest.raises(ValueError, match="Sum does not declare"):
        LearnedWeights(Sum(Given(a=1.0)))
    with pytest.raises(ValueError, match="LearnedWeights does not declare"):
        LearnedWeights(LearnedWeights(Given(a=1.0)))


def test_terms_of_the_same_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'a'"):
        LearnedWeights(Given(a=1.0), Given(a=2.0))(*clips())


def test_estimators_and_their_loss_come_from_within() -> None:
    ba = Minimize(("text", "audio"), BarberAgakov(3, 3), fit="epoch", allow_loose=True)
    ba.nonnegative = True  # it is not, and nothing is trained by it here
    weighted, (output, batch) = LearnedWeights(Supervised(Regression()), ba), clips()
    assert {id(p) for p in weighted.estimators()} == {id(p) for p in ba.measure.parameters()}
    assert not {id(p) for p in weighted.estimators()} & {id(p) for p in scales(weighted)}
    torch.testing.assert_close(
        weighted.learning_loss(output, batch), ba.learning_loss(output, batch)
    )
