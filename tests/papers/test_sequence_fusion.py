"""EF-LSTM, MFN and Graph-MFN: restated step by step for one clip, and sizes of released code."""

from itertools import combinations
from typing import Any

import pytest
import torch
from tiny import batch_of, build, dense, linear, lstm, size_on_mosi
from torch import Tensor, nn

from infofuse.data import Corpus
from infofuse.fusion.memory import unroll

NAMES = ("text", "audio", "vision")


def net(layer: Any, x: Tensor) -> Tensor:
    """W2 relu(W1 x + b1) + b2."""
    return linear(layer.second, linear(layer.first, x).clamp(min=0))


def cell(stack: nn.LSTM, layer: int = 0) -> nn.LSTMCell:
    """One layer of an LSTM, to be run by hand."""
    weights = {k[:-3]: v for k, v in stack.state_dict().items() if k.endswith(f"l{layer}")}
    one = nn.LSTMCell(weights["weight_ih"].shape[1], stack.hidden_size)
    one.load_state_dict(weights)
    return one


def frames(model: Any, batch: Any, i: int) -> dict[str, Tensor]:
    """The clip's frames, at each word the mean of those in the word's share of the clip."""
    steps = int(batch.inputs["text"].lengths[i])
    aligned = {}
    for m, encoder in model.encoders.items():
        n = int(batch.inputs[m].lengths[i])
        x = encoder(batch.inputs[m]).values[i, :n]
        bounds = [(k * n // steps, (k + 1) * n // steps) for k in range(steps)]
        aligned[m] = torch.stack([x[a : max(b, a + 1)].mean(0) for a, b in bounds])
    return aligned


def early(fusion: Any, x: dict[str, Tensor]) -> dict[str, Tensor]:
    h, c = torch.zeros(2, 2, fusion.lstm.hidden_size)
    lower, upper = cell(fusion.lstm, 0), cell(fusion.lstm, 1)
    for step in torch.cat([x[m] for m in NAMES], dim=1):
        h0, c0 = lower(step, (h[0], c[0]))
        h1, c1 = upper(h0, (h[1], c[1]))
        h, c = torch.stack([h0, h1]), torch.stack([c0, c1])
    fused = linear(fusion.project, h[1]).clamp(min=0)
    return {m: x[m].mean(0) for m in NAMES} | {"fused": fused}


def attention(cross: Any, before: dict, now: dict) -> Tensor:
    """MFN: softmax attention on [c_(t-1); c_t] of all modalities."""
    c = torch.cat([before[m][1] for m in NAMES] + [now[m][1] for m in NAMES])
    return torch.softmax(net(cross.score, c), 0) * c


def graph(cross: Any, before: dict, now: dict) -> Tensor:
    """Graph-MFN: a vertex for each set of modalities, its inputs weighted by efficacies."""
    two = lambda net, x: linear(net[1], linear(net[0], x))  # noqa: E731
    v = {}
    for m in NAMES:
        both = torch.cat([before[m][0], now[m][0]])
        v[(m,)] = linear(cross.singles[m], both).clamp(min=0)
    joined = torch.cat(list(v.values()))
    efficacies = linear(cross.efficacies[1], two(cross.efficacies[0], joined)).tolist()
    for target in (*combinations(NAMES, 2), NAMES):
        inside = [s for n in range(1, len(target)) for s in combinations(target, n)]
        weighted = [v[s] * efficacies.pop(0) for s in inside]
        v[target] = two(cross.vertices["+".join(target)], torch.cat(weighted))
    top = two(cross.top, torch.cat([x * efficacies.pop(0) for x in v.values()]))
    assert efficacies == []
    return top


def memory(
    fusion: Any, x: dict[str, Tensor], see: Any, cells: dict[str, nn.LSTMCell]
) -> dict[str, Tensor]:
    state = {m: torch.zeros(2, cells[m].hidden_size) for m in NAMES}
    u = torch.zeros(fusion.memory.width)
    for t in range(len(x["text"])):
        now = {m: torch.stack(cells[m](x[m][t], (state[m][0], state[m][1]))) for m in NAMES}
        seen = see(fusion.cross, state, now)
        both = torch.cat([seen, u])
        keep, take = net(fusion.memory.retain, both), net(fusion.memory.update, both)
        u = keep.sigmoid() * u + take.sigmoid() * net(fusion.memory.proposal, seen).tanh()
        state = now
    views = {m: state[m][0] for m in NAMES}
    fused = linear(fusion.project, torch.cat([*views.values(), u])).clamp(min=0)
    return views | {"fused": fused}


def cells(fusion: Any) -> dict[str, nn.LSTMCell]:
    return {m: cell(one) for m, one in fusion.lstms.items()}


RESTATED = {
    "ef_lstm": early,
    "mfn": lambda fusion, x: memory(fusion, x, attention, cells(fusion)),
    "graph_mfn": lambda fusion, x: memory(fusion, x, graph, cells(fusion)),
}


@pytest.mark.parametrize("paper", RESTATED)
def test_forward_is_the_papers_equations(corpus: Corpus, paper: str) -> None:
    model: Any = build(paper, corpus.spec, "features")[0]
    batch = batch_of(model, corpus, size=4)
    model.eval()
    with torch.no_grad():
        output = model(batch)
        for i in range(4):
            expected = RESTATED[paper](model.fusion, frames(model, batch, i))
            for name, view in expected.items():
                torch.testing.assert_close(output.views[name][i], view, atol=1e-5, rtol=1e-4)
            prediction = linear(model.head, expected["fused"])
            torch.testing.assert_close(output.prediction[i], prediction, atol=1e-5, rtol=1e-4)


def test_unrolled_lstm_is_torchs() -> None:
    """States as torch's own, the last cell too, and the same gradient."""
    stack = nn.LSTM(3, 5, batch_first=True)
    x = torch.randn(2, 7, 3)
    states, (_, last) = stack(x)
    states.square().sum().backward()
    expected = [p.grad.clone() for p in stack.parameters()]
    stack.zero_grad()
    found, cells = unroll(stack, x)
    torch.testing.assert_close(found, states)
    torch.testing.assert_close(cells[:, -1], last[0])
    found.square().sum().backward()
    torch.testing.assert_close([p.grad for p in stack.parameters()], expected)


def test_published_size_of_ef_lstm() -> None:
    """MMSA's two layers on 325 features, less its batch norm over steps."""
    assert size_on_mosi("ef_lstm") == lstm(325, 256) + lstm(256, 256) + dense(256, 256, 1)


def test_published_size_of_mfn() -> None:
    """The released code's to the last weight."""
    lstms = lstm(300, 128) + lstm(5, 32) + lstm(20, 128)
    attended = dense(576, 128, 576)
    written = dense(576, 64, 400) + dense(976, 64, 400) + dense(976, 256, 400)
    assert size_on_mosi("mfn") == lstms + attended + written + dense(288 + 400, 256, 1)


def test_published_size_of_graph_mfn() -> None:
    """MMSA's, with the vertex networks that it leaves out of its parameters."""
    lstms = lstm(300, 64) + lstm(5, 32) + lstm(20, 64)
    singles = dense(128, 64) + dense(64, 32) + dense(128, 64)
    pairs = dense(96, 100, 32) + dense(128, 100, 32) + dense(96, 100, 32)
    vertices = pairs + dense(160 + 3 * 32, 100, 32) + dense(160 + 4 * 32, 100, 32)
    efficacies = dense(160, 100, 32, 3 * 2 + 6 + 7)
    written = dense(32, 128, 128) + dense(160, 32, 128) + dense(160, 64, 128)
    total = lstms + singles + vertices + efficacies + written + dense(160 + 128, 32, 1)
    assert size_on_mosi("graph_mfn") == total
