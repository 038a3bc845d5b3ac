"""infofuse: dependency-maximising fusion for multimodal sentiment and affect analysis.

Everything public is reached from here, and loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infofuse.data import Corpus, DataSpec, open_corpus
    from infofuse.data.synthetic import synthesize
    from infofuse.errors import InfofuseError
    from infofuse.training import evaluate, load, predictions, train
    from infofuse.training.recipe import recipe
    from infofuse.types import Batch, Clips, Output, Padded, Ragged, Sample

__version__ = "0.1.0"

_HOME = {
    "Batch": "types",
    "Clips": "types",
    "Corpus": "data",
    "DataSpec": "data",
    "InfofuseError": "errors",
    "Output": "types",
    "Padded": "types",
    "Ragged": "types",
    "Sample": "types",
    "evaluate": "training",
    "load": "training",
    "open_corpus": "data",
    "predictions": "training",
    "recipe": "training.recipe",
    "synthesize": "data.synthetic",
    "train": "training",
}

__all__ = [
    "Batch",
    "Clips",
    "Corpus",
    "DataSpec",
    "InfofuseError",
    "Output",
    "Padded",
    "Ragged",
    "Sample",
    "evaluate",
    "load",
    "open_corpus",
    "predictions",
    "recipe",
    "synthesize",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'infofuse' has no attribute {name!r}")
    return getattr(importlib.import_module(f"infofuse.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
