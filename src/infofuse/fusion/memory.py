"""A memory of what happens between modalities, written step by step beside an LSTM each.

Zadeh et al. 2018, Memory Fusion Network (arXiv 1802.00927): a system of LSTMs, an attention over
what changed between two steps, and a gated memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal, no_type_check

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders.recurrent import states
from infofuse.fusion.align import align
from infofuse.fusion.layers import Perceptron
from infofuse.types import Padded

Steps = Mapping[str, Float[Tensor, "batch time _"]]
"""A vector per step, by modality."""


class CrossView(nn.Module, ABC):
    """What is seen between modalities at each step, (batch, time, width), from two steps' LSTMs."""

    reads: Literal["states", "cells"]
    """What of the LSTMs it is given: the hidden states h, or the cells c."""
    width: int

    @abstractmethod
    def forward(self, before: Steps, now: Steps) -> Float[Tensor, "batch time width"]: ...


class DeltaAttention(CrossView):
    """c a, a = softmax(W2 dropout(relu(W1 c + b1)) + b2), c = [c_(t-1); c_t] of all modalities.

    The Delta-memory Attention Network, section 3.2 of arXiv 1802.00927. hidden: cells by modality.
    """

    reads = "cells"

    def __init__(self, hidden: Mapping[str, int], attention: int, dropout: float = 0.0):
        super().__init__()
        self.width = 2 * sum(hidden.values())
        self.score = Perceptron(self.width, attention, self.width, dropout)

    def forward(self, before: Steps, now: Steps) -> Float[Tensor, "batch time width"]:
        cells = torch.cat([*before.values(), *now.values()], dim=2)
        return self.score(cells).softmax(2) * cells


class GatedMemory(nn.Module):
    """u_t = g1 u_(t-1) + g2 tanh(D_u(x_t)), g_i = sigmoid(D_i([x_t; u_(t-1)])), u_0 = 0.

    Each D is W2 dropout(relu(W1 x + b1)) + b2. The Multi-view Gated Memory, section 3.3 of arXiv
    1802.00927. All that does not depend on u is computed for all steps at once.

    inputs: of x_t. width: of u. proposal, retain, update: hidden units of D_u, D_1 and D_2, with
    the dropout of each.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        *,
        proposal: tuple[int, float],
        retain: tuple[int, float],
        update: tuple[int, float],
    ):
        super().__init__()
        self.inputs, self.width = inputs, width
        self.sizes = [retain[0], update[0]]
        self.proposal = Perceptron(inputs, proposal[0], width, proposal[1])
        self.retain = Perceptron(inputs + width, retain[0], width, retain[1])
        self.update = Perceptron(inputs + width, update[0], width, update[1])

    def forward(self, x: Float[Tensor, "batch time inputs"]) -> Float[Tensor, "batch time width"]:
        seen, masks, of_memory = self._hoisted(x)
        proposals = torch.tanh(self.proposal(x))
        gates = [*self.retain.second.parameters(), *self.update.second.parameters()]
        return _write(seen, masks, proposals, of_memory, gates).view(*x.shape[:2], self.width)

    def _hoisted(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of both gates: what they see of x, their dropout, and their weights of the memory."""
        gates = (self.retain, self.update)
        weight = torch.cat([gate.first.weight for gate in gates])
        bias = torch.cat([gate.first.bias for gate in gates])
        of_input, of_memory = weight.split([self.inputs, self.width], dim=1)
        seen = F.linear(x, of_input, bias)
        ones = torch.ones_like(seen).split(self.sizes, dim=2)
        masks = [gate.dropout(part) for gate, part in zip(gates, ones, strict=True)]
        return seen, torch.cat(masks, dim=2), of_memory.t()


