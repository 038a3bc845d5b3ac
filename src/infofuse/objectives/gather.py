"""The batch of all processes, for measures that compare clips with one another."""

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor
from torch import distributed as dist

_whole = ContextVar("whole", default=False)


@contextlib.contextmanager
def whole_batches() -> Iterator[None]:
    """Inside, tensors are of all processes already, and `gather` leaves them as they are."""
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


def gather(*tensors: Shaped[Tensor, "_ ..."]) -> tuple[Shaped[Tensor, "_ ..."], ...]:
    """Each tensor with the rows of every process below one another, in the order of ranks.

        nce(*gather(audio, vision))

    Processes may have different numbers of rows, also none. Where there is one process, the
    tensors as they are. Every process must call it, with its part of the same tensors.

    Gradients flow back to the process a row came from, summed over the losses of all processes.
    So where each computes the same loss of the gathered rows, and gradients are then averaged
    over processes, as `DistributedDataParallel` does, they are those of a single process that
    has the whole batch. Measures that draw at random (`MutualDependency`) compute the same loss
    where torch's generators are in the same state.
    """
    alone = not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1
    if alone or _whole.get():
        return tensors
    own = torch.tensor([len(tensors[0])], device=tensors[0].device)
    counts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(counts, own)
    rows = [int(count) for count in counts]
    return tuple(join(t, rows) for t in tensors)


def join(tensor: Shaped[Tensor, "own ..."], rows: Sequence[int]) -> Shaped[Tensor, "all ..."]:
    """`gather` of a tensor of which each process is known to have so many rows."""
    return _Gather.apply(tensor, rows)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, tensor: Shaped[Tensor, "own ..."], rows: Sequence[int]
    ) -> Shaped[Tensor, "all ..."]:
        rank = dist.get_rank()
        context.own = slice(sum(rows[:rank]), sum(rows[: rank + 1]))
        padded = tensor.new_zeros(max(rows), *tensor.shape[1:])  # all_gather wants equal shapes
        padded[: len(tensor)] = tensor
        found = [torch.empty_like(padded) for _ in rows]
        dist.all_gather(found, padded)
        return torch.cat([part[:n] for part, n in zip(found, rows, strict=True)])

    @staticmethod
    def backward(
        context: Any, gradient: Shaped[Tensor, "all ..."]
    ) -> tuple[Shaped[Tensor, "own ..."], None]:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total[context.own], None
