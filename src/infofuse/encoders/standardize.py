"""Features of all scales, brought to one."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.types import Ragged


class Standardize(nn.Module):
    """(x - mean) / sd of each feature over the training steps, clipped to +-`limit`.

    A feature that never varies becomes 0. Mean and deviation are buffers: a checkpoint carries
    them, and new clips are read on the scale of the training set.
    """

    def __init__(self, width: int, limit: float = 10.0):
        super().__init__()
        self.limit = limit
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def fit(self, column: Ragged) -> None:
        """Take mean and deviation from these sequences; nothing happens if there are none."""
        steps = int(column.lengths.sum())
        if steps == 0:
            return
        mean = sum(block.sum(0, dtype=np.float64) for block in column.blocks()) / steps
        squares = sum(np.square(block - mean).sum(0) for block in column.blocks())
        deviation = np.sqrt(squares / steps)
        varies = deviation > 1e-8
        self.mean.copy_(torch.from_numpy(mean))
        self.scale.copy_(torch.from_numpy(varies / np.where(varies, deviation, 1)))

    def forward(self, x: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        return ((x - self.mean) * self.scale).clamp(-self.limit, self.limit)
