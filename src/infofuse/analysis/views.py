"""Fixed-size views of clips: what a model makes of them, or the mean of their features."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor, nn

from infofuse.data.loader import Loader
from infofuse.errors import unknown
from infofuse.models import columns
from infofuse.training.predict import BATCH, in_order
from infofuse.types import Clips, Output


@dataclass(frozen=True, eq=False)
class Views:
    """Views by name, each (n, width), of the clips that have all of them.

    groups, labels: of those clips. left_out: how many clips lack one of the views.
    """

    values: Mapping[str, Float[np.ndarray, "n _"]]
    groups: Sequence[str]
    labels: Float[np.ndarray, "n k"]
    left_out: int


def views_of_clips(clips: Clips, names: Sequence[str] = ()) -> Views:
    """The mean over time of each feature modality, or of those named."""
    names = _chosen(names, clips.features)
    complete = np.all([clips.features[m].lengths > 0 for m in names], axis=0)
    rows = np.flatnonzero(complete)
    values = {
        m: np.array([clips.features[m][int(i)].mean(0) for i in rows], np.float32).reshape(
            len(rows), clips.features[m].width
        )
        for m in names
    }
    return _kept(values, clips, complete)


def views_of_model(model: nn.Module, clips: Clips, names: Sequence[str] = ()) -> Views:
    """The model's `Output.views`, or those named, in evaluation mode."""

    def of(output: Output) -> dict[str, Tensor]:
        chosen = _chosen(names, output.views)
        views = {m: output.views[m].float() for m in chosen}
        return views | {"": output.complete(chosen)}  # a name that no view has

    was_training = model.training
    model.eval()
    found = in_order(model, Loader(columns(model, clips), clips.labels, BATCH), of)
    model.train(was_training)
    complete = found.pop("")
    return _kept({m: v[complete] for m, v in found.items()}, clips, complete)


def _chosen(names: Sequence[str], known: Iterable[str]) -> Sequence[str]:
    known = list(known)
    for name in names:
        if name not in known:
            raise unknown("view", name, known)
    return names or known


def _kept(
    values: Mapping[str, Float[np.ndarray, "kept _"]], clips: Clips, complete: Bool[np.ndarray, "n"]
) -> Views:
    groups = [clips.groups[int(i)] for i in np.flatnonzero(complete)]
    return Views(values, groups, clips.labels[complete], left_out=int((~complete).sum()))
