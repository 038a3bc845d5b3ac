"""Training: recipes, the one loop, checkpoints, and the protocol that keeps the test split shut."""

from infofuse.training.checkpoint import load
from infofuse.training.observer import Observer
from infofuse.training.protocol import evaluate, predictions
from infofuse.training.recipe import Recipe, TrainConfig, resolve
from infofuse.training.run import train

__all__ = [
    "Observer",
    "Recipe",
    "TrainConfig",
    "evaluate",
    "load",
    "predictions",
    "resolve",
    "train",
]
