"""A batch shared among processes: each takes its rows, and all have the output of every row."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch import distributed as dist

from infofuse.objectives.gather import join
from infofuse.training.random_state import random_state, set_random_state
from infofuse.types import Batch, Output, Padded

BUCKET = 2**22
"""Numbers whose mean over processes is taken at once."""


class Share:
    """From now on, whoever calls the model with a batch gets the output of the whole batch.

    Every process calls it with the same batch. Of n clips, process r of R computes the rows from
    floor(n r / R) on, up to floor(n (r + 1) / R); their outputs are joined with gradients, so that
    every process goes on with the same tensors and computes the same loss. `average_gradients` of
    that loss are those of one process that has the whole batch.

    Random numbers outside the model are the same in all processes, and those of one process. In
    the model each draws its own, from (seed, epoch, rank): dropout is of the same law as in one
    process, but other clips' units are dropped.
    """

    def __init__(self, model: nn.Module, device: torch.device):
        self.rank, self.ranks, self.device = dist.get_rank(), dist.get_world_size(), device
        self.begin_epoch(0, 0)
        self._rows: list[int] = []
        model.register_forward_pre_hook(self._take)
        model.register_forward_hook(self._give)

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Let the model draw what it draws in this epoch, wherever the run was begun."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(_seed(seed, epoch, self.rank))
            self._random = random_state(self.device)

    def _take(self, _: nn.Module, inputs: tuple[Batch]) -> tuple[Batch]:
        edges = [len(inputs[0]) * r // self.ranks for r in range(self.ranks + 1)]
        self._rows = [end - begin for begin, end in pairwise(edges)]
        begin, end = edges[self.rank : self.rank + 2]
        self._swap()
        # A process without a row of its own computes one, which then counts nowhere.
        return (part(inputs[0], slice(begin, end) if begin < end else slice(0, 1)),)

    def _give(self, _: nn.Module, __: tuple[Batch], output: Output) -> Output:
        self._swap()
        return unpack(join(pack(output)[: self._rows[self.rank]], self._rows), output)

    def _swap(self) -> None:
        """Exchange the random state of all for the process's own, or back."""
        now = random_state(self.device)
        set_random_state(self._random, self.device)
        self._random = now


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def pack(output: Output) -> Float[Tensor, "batch columns"]:
    """An output as one tensor, so that processes exchange it at once."""
    return torch.cat([t if t.ndim == 2 else t[:, None].float() for t in _tensors(output)], 1)


def unpack(packed: Float[Tensor, "all columns"], like: Output) -> Output:
    """The output of other rows that was packed, its tensors named and of the types as here."""
    tensors = _tensors(like)
    columns = packed.split([t.shape[1] if t.ndim == 2 else 1 for t in tensors], 1)
    found = iter(_as(t, column) for t, column in zip(tensors, columns, strict=True))
    prediction = next(found)
    views, present, unimodal, codes = (
        {name: next(found) for name in tensors} for tensors in _named(like)
    )
    return Output(prediction, views, present, unimodal, codes, like.autocast)


def _as(like: Tensor, column: Tensor) -> Tensor:
    return column.to(like.dtype) if like.ndim == 2 else column[:, 0] > 0


def _named(output: Output) -> tuple[dict[str, Tensor], ...]:
    return output.views, output.present, output.unimodal, output.codes


def _tensors(output: Output) -> list[Tensor]:
    return [output.prediction, *(t for named in _named(output) for t in named.values())]


def part(batch: Batch, rows: slice) -> Batch:
    """These rows of a batch, padded to their own longest."""
    inputs = {name: _part(x, rows) for name, x in batch.inputs.items()}
    return Batch(inputs, batch.labels[rows], batch.index[rows])


def _part(x: Padded, rows: slice) -> Padded:
    lengths = x.lengths[rows]
    return Padded(x.values[rows, : max(1, int(lengths.max()))], lengths)


def agree(*modules: nn.Module) -> None:
    """Begin with the weights of the first process, whatever the others made of the seed."""
    for module in modules:
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, 0)


@torch.no_grad()
def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """The mean of each gradient over processes; one that some do not have counts there as 0."""
    learning = [p for p in parameters if p.requires_grad]
    found = torch.tensor([float(p.grad is not None) for p in learning])
    if learning:
        found = found.to(learning[0].device)
        dist.all_reduce(found)
    for bucket in _buckets(p for p, n in zip(learning, found.tolist(), strict=True) if n):
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in bucket]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        means = (flat / dist.get_world_size()).split([g.numel() for g in gradients])
        for p, mean in zip(bucket, means, strict=True):
            p.grad = mean.view_as(p)


def _buckets(parameters: Iterable[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    bucket: list[nn.Parameter] = []
    for p in parameters:
        bucket.append(p)
        if sum(q.numel() for q in bucket) >= BUCKET:
            yield bucket
            bucket = []
    if bucket:
        yield bucket