class MemoryFusion(nn.Module):
    """Z = dropout(relu(W [h_T of each modality; u_T] + b)), of shape (batch, width).

    One LSTM a modality runs over a common time base (see `align`); `cross` looks at its states or
    cells of two steps at a time, and `memory` writes what it sees into u. The view of a modality
    is its LSTM's state after the last step.

    widths, hidden: of a frame and of an LSTM, by modality.
    """

    def __init__(
        self,
        widths: Mapping[str, int],
        hidden: Mapping[str, int],
        cross: CrossView,
        memory: GatedMemory,
        width: int,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.width = width
        lstms = {m: nn.LSTM(d, hidden[m], batch_first=True) for m, d in widths.items()}
        self.lstms = nn.ModuleDict(lstms)
        self.cross, self.memory = cross, memory
        self.project = nn.Linear(sum(hidden.values()) + memory.width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequences: Mapping[str, Padded]) -> dict[str, Float[Tensor, "batch _"]]:
        frames = align(sequences)
        hidden, seen = self._run({m: frames[m].values for m in self.lstms})
        written = self.memory(self.cross(_before(seen), seen))
        lengths = next(iter(frames.values())).lengths
        views = {m: Padded(h, lengths).last for m, h in hidden.items()}
        joined = torch.cat([*views.values(), Padded(written, lengths).last], dim=1)
        return views | {"fused": self.dropout(torch.relu(self.project(joined)))}

    def _run(self, frames: Steps) -> tuple[Steps, Steps]:
        """The LSTMs' states of all steps, and what `cross` reads of them."""
        if self.cross.reads == "states":
            found = {m: states(lstm, frames[m]) for m, lstm in self.lstms.items()}
            return found, found
        both = {m: unroll(lstm, frames[m]) for m, lstm in self.lstms.items()}
        return {m: h for m, (h, _) in both.items()}, {m: c for m, (_, c) in both.items()}


def unroll(
    lstm: nn.Module, x: Float[Tensor, "batch time inputs"]
) -> tuple[Float[Tensor, "batch time width"], Float[Tensor, "batch time width"]]:
    """States and cells of an LSTM of one layer at every step: torch's gives the last cell only.

    The input's part of the gates is computed for all steps at once.
    """
    weight, recurrent, bias, recurrent_bias = lstm.parameters()
    states, cells = _unroll(F.linear(x, weight, bias + recurrent_bias), recurrent.t())
    shape = (*x.shape[:2], recurrent.shape[1])
    return states.view(shape), cells.view(shape)


# The two loops over time are compiled where a graph is traced, as for ONNX: a loop that is traced
# has as many steps as the example. Shapes are not known behind them, hence the views above. The
# compiler reads the functions themselves, so they are not wrapped for the checks of tests.


@torch.jit.script_if_tracing
@no_type_check
def _unroll(inputs: Tensor, recurrent: Tensor) -> tuple[Tensor, Tensor]:
    state = inputs.new_zeros(inputs.shape[0], recurrent.shape[0])
    cell = state
    states: list[Tensor] = []
    cells: list[Tensor] = []
    for step in inputs.unbind(1):
        i, f, g, o = torch.addmm(step, state, recurrent).chunk(4, dim=1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        state = o.sigmoid() * cell.tanh()
        states.append(state)
        cells.append(cell)
    return torch.stack(states, dim=1), torch.stack(cells, dim=1)


@torch.jit.script_if_tracing
@no_type_check
def _write(
    seen: Tensor, masks: Tensor, proposals: Tensor, of_memory: Tensor, gates: list[Tensor]
) -> Tensor:
    """gates: weight and bias of the second layer of the gate that retains, and of the other."""
    memory = torch.zeros_like(proposals[:, 0])
    written: list[Tensor] = []
    keep, keep_bias, take, take_bias = gates
    sizes = [keep.shape[1], take.shape[1]]
    for s, mask, proposed in zip(seen.unbind(1), masks.unbind(1), proposals.unbind(1)):  # noqa: B905
        hidden = torch.relu(torch.addmm(s, memory, of_memory)) * mask
        kept, taken = hidden.split(sizes, dim=1)
        memory = F.linear(kept, keep, keep_bias).sigmoid() * memory
        memory = memory + F.linear(taken, take, take_bias).sigmoid() * proposed
        written.append(memory)
    return torch.stack(written, dim=1)


def _before(steps: Steps) -> dict[str, Float[Tensor, "batch time _"]]:
    """The vector of the step before, zero before the first."""
    return {m: F.pad(x[:, :-1], (0, 0, 1, 0)) for m, x in steps.items()}
