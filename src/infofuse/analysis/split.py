"""Clips to fit on, to stop the fit by, and to estimate on: no group is in two of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from infofuse.errors import InfofuseError


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows of the clips by what they are used for, in random order.

    units: for each row of `held`, the number of its group, or of the clip itself without groups.
    """

    fit: Int[Tensor, "_"]
    watched: Int[Tensor, "_"]
    held: Int[Tensor, "held"]
    units: Int[Tensor, "held"]


def units_of(groups: Sequence[str] | None, n: int) -> Int[Tensor, "n"]:
    """A number for each clip, the same within a group; a clip of group "" is alone in its own."""
    if groups is None:
        return torch.arange(n)
    if len(groups) != n:
        raise InfofuseError(f"there are {n} clips and {len(groups)} groups; give one a clip")
    keys = [(group, -1 if group else i) for i, group in enumerate(groups)]
    numbers = {key: i for i, key in enumerate(sorted(set(keys)))}
    return torch.tensor([numbers[key] for key in keys])


def cut(units: Int[Tensor, "n"], smallest: int) -> Parts:
    """3/8 of the groups to fit on, 1/8 to stop by, 1/2 held out; from torch's global generator.

    Raises InfofuseError if the parts cannot have `smallest` clips each, and the held-out part
    twice as many.
    """
    count = int(units.max()) + 1
    first, second = max(1, round(count * 3 / 8)), max(2, round(count / 2))
    rank = torch.randperm(count)[units]
    order = torch.randperm(len(units))
    fit, watched, held = (
        order[(a <= rank[order]) & (rank[order] < b)]
        for a, b in ((0, first), (first, second), (second, count))
    )
    if min(len(fit), len(watched), len(held) // 2) < smallest:
        raise InfofuseError(
            f"{len(units)} clips in {count} groups are too few to fit on one part and estimate on "
            f"another ({len(fit)}, {len(watched)} to stop by, and {len(held)} held out)"
        )
    return Parts(fit, watched, held, units[held])


def everything(units: Int[Tensor, "n"]) -> Parts:
    """All clips to estimate on, for a measure that fits nothing, in an order of torch's generator.

    So that pieces of what is too much to compare at once are not a file's: neighbours in a file
    are often of one video, and what tells videos apart would be in no piece.
    """
    rows = torch.randperm(len(units))
    return Parts(rows, rows[:0], rows, units[rows])


def half(units: Int[Tensor, "n"]) -> Int[Tensor, "half"]:
    """Half of the rows, drawn group by group (one may be cut) without replacement, in order."""
    rank = torch.randperm(int(units.max()) + 1)[units]
    return rank.argsort(stable=True)[: len(units) // 2].sort().values
