"""A model and its objective, ready to be trained."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from infofuse import papers
from infofuse.data.loader import Loader
from infofuse.data.spec import DataSpec
from infofuse.models import columns, fit_inputs
from infofuse.objectives import Objective, Sum
from infofuse.training.checkpoint import read_config, spec_of
from infofuse.training.recipe import Recipe, resolve
from infofuse.types import Clips


def prepare(
    recipe: Recipe, spec: DataSpec, training: Clips, seed: int
) -> tuple[nn.Module, Objective]:
    """The untrained model and the objective of a seed, both fitted to the training clips."""
    torch.manual_seed(seed)
    model, objective = papers.get(recipe.paper).build(recipe.model, spec)
    fit_inputs(model, training)
    if recipe.plus:
        widths = _view_widths(model, training)
        terms = (papers.get_term(n).plus(widths, choices) for n, choices in recipe.plus.items())
        objective = Sum(objective, *terms)
    objective.begin(training)
    return model, objective


def untrained(folder: Path, training: Clips) -> nn.Module:
    """The model of a checkpoint folder as it was before training, in evaluation mode."""
    config = read_config(folder)
    recipe = resolve({"paper": config["paper"], "data": "given", "model": config["model"]})
    with torch.random.fork_rng():
        model, _ = prepare(recipe, spec_of(config), training, config["seed"])
    return model.eval()


@torch.inference_mode()
def _view_widths(model: nn.Module, clips: Clips) -> dict[str, int]:
    """The width of each view that the model gives, from one clip."""
    one = Loader(columns(model, clips), clips.labels, 1).batch(np.zeros(1, int))
    views = model.eval()(one).views
    model.train()
    return {name: view.shape[1] for name, view in views.items()}
