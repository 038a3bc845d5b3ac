"""Predictions of a model for a set of clips."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from infofuse.data.loader import Loader
from infofuse.types import Output

BATCH = 64
"""Clips that are predicted at once, where nothing else says so."""


@torch.inference_mode()
def predict(
    model: nn.Module,
    loader: Loader,
    device: torch.device | str = "cpu",
    watch: Callable[[Output], None] = lambda _: None,
) -> Float[np.ndarray, "n k"]:
    """The prediction for each clip, in the clips' own order. `watch` is shown every output."""
    rows, found = [], []
    for batch in loader.ordered():
        output = model(batch.to(device))
        watch(output)
        rows.append(batch.index)
        found.append(output.prediction.float().cpu())
    return torch.cat(found)[torch.cat(rows).argsort()].numpy()
