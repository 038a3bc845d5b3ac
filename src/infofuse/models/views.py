"""The views of a model, without data."""

import numpy as np
import torch
from torch import Tensor, nn

from infofuse.models.of_vectors import encoders
from infofuse.types import Batch, Padded


@torch.no_grad()
def view_widths(model: nn.Module) -> dict[str, int]:
    """The width of each of `Output.views`, by name, found on two clips of one blank step."""
    inputs = {name: _blank(reader.blank()) for name, reader in encoders(model).items()}
    batch = Batch(inputs, torch.zeros(2, 1), torch.arange(2)).to(next(model.parameters()).device)
    was_training = model.training
    views: dict[str, Tensor] = model.eval()(batch).views
    model.train(was_training)
    return {name: view.shape[1] for name, view in views.items()}


def _blank(step: np.ndarray) -> Padded:
    values = torch.from_numpy(np.stack([step[None], step[None]]))
    return Padded(values, torch.ones(2, dtype=torch.int64))
