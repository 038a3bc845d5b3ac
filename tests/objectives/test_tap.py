"""tap: views of a model that returns only a score."""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from infofuse.errors import InfofuseError
from infofuse.measures import InfoNCE
from infofuse.objectives import tap

TEXT = torch.linspace(-1, 1, 30).sin().reshape(6, 5)
AUDIO = torch.linspace(-9, 9, 168).sin().reshape(6, 7, 4)


class States(NamedTuple):
    last: Tensor
    pooled: Tensor


class Pooler(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> States:
        return States(x, self.map(x))


class Foreign(nn.Module):
    """Returns a score, and keeps the rest to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict(
            {"text": nn.Linear(5, 3), "audio": nn.GRU(4, 3, batch_first=True), "both": Pooler()}
        )
        self.head, self.unused = nn.Linear(6, 1), nn.Linear(1, 1)

    def forward(self, text: Tensor, audio: Tensor) -> Tensor:
        a, t = self.encoder["audio"](audio)[0], self.encoder["text"](text)
        self.encoder["both"](text)
        return self.head(torch.cat([t, a[:, -1]], 1))


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def last_step(output: Any) -> Tensor:
    return output[0][:, -1]


def test_views_are_what_the_submodules_return_and_carry_gradients() -> None:
    model, nce = Foreign(), InfoNCE(3, 3)
    plain = model(TEXT, AUDIO)
    chosen = {"audio": last_step}
    with tap(model, text="encoder.text", audio="encoder.audio", select=chosen) as views:
        score = model(TEXT, AUDIO)
        assert score.equal(plain)
        assert views["text"].equal(model.encoder["text"](TEXT))
        (-nce(views["text"], views["audio"])).backward()
    assert model.encoder["text"].weight.grad.abs().sum() > 0
    assert model.encoder["audio"].weight_ih_l0.grad.abs().sum() > 0
    assert model.head.weight.grad is None


def test_a_part_of_a_tuple_is_selected() -> None:
    model = Foreign()
    with tap(model, both="encoder.both", select={"both": lambda out: out.pooled}) as views:
        model(TEXT, AUDIO)
    assert views["both"].equal(model.encoder["both"](TEXT).pooled)


def test_hooks_go_at_the_end_even_after_an_error() -> None:
    model = Foreign()
    with tap(model, text="encoder.text") as views:
        assert hooks(model) == 2
        model(TEXT, AUDIO)
    assert hooks(model) == 0
    before = views["text"]
    model(TEXT + 1, AUDIO)
    assert views["text"] is before
    with pytest.raises(ZeroDivisionError), tap(model, text="encoder.text"):
        _ = 1 / 0
    assert hooks(model) == 0


def test_each_forward_clears_the_views_of_the_last() -> None:
    model = Foreign()
    with tap(model, text="encoder.text", other="unused") as views:
        model.unused(torch.ones(2, 1))
        assert views["other"].shape == (2, 1)
        model(TEXT, AUDIO)
        assert list(views) == ["text"]
        with pytest.raises(KeyError, match="'other': it was not tapped, or did not run"):
            views["other"]
        model(TEXT[:2], AUDIO[:2])
        assert len(views["text"]) == 2


def test_unknown_names_are_refused_with_the_nearest() -> None:
    model = Foreign()
    with (
        pytest.raises(InfofuseError, match=r"'encoder\.txt'; did you mean 'encoder\.text'"),
        tap(model, text="encoder.txt"),
    ):
        pass
    with (
        pytest.raises(InfofuseError, match="unknown view 'audoi'; did you mean 'audio'"),
        tap(model, audio="encoder.audio", select={"audoi": last_step}),
    ):
        pass
    assert hooks(model) == 0


def test_a_module_is_known_by_each_of_its_names() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    model.add_module("again", model[0])
    with tap(model, first="0", again="again") as views:
        model(torch.randn(3, 2))
    assert views["first"].equal(views["again"])


def test_what_is_no_view_is_refused() -> None:
    model = Foreign()
    with (
        tap(model, audio="encoder.audio"),
        pytest.raises(TypeError, match=r"'audio' is a tuple, not a tensor; .*select=\{'audio'"),
    ):
        model(TEXT, AUDIO)
    with (
        tap(model, audio="encoder.audio", select={"audio": lambda out: out[0]}),
        pytest.raises(ValueError, match=r"'audio' is of shape \(6, 7, 3\); .*select="),
    ):
        model(TEXT, AUDIO)
