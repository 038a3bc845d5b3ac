"""Predictions of a model for a set of clips."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from infofuse.data.loader import Loader
from infofuse.types import Output


@torch.inference_mode()
def predict(
    model: nn.Module,
    loader: Loader,
    device: torch.device | str = "cpu",
    watch: Callable[[Output], None] = lambda _: None,
) -> Float[np.ndarray, "n k"]:
    """The prediction for each clip, in the clips' own order. `watch` is shown every output."""
    prediction = np.full(loader.labels.shape, np.nan, np.float32)
    for batch in loader.ordered():
        output = model(batch.to(device))
        watch(output)
        prediction[batch.index.numpy()] = output.prediction.float().cpu().numpy()
    return prediction
