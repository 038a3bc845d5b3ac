"""Views from which others can be had back."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.objectives.objective import Objective, Term
from infofuse.types import Batch, Output


class Reconstruction(Objective):
    """weight * mean over m of E|v_m - D_m(sum of the views that m is made from)|^2 / width.

    made_from: by view, the names of the views of the same width whose sum a linear decoder D_m,
    learnt here, maps back to it. E runs over the clips that have the view; one that no clip of a
    batch has counts as 0.

    Hazarika et al. 2020 (arXiv 2005.03545), eq. 11.
    """

    nonnegative = True

    def __init__(
        self,
        made_from: Mapping[str, tuple[str, ...]],
        width: int,
        weight: float = 1.0,
        name: str = "reconstruction",
    ):
        super().__init__()
        self.made_from, self.weight, self.name = dict(made_from), weight, name
        self.decoders = nn.ModuleDict({view: nn.Linear(width, width) for view in made_from})

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        errors = [self._error(view, output) for view in self.made_from]
        value = torch.stack(errors).mean()
        return {self.name: Term(self.weight * value, value.detach())}

    def _error(self, view: str, output: Output) -> Float[Tensor, ""]:
        sources = torch.stack([output.views[name] for name in self.made_from[view]]).sum(0)
        errors = (output.views[view] - self.decoders[view](sources.float())).square().mean(1)
        there = output.present[view]
        return (errors * there).sum() / there.sum().clamp(min=1)
