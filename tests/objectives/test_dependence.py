"""Maximize and Minimize: sign, weight, presence, and who is trained by what."""

import pytest
import torch
from torch import Tensor, nn

from infofuse.measures import CPC, BarberAgakov, InfoNCE, Measure
from infofuse.objectives import Maximize, Minimize, Sum, Supervised
from infofuse.tasks import Regression
from infofuse.types import Batch, Output, Padded

N = 12


def output(seed: int = 0, absent: int = 0) -> tuple[Output, Batch]:
    """Views of N clips; the first `absent` of them have no audio."""
    torch.manual_seed(seed)
    views = {name: torch.randn(N, 4, requires_grad=True) for name in ("text", "audio", "fused")}
    there = torch.arange(N) >= absent
    out = Output(
        torch.randn(N, 1), views, {"text": torch.ones(N, dtype=torch.bool), "audio": there}
    )
    inputs = {"audio": Padded(torch.zeros(N, 1, 2), there.long())}
    return out, Batch(inputs, torch.randn(N, 1), torch.arange(N))


class Upper(Measure):
    """A measure that claims to bound from above."""

    side = "upper"
    paper = "none"

    def forward(self, *views: Tensor, **extra: Tensor) -> Tensor:
        return (views[0] * views[1]).mean()


def test_sign_and_weight() -> None:
    out, batch = output()
    nce = InfoNCE(4, 4)
    value = nce(out.views["text"], out.views["audio"])
    term = Maximize(("text", "audio"), nce, 0.3, name="mi")(out, batch)["mi"]
    torch.testing.assert_close(term.loss, -0.3 * value)
    torch.testing.assert_close(term.value, value.detach())
    term = Minimize(("text", "audio"), Upper(), 2.0, name="mi")(out, batch)["mi"]
    assert term.loss.item() == pytest.approx(2 * term.value.item())


def test_a_bound_on_the_wrong_side_is_refused() -> None:
    with pytest.raises(ValueError, match="maximize Upper, a bound on the upper side"):
        Maximize(("text", "audio"), Upper())
    with pytest.raises(ValueError, match="minimize InfoNCE, a bound on the lower side"):
        Minimize(("text", "audio"), InfoNCE(4, 4))
    Minimize(("text", "audio"), InfoNCE(4, 4), allow_loose=True)


def test_a_negative_weight_and_an_unknown_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 0; found -0\.1: Maximize and"):
        Maximize(["text", "audio"], InfoNCE(4, 4), -0.1)
    with pytest.raises((ValueError, TypeError), match="'epcoh'"):  # TypeError: types checked here
        Maximize(["text", "audio"], InfoNCE(4, 4), fit="epcoh")  # type: ignore[arg-type]


def test_only_clips_with_every_view_count() -> None:
    out, batch = output(absent=5)
    nce = InfoNCE(4, 4)
    term = next(iter(Maximize(("text", "audio"), nce)(out, batch).values()))
    torch.testing.assert_close(
        term.value, nce(out.views["text"][5:], out.views["audio"][5:]).detach()
    )


def test_too_few_such_clips_give_zero() -> None:
    out, batch = output(absent=N - 1)
    objective = Maximize(("text", "audio"), BarberAgakov(4, 4), fit="epoch", name="mi")
    assert objective(out, batch)["mi"].loss.item() == 0
    assert objective.learning_loss(out, batch) is None


def gradients(objective: Maximize) -> list[Tensor | None]:
    return [p.grad for p in objective.measure.parameters()]


def test_per_epoch_measures_are_constants_of_the_term() -> None:
    out, batch = output()
    objective = Maximize(("text", "audio"), BarberAgakov(4, 4), fit="epoch", name="mi")
    objective(out, batch)["mi"].loss.backward()
    assert gradients(objective) == [None] * 8
    assert out.views["audio"].grad is not None
    assert all(p.requires_grad for p in objective.estimators())
    loose = Maximize(("text", "audio"), BarberAgakov(4, 4), fit="epoch", freeze=False, name="mi")
    loose(*output())["mi"].loss.backward()
    assert all(g is not None for g in gradients(loose))


def test_their_learning_loss_leaves_the_views_alone() -> None:
    out, batch = output()
    objective = Maximize(("text", "audio"), BarberAgakov(4, 4), fit="epoch")
    loss = objective.learning_loss(out, batch)
    assert loss is not None
    loss.backward()
    assert out.views["text"].grad is None
    assert any(g is not None for g in gradients(objective))


def test_joint_measures_learn_through_the_term() -> None:
    objective = Maximize(("fused", "text"), CPC(4, 4), name="mi")
    assert list(objective.estimators()) == []
    objective(*output())["mi"].loss.backward()
    assert objective.measure.critic.predict.weight.grad is not None


def test_sum_joins_terms_estimators_and_learning_losses() -> None:
    out, batch = output()
    ba = Maximize(("text", "audio"), BarberAgakov(4, 4), fit="epoch", name="ba")
    both = Sum(Supervised(Regression()), ba, Maximize(("fused", "text"), CPC(4, 4), name="cpc"))
    assert list(both(out, batch)) == ["task", "ba", "cpc"]
    assert len(list(both.estimators())) == len(list(ba.measure.parameters()))
    torch.testing.assert_close(both.learning_loss(out, batch), ba.learning_loss(out, batch))
    assert isinstance(both.parts, nn.ModuleList)
    with pytest.raises(ValueError, match="'ba'"):
        Sum(ba, ba)(out, batch)


def test_unknown_labels_are_left_out_of_the_task() -> None:
    out, batch = output()
    batch.labels[:6] = float("nan")
    loss = Supervised(Regression())(out, batch)["task"].loss
    expected = (out.prediction[6:] - batch.labels[6:]).abs().mean()
    torch.testing.assert_close(loss, expected)


def test_inner_measures_learn_by_their_own_loss_and_are_constants_of_the_term() -> None:
    out, batch = output()
    inner = Maximize(("text", "audio"), BarberAgakov(4, 4), fit="inner", steps=4, name="mdm")
    ba = Maximize(("text", "audio"), BarberAgakov(4, 4), fit="epoch", name="ba")
    both = Sum(Supervised(Regression()), inner, ba)
    assert (inner.inner_steps, ba.inner_steps, both.inner_steps) == (4, 0, 4)
    for fit, own in (("inner", inner), ("epoch", ba)):
        assert [id(p) for p in both.estimators(fit)] == [id(p) for p in own.measure.parameters()]
        torch.testing.assert_close(
            both.learning_loss(out, batch, fit), own.learning_loss(out, batch, fit)
        )
    inner(out, batch)["mdm"].loss.backward()
    assert gradients(inner) == [None] * 8
    assert out.views["audio"].grad is not None
    assert inner.learning_loss(out, batch, "epoch") is None
    with pytest.raises(ValueError, match="at least one step, not 0"):
        Maximize(("text", "audio"), BarberAgakov(4, 4), fit="inner", steps=0)
