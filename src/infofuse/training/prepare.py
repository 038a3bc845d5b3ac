"""A model and its objective, ready to be trained."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from infofuse import papers
from infofuse.data.spec import DataSpec
from infofuse.models import fit_inputs
from infofuse.objectives import Objective
from infofuse.tasks import Head
from infofuse.training.checkpoint import read_config, spec_of
from infofuse.training.recipe import Recipe, resolve
from infofuse.types import Clips


def prepare(
    recipe: Recipe, spec: DataSpec, training: Clips, seed: int
) -> tuple[nn.Module, Objective]:
    """The untrained model and the objective of a seed, both fitted to the training clips."""
    torch.manual_seed(seed)
    model, objective = papers.build(recipe.paper, recipe.model, spec, recipe.plus)
    fit_inputs(model, training)
    _start_heads(model, spec.task.start(training.labels))
    objective.begin(training)
    return model, objective


@torch.no_grad()
def _start_heads(model: nn.Module, start: Float[np.ndarray, "_"]) -> None:
    for module in model.modules():
        if isinstance(module, Head):
            module.bias.add_(torch.from_numpy(start).to(module.bias))


def untrained(folder: Path, training: Clips) -> nn.Module:
    """The model of a checkpoint folder as it was before training, in evaluation mode."""
    config = read_config(folder)
    recipe = resolve({"paper": config["paper"], "data": "given", "model": config["model"]})
    with torch.random.fork_rng():
        model, _ = prepare(recipe, spec_of(config), training, config["seed"])
    return model.eval()
