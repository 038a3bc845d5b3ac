"""Total correlation of several views by a measure of two."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.measures.measure import Measure


class Chain(Measure):
    """D(p(x_1, ..., x_k) || p(x_1) ... p(x_k)) = sum_{i >= 2} I(x_i; (x_1, ..., x_{i-1})).

    build(dim_x, dim_y) gives the measure of each summand, in nats. The sum is exact; each summand
    is what its measure makes of it, on the same side of the truth, and ceilings add up. A critic
    of all views at once is a lower bound as well (`MutualDependency`), but where one view is a
    function of the others it grows without limit on few clips, and then reads nonsense of others.

    Watanabe 1960 (total correlation); Cover and Thomas 2006, theorem 2.5.2 (chain rule).
    """

    side = "estimate"
    many_views = True
    paper = "Watanabe 1960"

    def __init__(self, dims: Sequence[int], build: Callable[[int, int], Measure]):
        super().__init__()
        before = [sum(dims[:i]) for i in range(1, len(dims))]
        self.parts = nn.ModuleList(map(build, before, dims[1:]))
        self.pairs_cost = self._each()[0].pairs_cost  # type: ignore[misc]

    def _each(self) -> list[Measure]:
        return list(self.parts)  # type: ignore[arg-type]

    def forward(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]:
        return torch.stack([m(x, y) for m, x, y in self._pairs(views)]).sum()

    def learning_loss(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]:
        return torch.stack([m.learning_loss(x, y) for m, x, y in self._pairs(views)]).sum()

    def ceiling(self, n: int) -> float | None:
        """The sum of the parts' ceilings, None where they have none."""
        limits = [getattr(m, "ceiling", None) for m in self._each()]
        return None if None in limits else float(sum(limit(n) for limit in limits))  # type: ignore[misc]

    def _pairs(
        self, views: Sequence[Float[Tensor, "batch _"]]
    ) -> list[tuple[Measure, Float[Tensor, "batch _"], Float[Tensor, "batch _"]]]:
        return [
            (measure, torch.cat(tuple(views[: i + 1]), 1), views[i + 1])
            for i, measure in enumerate(self._each())
        ]
