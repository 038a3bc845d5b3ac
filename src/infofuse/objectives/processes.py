"""State that is one in a distributed run: every process updates it by the rows of all."""

from typing import Any

import torch
from jaxtyping import Int, Shaped
from torch import Tensor, distributed


def of_every_process(
    index: Int[Tensor, "rows"], *columns: Shaped[Tensor, "rows ..."]
) -> list[Shaped[Tensor, "_ ..."]]:
    """Index and columns of the rows of all processes, a clip that comes twice once only."""
    if distributed.is_available() and distributed.is_initialized():
        parts: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(parts, [t.detach().cpu() for t in (index, *columns)])
        joined = [torch.cat(rows).to(index.device) for rows in zip(*parts, strict=True)]
    else:
        joined = [index, *columns]
    last = _last_of_each(joined[0])
    return [column[last] for column in joined]


def _last_of_each(index: Int[Tensor, "rows"]) -> Int[Tensor, "_"]:
    """Where each number stands last, by number; distributed samplers pad with repeated clips."""
    unique, which = index.unique(return_inverse=True)
    place = torch.arange(len(index), device=index.device)
    return torch.zeros_like(unique).scatter_reduce(0, which, place, "amax", include_self=False)
