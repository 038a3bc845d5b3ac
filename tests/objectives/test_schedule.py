"""Scheduled weights: the line they follow, the loss they scale, and a run that goes on."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from infofuse.measures import CPC, GaussianInformation
from infofuse.objectives import LearnedWeights, Maximize, Minimize, Sum, Supervised, WarmUp
from infofuse.tasks import Regression
from infofuse.training.state import TrainingState
from infofuse.types import Batch, Output, Padded

N = 12


def start_epoch(objective: nn.Module) -> None:
    """As the training loop does."""
    for module in objective.modules():
        if hasattr(module, "start_epoch"):
            module.start_epoch()


def batch(seed: int) -> Batch:
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(N, 1, 4, generator=random)
    lengths = torch.ones(N, dtype=torch.long)
    return Batch({"text": Padded(x, lengths)}, x.sum(2), torch.arange(N))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.text, self.head = nn.Linear(4, 3), nn.Linear(3, 1)

    def forward(self, batch: Batch) -> Output:
        x = batch.inputs["text"].values[:, 0]
        hidden = self.text(x).tanh()
        views = {"text": x, "fused": hidden}
        return Output(self.head(hidden), views, {"text": batch.inputs["text"].present})


@given(weight=st.floats(-10, 10), epochs=st.integers(1, 50))
def test_a_warm_up_is_a_line_and_then_a_constant(weight: float, epochs: int) -> None:
    warm_up = WarmUp(weight, epochs)
    assert warm_up.at(0) == 0
    assert warm_up.at(epochs) == warm_up.at(epochs + 7) == weight
    steps = [warm_up.at(e + 1) - warm_up.at(e) for e in range(epochs)]
    assert steps == pytest.approx([weight / epochs] * epochs)


def test_a_warm_up_is_frozen_and_takes_an_epoch() -> None:
    with pytest.raises(FrozenInstanceError):
        WarmUp(0.1, 2).weight = 1.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="at least one epoch, not 0"):
        WarmUp(0.1, 0)


@pytest.mark.parametrize(("kind", "sign"), [(Maximize, -1), (Minimize, 1)])
def test_the_loss_follows_the_schedule_and_the_value_does_not(
    kind: type[Maximize] | type[Minimize], sign: int
) -> None:
    output, clips = Model()(batch(0)), batch(0)
    term = kind(("text", "fused"), GaussianInformation(), WarmUp(0.5, 2), name="mi")
    objective = Sum(Supervised(Regression()), term)
    value = GaussianInformation()(output.views["text"], output.views["fused"])
    for weight in (0.0, 0.25, 0.5, 0.5):
        start_epoch(objective)
        found = objective(output, clips)["mi"]
        torch.testing.assert_close(found.loss, sign * weight * value)
        torch.testing.assert_close(found.value, value.detach())


def test_without_an_epoch_there_is_no_weight() -> None:
    objective = Maximize(("text", "fused"), GaussianInformation(), WarmUp(0.5, 2))
    with pytest.raises(ValueError, match=r"call start_epoch\(\)"):
        objective(Model()(batch(0)), batch(0))


def test_one_schedule_serves_two_terms() -> None:
    warm_up = WarmUp(1.0, 4)
    a, b = (Maximize(("text", "fused"), GaussianInformation(), warm_up) for _ in range(2))
    start_epoch(a)
    start_epoch(a)
    start_epoch(b)
    assert (float(a.weight), float(b.weight)) == (0.25, 0.0)


def test_a_number_adds_nothing_to_the_state() -> None:
    plain = Maximize(("text", "fused"), GaussianInformation(), 0.5)
    assert plain.weight == 0.5
    assert plain.state_dict() == {}
    assert list(plain.modules()) == [plain, plain.measure]


class Run:
    """A training run in small, with everything that a snapshot holds."""

    def __init__(self, folder: Path):
        torch.manual_seed(0)
        self.model = Model()
        self.objective = Sum(
            LearnedWeights(Supervised(Regression())),
            Maximize(("text", "fused"), CPC(4, 3), WarmUp(0.3, 4), name="mi"),
        )
        both = [*self.model.parameters(), *self.objective.parameters()]
        self.optimizer = torch.optim.Adam(both, lr=0.01)
        modules = {"model": self.model, "objective": self.objective}
        self.state = TrainingState(folder, modules, {"main": self.optimizer})

    def train(self, first: int, last: int) -> dict[str, torch.Tensor]:
        for epoch in range(first, last):
            start_epoch(self.objective)
            for step in range(3):
                clips = batch(10 * epoch + step)
                terms = self.objective(self.model(clips), clips)
                self.optimizer.zero_grad()
                torch.stack([t.loss for t in terms.values()]).sum().backward()
                self.optimizer.step()
        return {**self.model.state_dict(), **self.objective.state_dict()}


def test_a_resumed_run_ends_in_equal_bits(tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole").train(0, 6)
    broken = Run(tmp_path / "broken")
    broken.train(0, 2)
    broken.state.save(2, {})
    again = Run(tmp_path / "broken")
    assert again.state.restore() == {}
    resumed = again.train(2, 6)
    assert whole.keys() == resumed.keys()
    assert all(whole[name].equal(resumed[name]) for name in whole)
    assert whole["parts.1.weight.started"] == 6
