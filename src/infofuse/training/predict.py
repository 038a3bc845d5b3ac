"""Predictions of a model for a set of clips, from all its modalities or from some of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from infofuse.data.loader import Loader
from infofuse.types import Output, Ragged

Subset = tuple[str, ...]
"""Some of a model's modalities, in the model's order."""

BATCH = 64
"""Clips that are predicted at once, where nothing else says so."""


@torch.inference_mode()
def in_order(
    model: nn.Module,
    loader: Loader,
    of: Callable[[Output], Mapping[str, Tensor]],
    device: torch.device | str = "cpu",
) -> dict[str, Shaped[np.ndarray, "n ..."]]:
    """What `of` takes from the output for each clip, by name, in the clips' own order."""
    rows, found = [], []
    for batch in loader.ordered():
        rows.append(batch.index)
        found.append({name: x.cpu() for name, x in of(model(batch.to(device))).items()})
    back = torch.cat(rows).argsort()
    return {name: torch.cat([f[name] for f in found])[back].numpy() for name in found[0]}


def predict(
    model: nn.Module,
    loader: Loader,
    device: torch.device | str = "cpu",
    watch: Callable[[Output], None] = lambda _: None,
) -> Float[np.ndarray, "n k"]:
    """The prediction for each clip, in the clips' own order. `watch` is shown every output."""

    def of(output: Output) -> dict[str, Tensor]:
        watch(output)
        return {"prediction": output.prediction.float()}

    return in_order(model, loader, of, device)["prediction"]


def predict_subsets(
    model: nn.Module, read: Mapping[str, Ragged]
) -> dict[Subset, Float[np.ndarray, "n width"]]:
    """f(S) for every subset S of the modalities, all others absent, the empty subset first.

    read: the columns of at least one clip, as `models.columns` gives them. One pass over the clips
    a subset; a modality that no clip has costs none.
    """
    there = tuple(name for name, column in read.items() if column.lengths.any())
    labels = np.zeros((len(next(iter(read.values()))), 1), np.float32)
    found = {}
    for subset in subsets(there):
        some = {m: c if m in subset else c.emptied for m, c in read.items()}
        found[subset] = predict(model, Loader(some, labels, BATCH))
    return {s: found[tuple(m for m in s if m in there)] for s in subsets(tuple(read))}


def subsets(names: Sequence[str]) -> Iterator[Subset]:
    """All subsets, the empty one first, each in the order of the names."""
    for size in range(len(names) + 1):
        yield from combinations(names, size)
