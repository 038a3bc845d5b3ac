"""Published figures as data: scores, where they are printed, and what read the words.

The text encoder decides more than the fusion does, so that each figure has its encoder's class, and
figures of one class are never held against scores of another.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from jaxtyping import Float

from infofuse.config import from_table
from infofuse.data.spec import DataSpec
from infofuse.metrics import gain
from infofuse.training.recipe import Recipe


@dataclass(frozen=True)
class Figure:
    """One system's published scores on one split. paper: its name here.

    encoder: what read the words, such as "bert-base-uncased, fine-tuned" or "GloVe".
    """

    paper: str
    title: str
    split: str
    encoder: str
    source: str
    scores: Mapping[str, float]


def figures(dataset: str) -> list[Figure]:
    """The figures of a data set, by its name in `infofuse.data.known`; none if none are known."""
    file = files("infofuse.study.published") / f"{dataset}.toml"
    if not file.is_file():
        return []
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["figure"]
    return [from_table(Figure, entry, f"published.{dataset}") for entry in entries]


def encoder_of(recipe: Recipe, spec: DataSpec) -> str:
    """What reads the words in a run, as a `Figure` says it."""
    wanted = getattr(recipe.model, "modalities", ()) or spec.modalities
    if "text" not in wanted:
        return "no text"
    if not spec.text:
        return "features of the data set"
    learns = "frozen" if getattr(recipe.model, "freeze_text", False) else "fine-tuned"
    return f"{getattr(recipe.model, 'text_encoder', 'unknown')}, {learns}"


def verdict(published: float, ours: Float[np.ndarray, "seeds"], metric: str) -> str:
    """Whether the mean is as good, else within a standard deviation of it, else neither."""
    above = gain(metric, float(ours.mean()), published)
    if above >= 0:
        return "reached"
    spread = ours.std(ddof=1) if len(ours) > 1 else 0.0
    return "within spread" if -above <= spread else "not reached"
