"""TFN, LMF and LF-DNN: forward passes restated clip by clip, and sizes of the released code."""

from typing import Any

import pytest
import torch
from tiny import batch_of, build, dense, linear, lstm, size_on_mosi
from torch import Tensor, nn

from infofuse.data import Corpus
from infofuse.models import LateFusion
from infofuse.types import Padded


def sequence(padded: Padded, i: int) -> Tensor:
    return padded.values[i, : int(padded.lengths[i])]


def vector(encoder: Any, padded: Padded, i: int) -> Tensor:
    """TFN, section 4.1: the last state of an LSTM for the text, the mean frame for the others."""
    x = (sequence(padded, i) - encoder.steps.standardize.mean) * encoder.steps.standardize.scale
    x = x.clamp(-10, 10)
    if hasattr(encoder, "lstm"):
        cell = nn.LSTMCell(x.shape[1], encoder.lstm.hidden_size)
        cell.load_state_dict({k[:-3]: v for k, v in encoder.lstm.state_dict().items()})
        h = c = torch.zeros(encoder.lstm.hidden_size)
        for step in x:
            h, c = cell(step, (h, c))
        return linear(encoder.project, h)
    y = x.mean(0)
    for layer in encoder.layers:
        y = linear(layer, y).clamp(min=0)
    return y


def tensor(fusion: Any, h: dict[str, Tensor]) -> Tensor:
    """TFN: every product of an entry of [1, h_t], [1, h_a] and [1, h_v], then two layers."""
    one = [torch.cat([torch.ones(1), v]) for v in h.values()]
    z = torch.einsum("i,j,k->ijk", *one).flatten()
    return linear(fusion.layers.second, linear(fusion.layers.first, z).clamp(min=0)).clamp(min=0)


def low_rank(fusion: Any, h: dict[str, Tensor]) -> Tensor:
    """LMF by the definition: the whole weight tensor of rank R, applied to TFN's tensor."""
    one = [torch.cat([torch.ones(1), v]) for v in h.values()]
    z = torch.einsum("i,j,k->ijk", *one)
    factors = [fusion.factors[m] for m in h]
    weight = torch.einsum("r,riw,rjw,rkw->ijkw", fusion.weights[0], *factors)
    return torch.einsum("ijk,ijkw->w", z, weight) + fusion.bias


def layers(fusion: Any, h: dict[str, Tensor]) -> Tensor:
    """LF-DNN: two layers on the joined vectors."""
    joined = torch.cat(list(h.values()))
    first = linear(fusion.layers.first, joined).clamp(min=0)
    return linear(fusion.layers.second, first).clamp(min=0)


FUSIONS = {"tfn": tensor, "lmf": low_rank, "lf_dnn": layers}


@pytest.mark.parametrize("paper", FUSIONS)
def test_forward_is_the_papers_equations(corpus: Corpus, paper: str) -> None:
    model, _ = build(paper, corpus.spec, "features")
    assert isinstance(model, LateFusion)
    batch = batch_of(model, corpus, size=4)
    model.eval()
    with torch.no_grad():
        output = model(batch)
        for i in range(4):
            h = {m: vector(e, batch.inputs[m], i) for m, e in model.encoders.items()}
            for m in h:
                torch.testing.assert_close(output.views[m][i], h[m], atol=1e-5, rtol=1e-4)
            fused = FUSIONS[paper](model.fusion, h)
            torch.testing.assert_close(output.views["fused"][i], fused, atol=1e-5, rtol=1e-4)
            expected = linear(model.head, fused)
            torch.testing.assert_close(output.prediction[i], expected, atol=1e-5, rtol=1e-4)


def test_published_size_of_tfn() -> None:
    """MMSA's on 300, 5 and 20 features, less its batch norms (2 d numbers each)."""
    encoders = lstm(300, 128) + dense(128, 128) + dense(5, 16, 16, 16) + dense(20, 128, 128, 128)
    assert size_on_mosi("tfn") == encoders + dense(129 * 17 * 129, 32, 32, 1)


def test_published_size_of_lmf() -> None:
    """The released code's encoders, less batch norms; its fused width is 1, ours 32 and a head."""
    encoders = lstm(300, 256) + dense(256, 128) + dense(5, 32, 32, 32) + dense(20, 256, 256, 256)
    factors = 4 * (129 + 33 + 257)
    assert size_on_mosi("lmf") == encoders + 32 * factors + 4 + 32 + dense(32, 1)
    assert size_on_mosi("lmf", fusion=1) == encoders + factors + 4 + 1 + dense(1, 1)


def test_published_size_of_lf_dnn() -> None:
    """MMSA's, less batch norms."""
    encoders = lstm(300, 64) + dense(64, 256) + dense(5, 16, 16, 16) + dense(20, 64, 64, 64)
    assert size_on_mosi("lf_dnn") == encoders + dense(256 + 16 + 64, 16, 16, 1)


def test_an_absent_view_leaves_tfn_the_products_of_the_others(corpus: Corpus) -> None:
    """With audio absent, TFN's first layer sees the tensor of text and vision, and zeros."""
    model, _ = build("tfn", corpus.spec, "features")
    batch = batch_of(model, corpus, size=3).only(["text", "vision"])
    seen: list[Tensor] = []
    model.fusion.layers.first.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    views = model.eval()(batch).views
    z = seen[0].view(3, 9, 9, 9)
    one = {m: torch.cat([torch.ones(3, 1), views[m]], 1) for m in ("text", "vision")}
    torch.testing.assert_close(z[:, :, 0], one["text"][:, :, None] * one["vision"][:, None])
    assert not z[:, :, 1:].any()
