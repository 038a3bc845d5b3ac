"""Any paper, small: its Config with narrow layers and no dropout, found by the fields' names."""

from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any

import torch

from infofuse import papers
from infofuse.data import Corpus, DataSpec
from infofuse.data.loader import Loader
from infofuse.models import columns, fit_inputs
from infofuse.objectives import Objective
from infofuse.types import Batch

WIDTH = 8
KEPT = {"max_tokens", "memory_size"}
FEW = {"layers": 2, "fuse_from": 1}


def tiny(name: str, text: str, **choices: Any) -> Any:
    """The Config: widths of 8, two heads and layers, no dropout, and this text encoder."""
    config = papers.get(name).Config
    if hasattr(config, "backbone"):  # a penalty on another paper, whose choices are a table
        return config(hidden=WIDTH, options=asdict(tiny(config.backbone, text, **choices)))
    small = {}
    for field in fields(config):
        if field.name == "text_encoder":
            small[field.name] = text
        elif field.name in FEW:
            small[field.name] = FEW[field.name]
        elif field.name.endswith("heads"):
            small[field.name] = 2
        elif field.name.endswith("dropout"):
            small[field.name] = 0.0
        elif type(field.default) is int and field.default > WIDTH and field.name not in KEPT:
            small[field.name] = WIDTH
    return config(**small | choices)


def build(
    name: str, spec: DataSpec, text: str, **choices: Any
) -> tuple[torch.nn.Module, Objective]:
    """A seeded small model and its objective."""
    torch.manual_seed(1)
    return papers.get(name).build(tiny(name, text, **choices), spec)


def batch_of(
    model: torch.nn.Module, corpus: Corpus, split: str = "train", size: int | None = None
) -> Batch:
    """The first clips of a split as one batch, the model fitted to the training split."""
    fit_inputs(model, corpus.split("train"))
    clips = corpus.split(split)
    clips = clips.take(range(len(clips) if size is None else size))
    return Loader(columns(model, clips), clips.labels, len(clips)).batch(
        torch.arange(len(clips)).numpy()
    )


def linear(layer: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """W x + b, of one vector."""
    return layer.weight @ x + layer.bias


def dense(*sizes: int) -> int:
    """Parameters of layers of these sizes."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def lstm(inputs: int, hidden: int) -> int:
    """Parameters of an LSTM's layer, with torch's two biases."""
    return 4 * hidden * (inputs + hidden + 2)


def size_on_mosi(paper: str, **choices: Any) -> int:
    """Parameters of a paper's default model on GloVe words, 5 and 20 features."""
    module = papers.get(paper)
    spec = DataSpec("mosi", {"text": 300, "audio": 5, "vision": 20})
    model, _ = module.build(module.Config(text_encoder="features", **choices), spec)
    return sum(p.numel() for p in model.parameters())
