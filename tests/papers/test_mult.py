"""MulT: its equations restated step by step, both variants, and what is left without a source."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infofuse.data import DataSpec
from infofuse.fusion.attention import Attention
from infofuse.models import SequenceFusion
from infofuse.papers import mult
from infofuse.types import Batch

SMALL = {"width": 8, "heads": 2, "layers": 2, "kernel_audio": 3, "text_encoder": "features"}


def build(spec: DataSpec, **choices: object) -> SequenceFusion:
    torch.manual_seed(1)
    return mult.build(mult.Config(**SMALL | choices), spec)[0].eval()  # type: ignore[arg-type]


class Restated:
    """One clip through the paper's equations, from the weights by name."""

    def __init__(self, model: SequenceFusion, release: bool):
        self.w, self.release = model.state_dict(), release

    def linear(self, x: Tensor, name: str) -> Tensor:
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def position(self, t: int, k: int, width: int) -> float:
        if not self.release:
            angle = t / 10000 ** (2 * (k // 2) / width)
            return math.sin(angle) if k % 2 == 0 else math.cos(angle)
        half = width // 2
        angle = (t + 1) * math.exp(-(k % half) * math.log(10000) / (half - 1))
        return math.sin(angle) if k < half else math.cos(angle)

    def embed(self, x: Tensor) -> Tensor:
        time, width = x.shape
        places = [[self.position(t, k, width) for k in range(width)] for t in range(time)]
        return x * (math.sqrt(width) if self.release else 1) + torch.tensor(places)

    def attention(self, x: Tensor, c: Tensor, name: str) -> Tensor:
        width = x.shape[1]
        query = self.linear(x, f"{name}.query")
        key, value = self.linear(c, f"{name}.key_value").split(width, dim=1)
        heads = []
        for part in torch.arange(width).chunk(SMALL["heads"]):  # type: ignore[arg-type]
            scores = query[:, part] @ key[:, part].T / math.sqrt(len(part))
            if self.release:
                scores = scores + torch.full_like(scores, -math.inf).triu(1 + abs(len(c) - len(x)))
            heads.append(scores.softmax(1) @ value[:, part])
        return self.linear(torch.cat(heads, 1), f"{name}.out")

    def transformer(self, x: Tensor, c: Tensor | None, name: str, layers: int) -> Tensor:
        x, c = self.embed(x), None if c is None else self.embed(c)
        for i in range(layers):
            at = f"{name}.blocks.{i}"
            query = self.norm(x, f"{at}.before")
            source = query if c is None else self.norm(c, f"{at}.before")
            x = x + self.attention(query, source, f"{at}.attention")
            inside = self.linear(self.norm(x, f"{at}.between"), f"{at}.widen").relu()
            x = x + self.linear(inside, f"{at}.narrow")
        return self.norm(x, f"{name}.norm")

    def views(self, frames: dict[str, Tensor]) -> dict[str, Tensor]:
        steps = {
            m: F.conv1d(x.T[None], self.w[f"fusion.convolve.{m}.weight"], padding="same")[0].T
            for m, x in frames.items()
        }
        views = {}
        for m in frames:
            onto = [
                self.transformer(steps[m], steps[n], f"fusion.onto.{n}_{m}", 2)
                for n in frames
                if n != m
            ]
            both = torch.cat(onto, 1)
            views[m] = self.transformer(both, None, f"fusion.memory.{m}", 3)[-1]
        h = torch.cat(list(views.values()))
        inside = self.linear(h, "fusion.first").relu()
        return views | {"fused": h + self.linear(inside, "fusion.second")}


@pytest.mark.parametrize("variant", ["paper", "release"])
def test_forward_is_the_equations(three: DataSpec, batch: Batch, variant: str) -> None:
    model = build(three, variant=variant)
    out = model(batch)
    restated = Restated(model, variant == "release")
    for i in range(len(batch)):
        frames = {m: x.values[i, : x.lengths[i]] for m, x in batch.inputs.items()}
        for name, view in restated.views(frames).items():
            torch.testing.assert_close(out.views[name][i], view, atol=1e-5, rtol=1e-4)
    expected = restated.linear(out.views["fused"], "head")
    torch.testing.assert_close(out.prediction, expected)


def test_the_variants_differ_in_numbers(three: DataSpec, batch: Batch) -> None:
    paper, release = (build(three, variant=variant) for variant in ("paper", "release"))
    assert paper.state_dict().keys() == release.state_dict().keys()
    gap = (paper(batch).prediction - release(batch).prediction).abs()
    assert gap.min() > 1e-3


def test_a_source_that_a_clip_lacks_adds_nothing(three: DataSpec, batch: Batch) -> None:
    """Attention to an absent source is zero: what it would have said does not matter."""
    model = build(three)
    without = batch.only(["text", "vision"])
    before = model(without).views["text"]
    without.inputs["audio"].values[:] = 100.0
    torch.testing.assert_close(model(without).views["text"], before)
    assert (model(batch).views["text"] - before).abs().min(1).values.max() > 1e-4
    assert not model(without).views["audio"].any()


def test_size_is_that_of_the_published_code() -> None:
    """30 wide, 5 layers, MOSI's 300, 5 and 20 features: 1.07 million, as the code counts them."""
    spec = DataSpec("mosi", {"text": 300, "audio": 5, "vision": 20})
    model, _ = mult.build(mult.Config(text_encoder="features"), spec)

    def transformer(d: int) -> int:
        return 5 * (4 * d * d + 4 * d + 8 * d * d + 5 * d + 4 * d) + 2 * d

    residual = 2 * (180 * 180 + 180) + 180 + 1
    expected = 30 * 325 + 6 * transformer(30) + 3 * transformer(60) + residual
    assert sum(p.numel() for p in model.parameters()) == expected == 1_071_211


def test_attention_that_drops_next_to_nothing_is_torchs() -> None:
    """In training it is written out; a chance that rounds to none leaves what torch computes."""
    torch.manual_seed(0)
    layer = Attention(6, 2, dropout=1e-6)
    x, context = torch.randn(3, 4, 6, requires_grad=True), torch.randn(3, 5, 6)
    allowed = torch.rand(3, 4, 5) > 0.4
    allowed[1, 2] = False
    found = [layer.train(mode)(x, context, allowed) for mode in (True, False)]
    slopes = [torch.autograd.grad(y.square().sum(), x)[0] for y in found]
    torch.testing.assert_close(*found)
    torch.testing.assert_close(*slopes)


def test_attention_drops_as_many_weights_as_it_is_told() -> None:
    """With values of 1 and no projection, what is left of a step's weights sums to 1 on average."""
    torch.manual_seed(0)
    layer = Attention(2, 1, dropout=0.3).train()
    nn.init.zeros_(layer.key_value.weight)
    nn.init.ones_(layer.key_value.bias)
    nn.init.eye_(layer.out.weight)
    sums = layer(torch.randn(200, 10, 2), torch.randn(200, 20, 2), torch.ones(200, 1, 20).bool())
    # 20 weights of 1/20, each kept with a chance of .7: variance (.3 / .7) / 20.
    assert abs(sums.mean() - 1) < 0.01
    assert abs(sums.var() - 0.3 / 0.7 / 20) < 0.003


def test_heads_that_do_not_fit_the_width_are_refused(three: DataSpec) -> None:
    with pytest.raises(ValueError, match="3 attention heads do not share a width of 8"):
        build(three, heads=3)
