"""State that is one in a distributed run: every process updates it by the rows of all."""

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from infofuse.objectives.gather import gather


def of_every_process(
    index: Int[Tensor, "rows"], *columns: Shaped[Tensor, "rows ..."]
) -> list[Shaped[Tensor, "_ ..."]]:
    """Index and columns of the rows of all processes, a clip that comes twice once only."""
    joined = gather(*(t.detach() for t in (index, *columns)))
    last = _last_of_each(joined[0])
    return [column[last] for column in joined]


def _last_of_each(index: Int[Tensor, "rows"]) -> Int[Tensor, "_"]:
    """Where each number stands last, by number; distributed samplers pad with repeated clips."""
    unique, which = index.unique(return_inverse=True)
    place = torch.arange(len(index), device=index.device)
    return torch.zeros_like(unique).scatter_reduce(0, which, place, "amax", include_self=False)
