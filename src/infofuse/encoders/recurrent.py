"""Recurrent encoders of sequences."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from infofuse.encoders.encoder import Encoder
from infofuse.encoders.frames import FeatureReader
from infofuse.types import Padded


def states(
    lstm: nn.Module, x: Float[Tensor, "batch time inputs"]
) -> Float[Tensor, "batch time hidden"]:
    """The top layer's states, from zeros. See `_supported`."""
    return _supported(lambda x: lstm(x)[0], x)


def _supported(
    kernel: Callable[[Tensor], Tensor], x: Float[Tensor, "batch time inputs"]
) -> Float[Tensor, "batch time hidden"]:
    """kernel(x); out of autocast where oneDNN has no LSTM of bfloat16: CPUs without AVX-512.

    There it would end in "could not create a primitive descriptor".
    """
    if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return kernel(x)
    if torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        return kernel(x)
    with torch.autocast("cpu", enabled=False):
        return kernel(x.float())


def run(lstm: nn.LSTM, x: Padded) -> Padded:
    """The top layer's states at the real steps, both directions' side by side.

    A clip without steps has one, of padding. What lies beyond the real steps means nothing.

    No sequence is packed: a batch is of like lengths, and torch runs padded ones in one fused
    kernel, but packed ones step by step, with a backward pass that is quadratic in the steps.
    """
    steps = x.lengths.clamp(min=1)
    if not lstm.bidirectional:
        return Padded(states(lstm, x.values), steps)
    if lstm.num_layers > 1:
        raise ValueError("an LSTM of both directions has one layer here")
    forward, backward = _directions(lstm)
    there = _supported(partial(_run, forward), x.values)
    back = _reversed(_supported(partial(_run, backward), _reversed(x.values, steps)), steps)
    return Padded(torch.cat([there, back], dim=2), steps)


def _directions(lstm: nn.LSTM) -> tuple[list[Tensor], list[Tensor]]:
    """The weights of a layer's two directions."""
    weights: list[Tensor] = list(lstm.parameters())
    return weights[: len(weights) // 2], weights[len(weights) // 2 :]


def _run(
    weights: list[Tensor], x: Float[Tensor, "batch time inputs"]
) -> Float[Tensor, "batch time hidden"]:
    """The states of a layer of one direction, from zeros."""
    start = x.new_zeros(1, x.shape[0], weights[1].shape[1])
    learning = torch.is_grad_enabled()  # cuDNN keeps what a backward pass needs only if told so
    return torch.lstm(x, (start, start), weights, True, 1, 0.0, learning, False, True)[0]


def _reversed(
    x: Float[Tensor, "batch time width"], steps: Int[Tensor, "batch"]
) -> Float[Tensor, "batch time width"]:
    """Each sequence's real steps in reverse, the padding where it was."""
    time = torch.arange(x.shape[1], device=x.device)
    place = steps[:, None] - 1 - time
    place = torch.where(place < 0, time, place)
    return x.gather(1, place[:, :, None].expand_as(x))


def last_state(lstm: nn.LSTM, x: Padded) -> Float[Tensor, "batch states"]:
    """The top layer's state after the last real step, (batch, states), both directions' if two.

    A clip without steps has the state after one step of padding.
    """
    return ends(run(lstm, x), lstm.bidirectional)


def ends(states: Padded, bidirectional: bool) -> Float[Tensor, "batch states"]:
    """Of `run`'s states each direction's last: forward at the last step, backward at the first."""
    if not bidirectional:
        return states.last
    hidden = states.values.shape[2] // 2
    return torch.cat([states.last[:, :hidden], states.values[:, 0, hidden:]], dim=1)


class LSTMEncoder(FeatureReader, Encoder):
    """Linear(last state of an LSTM over the real steps), of shape (batch, width).

    modality: which feature sequence of the clips it reads. bidirectional: the last states of
    both directions side by side.
    """

    def __init__(
        self,
        modality: str,
        features: int,
        hidden: int,
        width: int,
        *,
        bidirectional: bool = False,
    ):
        super().__init__(modality, features)
        self.width = width
        self.lstm = nn.LSTM(features, hidden, bidirectional=bidirectional, batch_first=True)
        self.project = nn.Linear(hidden * (2 if bidirectional else 1), width)

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        frames = Padded(self.standardize(x.values), x.lengths)
        return self.project(last_state(self.lstm, frames))
