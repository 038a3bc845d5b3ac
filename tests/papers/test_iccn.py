"""ICCN: the forward pass restated, and the correlation that it maximises."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from infofuse.data import DataSpec
from infofuse.models import VectorFusion
from infofuse.objectives import Objective
from infofuse.papers import iccn
from infofuse.types import Batch, Padded


def build(spec: DataSpec, **choices: object) -> tuple[VectorFusion, Objective]:
    torch.manual_seed(1)
    small = {"hidden": 4, "features": 5, "width": 3, "text_encoder": "features"} | choices
    model, objective = iccn.build(iccn.Config(**small), spec)  # type: ignore[arg-type]
    return model.eval(), objective


def test_forward_is_the_equations(three: DataSpec, batch: Batch) -> None:
    model, _ = build(three)
    out = model(batch)
    views = out.views
    for m in ("audio", "vision"):
        first, _, _, second, _, _, _, last = model.fusion.interact[m]
        for i in range(len(batch)):
            product = torch.outer(views["text"][i], views[m][i])[None]
            for layer in (first, second):
                product = F.conv2d(product, layer.weight, layer.bias, padding=1).relu()
                rows, columns = product.shape[1:]
                product = torch.stack([
                    product[:, r : r + 2, c : c + 2].amax((1, 2))
                    for r in range(0, rows, 2) for c in range(0, columns, 2)
                ], 1).view(-1, -(-rows // 2), -(-columns // 2))  # fmt: skip
            torch.testing.assert_close(views[f"text_{m}"][i], last(product.flatten()))
    joined = torch.cat([views["text"], views["text_audio"], views["text_vision"]], 1)
    torch.testing.assert_close(out.prediction, model.head(joined))


def test_the_term_is_the_sum_of_canonical_correlations(three: DataSpec) -> None:
    """By numpy, of plain covariances; views so dependent that the first two are far from 0."""
    _, objective = build(three, correlation=0.3)
    term = objective.parts[1]
    term.measure.shrinkage = 0.0
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = np.stack([x[:, 0] + 0.5 * rng.normal(size=200), x[:, 1], rng.normal(size=200)], 1)
    whitened = [np.linalg.qr(v - v.mean(0))[0] for v in (x, y)]
    expected = np.linalg.svd(whitened[0].T @ whitened[1], compute_uv=False).sum()
    found = term.measure(torch.tensor(x), torch.tensor(y))
    assert found.item() == pytest.approx(expected, rel=1e-6)
    assert found > term.measure.__class__(0.0)(torch.tensor(x), torch.tensor(y))  # rho >= rho^2
    assert (term.sign, float(term.weight)) == (-1.0, 0.3)


def test_training_on_the_term_alone_raises_the_correlation(three: DataSpec) -> None:
    model, objective = build(three)
    clips = torch.arange(24)
    frames = {m: Padded(torch.randn(24, 2, w), 0 * clips + 2) for m, w in three.features.items()}
    batch = Batch(frames, torch.zeros(24, 1), clips)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    values = []
    for _ in range(15):
        term = objective(model(batch), batch)["CCA(text_audio;text_vision)"]
        optimizer.zero_grad()
        term.loss.backward()
        optimizer.step()
        values.append(term.value.item())
    assert values[-1] > values[0] + 0.1


@pytest.mark.parametrize(
    ("names", "interactions"),
    [
        (("text", "audio", "vision"), ["text_audio", "text_vision"]),
        (("audio", "vision"), ["audio_vision"]),
        (("vision",), []),
    ],
)
def test_of_fewer_modalities_what_is_left(
    three: DataSpec, batch: Batch, names: tuple[str, ...], interactions: list[str]
) -> None:
    model, objective = build(three, modalities=names)
    views = model(batch).views
    assert set(views) == {*names, *interactions, "fused"}
    assert len(objective.parts) == (2 if len(interactions) == 2 else 1)


def test_a_clip_without_text_has_no_interactions(three: DataSpec, batch: Batch) -> None:
    model, objective = build(three)
    out = model(batch.only(["audio", "vision"]))
    assert not out.views["text_audio"].any()
    assert not out.present["text_audio"].any()
    assert objective(out, batch)["CCA(text_audio;text_vision)"].loss == 0
