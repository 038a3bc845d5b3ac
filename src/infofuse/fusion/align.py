"""Sequences of one clip brought to a common time base."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from infofuse.types import Padded


def align(sequences: Mapping[str, Padded], base: str = "text") -> dict[str, Padded]:
    """Every modality in as many steps as a clip's `base` has, zero beyond them and where absent.

    A clip without `base` has the steps of its longest modality. Sequences that have the same
    lengths already, as those aligned to words do, come back as they are.
    """
    lengths = common_lengths(sequences, base)
    return {name: Padded(pool(x, lengths), lengths) for name, x in sequences.items()}


def common_lengths(sequences: Mapping[str, Padded], base: str) -> Int[Tensor, "batch"]:
    """Each clip's steps after alignment."""
    longest = torch.stack([x.lengths for x in sequences.values()]).amax(0)
    if base not in sequences:
        return longest
    steps = sequences[base].lengths
    return torch.where(steps > 0, steps, longest)


def pool(x: Padded, lengths: Int[Tensor, "batch"]) -> Float[Tensor, "batch time width"]:
    """Step k of T is the mean of the frames from floor(k N / T) up to floor((k + 1) N / T).

    N: the clip's frames. T: its entry of `lengths`, the steps asked for. With N >= T each frame
    falls into one step; with N < T a step repeats the frame at its beginning. The rest is zero.
    """
    time = lengths.max().clamp(min=1)
    if torch.equal(x.lengths, lengths):
        return x.values[:, :time].masked_fill(~x.mask[:, :time, None], 0)
    steps = torch.arange(time, device=lengths.device)  # type: ignore[call-overload]
    frames, wanted = x.lengths[:, None], lengths[:, None].clamp(min=1)
    begin = (steps * frames // wanted).clamp(max=x.values.shape[1] - 1)
    end = ((steps + 1) * frames // wanted).clamp(max=x.values.shape[1]).maximum(begin + 1)
    # Differences of running sums: in double, they are exact to the last digit of a float.
    sums = torch.nn.functional.pad(x.values.double().cumsum(1), (0, 0, 1, 0))
    total = _rows(sums, end) - _rows(sums, begin)
    real = (steps < lengths[:, None]) & (frames > 0)
    mean = total / (end - begin)[:, :, None]
    return mean.to(x.values.dtype).masked_fill(~real[:, :, None], 0)


def _rows(
    x: Float[Tensor, "batch time width"], index: Int[Tensor, "batch steps"]
) -> Float[Tensor, "batch steps width"]:
    return x.gather(1, index[:, :, None].expand(-1, -1, x.shape[2]))
