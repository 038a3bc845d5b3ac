"""MBT: its equations restated, and that modalities meet in the bottleneck alone."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from infofuse.data import DataSpec
from infofuse.models import SequenceFusion
from infofuse.papers import mbt
from infofuse.types import Batch

SMALL = {"width": 8, "heads": 2, "layers": 3, "fuse_from": 1, "tokens": 2}


def build(spec: DataSpec, **choices: object) -> SequenceFusion:
    torch.manual_seed(1)
    config = mbt.Config(text_encoder="features", **SMALL | choices)  # type: ignore[arg-type]
    return mbt.build(config, spec)[0].eval()


def position(t: int, k: int) -> float:
    angle = t / 10000 ** (2 * (k // 2) / 8)
    return math.sin(angle) if k % 2 == 0 else math.cos(angle)


def block(w: dict[str, Tensor], at: str, x: Tensor) -> Tensor:
    """A pre-norm transformer layer over one sequence, by torch's own multi-head attention."""
    names = ("query", "key_value", "out")
    weights = [w[f"{at}.attention.{n}.weight"] for n in names]
    biases = [w[f"{at}.attention.{n}.bias"] for n in names]
    y = F.layer_norm(x, (8,), w[f"{at}.before.weight"], w[f"{at}.before.bias"])[:, None]
    found, _ = F.multi_head_attention_forward(
        y, y, y, 8, 2, torch.cat(weights[:2]), torch.cat(biases[:2]), None, None, False, 0.0,
        weights[2], biases[2], training=False,
    )  # fmt: skip
    x = x + found[:, 0]
    y = F.layer_norm(x, (8,), w[f"{at}.between.weight"], w[f"{at}.between.bias"])
    y = F.gelu(F.linear(y, w[f"{at}.widen.weight"], w[f"{at}.widen.bias"]))
    return x + F.linear(y, w[f"{at}.narrow.weight"], w[f"{at}.narrow.bias"])


def restated(w: dict[str, Tensor], frames: dict[str, Tensor]) -> dict[str, Tensor]:
    """Eq. 8 and 9 for one clip."""
    z, x = w["fusion.bottleneck"], {}
    for m, values in frames.items():
        steps = F.linear(values, w[f"fusion.project.{m}.weight"], w[f"fusion.project.{m}.bias"])
        joined = torch.cat([w[f"fusion.first.{m}"], steps])
        x[m] = joined + torch.tensor(
            [[position(t, k) for k in range(8)] for t in range(len(joined))]
        )
    for i in range(3):
        if i < 1:
            x = {m: block(w, f"fusion.layers.{i}.{m}", v) for m, v in x.items()}
            continue
        both = {m: block(w, f"fusion.layers.{i}.{m}", torch.cat([v, z])) for m, v in x.items()}
        x = {m: v[:-2] for m, v in both.items()}
        z = torch.stack([v[-2:] for v in both.values()]).mean(0)
    norm = (8,), w["fusion.norm.weight"], w["fusion.norm.bias"]
    views = {m: F.layer_norm(v[0], *norm) for m, v in x.items()}
    return views | {"fused": torch.stack(list(views.values())).mean(0)}


@pytest.mark.parametrize("names", [("text", "audio", "vision"), ("audio", "vision"), ("vision",)])
def test_forward_is_the_equations(three: DataSpec, batch: Batch, names: tuple[str, ...]) -> None:
    """Of a trimodal model: a modality that a clip lacks is as if it were not there."""
    model = build(three)
    out = model(batch.only(names))
    for i in range(len(batch)):
        frames = {m: batch.inputs[m].values[i, : batch.inputs[m].lengths[i]] for m in names}
        for name, view in restated(model.state_dict(), frames).items():
            torch.testing.assert_close(out.views[name][i], view, atol=1e-5, rtol=1e-4)
    logits = torch.stack([model.head(out.views[m]) for m in names])
    torch.testing.assert_close(out.prediction, logits.mean(0))


@pytest.mark.parametrize(("fuse_from", "meet"), [(2, False), (1, True)])
def test_modalities_meet_in_the_bottleneck_alone(
    three: DataSpec, batch: Batch, fuse_from: int, meet: bool
) -> None:
    """What the tokens gather in one layer is read in the next; in the last, by nobody."""
    model = build(three, fuse_from=fuse_from)
    before = model(batch).views["text"]
    batch.inputs["audio"].values += 1.0
    assert ((model(batch).views["text"] - before).abs().max() > 1e-4) == meet


def test_size(three: DataSpec) -> None:
    layer = 4 * 8 * 8 + 4 * 8 + 8 * 8 * 8 + 5 * 8 + 4 * 8
    expected = 3 * 3 * layer + (6 + 3 + 4 + 3) * 8 + 3 * 8 + 2 * 8 + 2 * 8 + 8 + 1
    assert sum(p.numel() for p in build(three).parameters()) == expected


def test_fusion_that_never_begins_is_refused(three: DataSpec) -> None:
    with pytest.raises(ValueError, match="one of the layers 0 to 2"):
        build(three, fuse_from=3)
