"""MISA: its forward pass and each of its terms restated, and both variants."""

import math
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infofuse.data import DataSpec
from infofuse.encoders import StackedLSTM
from infofuse.models import VectorFusion
from infofuse.objectives import Objective
from infofuse.papers import misa
from infofuse.types import Batch, Output

NAMES = ("text", "audio", "vision")


def build(spec: DataSpec, **choices: object) -> tuple[VectorFusion, Objective]:
    torch.manual_seed(1)
    config = misa.Config(text_encoder="features", width=8, **choices)  # type: ignore[arg-type]
    model, objective = misa.build(config, spec)
    return model.eval(), objective.eval()


def lstm(x: Tensor, cells: nn.LSTM) -> tuple[Tensor, Tensor, Tensor]:
    """States of a bidirectional LSTM over one sequence, and the last of each direction."""
    states = []
    for suffix, steps in (("", x), ("_reverse", x.flip(0))):
        w_i, w_h, b_i, b_h = (
            getattr(cells, f"{name}_l0{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        h = c = x.new_zeros(w_h.shape[1])
        found = []
        for step in steps:
            i, f, g, o = (w_i @ step + b_i + w_h @ h + b_h).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            found.append(h)
        states.append(torch.stack(found))
    both = torch.cat([states[0], states[1].flip(0)], 1)
    return both, states[0][-1], states[1][-1]


def stacked(x: Tensor, encoder: StackedLSTM) -> Tensor:
    states, *first = lstm(encoder.standardize(x[None])[0], encoder.first)
    _, *second = lstm(encoder.norm(states), encoder.second)
    return torch.cat([*first, *second])


def transform(x: Tensor, layer: nn.TransformerEncoderLayer) -> Tensor:
    """A post-norm transformer layer of two heads, by the formulas."""
    q, k, v = (x @ layer.self_attn.in_proj_weight.T + layer.self_attn.in_proj_bias).chunk(3, 1)
    half = q.shape[1] // 2
    heads = [
        (q[:, s] @ k[:, s].T / math.sqrt(half)).softmax(1) @ v[:, s]
        for s in (slice(half), slice(half, None))
    ]
    x = layer.norm1(x + layer.self_attn.out_proj(torch.cat(heads, 1)))
    return layer.norm2(x + layer.linear2(layer.linear1(x).relu()))


@pytest.mark.parametrize("names", [NAMES, ("text", "vision"), ("audio",)])
def test_forward_is_the_equations(three: DataSpec, batch: Batch, names: tuple[str, ...]) -> None:
    """Of a trimodal model: the transformer does not see a modality that a clip lacks."""
    model, _ = build(three)
    out, fusion = model(batch.only(names)), model.fusion
    for i in range(len(batch)):
        parts: dict[str, Tensor] = {}
        for m in names:
            x = batch.inputs[m].values[i, : batch.inputs[m].lengths[i]]
            linear, _, norm = fusion.project[m]
            u = norm(linear(stacked(x, model.encoders[m])).relu())
            parts |= {m: u, f"private_{m}": fusion.private[m](u).sigmoid()}
            parts[f"shared_{m}"] = fusion.shared(u).sigmoid()
        for name, view in parts.items():
            torch.testing.assert_close(out.views[name][i], view, atol=1e-5, rtol=1e-4)
        keys = [f"{kind}_{m}" for kind in ("private", "shared") for m in NAMES]
        found = transform(torch.stack([parts[k] for k in keys if k in parts]), fusion.transform)
        rows = dict(zip([k for k in keys if k in parts], found, strict=True))
        h = torch.cat([rows.get(k, torch.zeros(8)) for k in keys])
        torch.testing.assert_close(out.views["fused"][i], fusion.fuse(h).relu())


def cmd(x: Tensor, y: Tensor) -> Tensor:
    total = (x.mean(0) - y.mean(0)).norm()
    for k in range(2, 6):
        total = total + ((x - x.mean(0)).pow(k).mean(0) - (y - y.mean(0)).pow(k).mean(0)).norm()
    return total


def difference(x: Tensor, y: Tensor) -> Tensor:
    rows = [F.normalize(v - v.mean(0), dim=1) for v in (x, y)]
    return sum((rows[0][:, i] @ rows[1][:, j]) ** 2 for i in range(8) for j in range(8))


@pytest.mark.parametrize("variant", ["paper", "release"])
def test_loss_is_the_formula(three: DataSpec, batch: Batch, variant: str) -> None:
    model, objective = build(three, variant=variant, alpha=0.7, beta=0.3, gamma=0.5)
    out = model(batch)
    v = out.views
    similar = sum(cmd(v[f"shared_{m}"], v[f"shared_{n}"]) for m, n in combinations(NAMES, 2)) / 3
    differ = sum(difference(v[f"private_{m}"], v[f"shared_{m}"]) for m in NAMES)
    differ += sum(
        difference(v[f"private_{m}"], v[f"private_{n}"]) for m, n in combinations(NAMES, 2)
    )
    again = {
        m: objective.parts[-1].decoders[m](v[f"private_{m}"] + v[f"shared_{m}"]) for m in NAMES
    }
    lost = sum((again[m] - v[m]).square().mean() for m in NAMES) / 3
    expected = (out.prediction - batch.labels).abs().mean() + 0.7 * similar + 0.5 * lost
    expected += 0.3 * differ / (64 if variant == "release" else 1)
    found = sum(term.loss for term in objective(out, batch).values())
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_of_fewer_modalities_the_terms_that_are_left(three: DataSpec) -> None:
    def terms(*names: str) -> list[str]:
        return [part.name for part in build(three, modalities=names)[1].parts]

    assert terms("audio") == ["task", "Orthogonality(private_audio;shared_audio)", "reconstruction"]
    assert len(terms("text", "vision")) == 1 + 1 + 3 + 1
    assert len(terms(*NAMES)) == 1 + 3 + 6 + 1
    bare = build(three, alpha=0.0, beta=0.0, gamma=0.0)[1]
    assert [part.name for part in bare.parts] == ["task"]


def test_a_clip_that_lacks_a_modality_counts_in_no_term_of_it(
    three: DataSpec, batch: Batch
) -> None:
    """Terms of audio are those of the other clips alone."""
    model, objective = build(three, similarity="cmd")
    gone = torch.tensor([False, True, False])
    batch.inputs["audio"] = batch.inputs["audio"].without(gone)
    out = model(batch)
    kept = Output(
        out.prediction[~gone],
        {m: v[~gone] for m, v in out.views.items()},
        {m: p[~gone] for m, p in out.present.items()},
    )
    rest = Batch({}, batch.labels[~gone], batch.index[~gone])
    found, expected = objective(out, batch), objective(kept, rest)
    audio = [name for name in found if "audio" in name]
    assert len(audio) == 2 + 1 + 2
    for name in audio:
        torch.testing.assert_close(found[name].value, expected[name].value)


def test_the_adversary_learns_and_the_views_unlearn(three: DataSpec, batch: Batch) -> None:
    """One loss: its gradient in the discriminator is plain, in the views reversed and scaled."""
    model, objective = build(three, similarity="adversarial", reversal=0.5, alpha=2.0)
    part = next(p for p in objective.parts if p.name == "similarity")
    out = model(batch)
    shared = [out.views[f"shared_{m}"] for m in NAMES]
    rows = torch.cat(shared).detach().requires_grad_()
    plain = F.cross_entropy(part.discriminator(rows), torch.arange(3).repeat_interleave(3))
    inside = list(part.discriminator.parameters())
    expected = torch.autograd.grad(2 * plain, [rows, *inside])
    term = part(out, batch)["similarity"]
    torch.testing.assert_close(term.value, plain.detach())
    found = torch.autograd.grad(term.loss, [*shared, *inside])
    torch.testing.assert_close(torch.cat(found[:3]), -0.5 * expected[0])
    for one, two in zip(found[3:], expected[1:], strict=True):
        torch.testing.assert_close(one, two)


def test_size_is_that_of_the_published_code(tiny_bert: str) -> None:
    """MOSI's 47 and 74 features: all but the text encoder, and but what the code never uses."""
    spec = DataSpec("mosi", {"vision": 47, "audio": 74}, text=True)
    model, objective = misa.build(misa.Config(text_encoder=tiny_bert), spec)
    d, both = 128, 0
    for f in (47, 74):
        both += 2 * (4 * f * (f + f) + 8 * f) + 4 * f + 2 * (4 * f * (2 * f + f) + 8 * f)
    project = sum((w + 1) * d + 2 * d for w in (32, 4 * 47, 4 * 74))
    layer = 4 * d * d + 4 * d + 2 * 2048 * d + 2048 + d + 4 * d
    rest = 4 * (d * d + d) + (6 * d * 3 * d + 3 * d) + 3 * d + 1
    ours = sum(p.numel() for n, p in model.named_parameters() if "text.encoder" not in n)
    assert ours == both + project + layer + rest
    assert sum(p.numel() for p in objective.parameters()) == 3 * (d * d + d)  # the decoders
