"""Predictions of a model for a set of clips."""

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from infofuse.data.loader import Loader


@torch.inference_mode()
def predict(
    model: nn.Module, loader: Loader, device: torch.device | str = "cpu"
) -> Float[np.ndarray, "n k"]:
    """The prediction for each clip, in the clips' own order."""
    rows, found = [], []
    for batch in loader.ordered():
        rows.append(batch.index)
        found.append(model(batch.to(device)).prediction.float().cpu())
    return torch.cat(found)[torch.cat(rows).argsort()].numpy()
