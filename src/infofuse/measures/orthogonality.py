"""How far two views lie from orthogonal subspaces."""

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.measure import Measure
from infofuse.measures.numerics import guarded


class Orthogonality(Measure):
    """||X^T Y||_F^2, the rows of X and Y, one a clip, centred over the batch and of length 1.

    Zero where no coordinate of one view, so scaled, goes along with a coordinate of the other; it
    grows with the batch. average: the mean over the d_x d_y entries instead of their sum, so less
    by that factor. constant_lengths: no gradient through the rows' lengths. Cost linear in the
    batch.

    Bousmalis et al. 2016, Domain Separation Networks (arXiv 1608.06019), eq. 5; both options as
    the code of MISA (arXiv 2005.03545) has it.
    """

    side = "estimate"
    unit = "squared cosine"
    paper = "arXiv 1608.06019"

    def __init__(self, average: bool = False, constant_lengths: bool = False):
        super().__init__()
        self.average, self.constant_lengths = average, constant_lengths

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        squares = (self._scaled(x).T @ self._scaled(y)).square()
        return squares.mean() if self.average else squares.sum()

    def _scaled(self, x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        centred = x - x.mean(0)
        lengths = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
        return centred / ((lengths.detach() if self.constant_lengths else lengths) + 1e-6)
