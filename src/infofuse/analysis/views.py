"""Fixed-size views of clips: what a model makes of them, or the mean of their features."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import nn

from infofuse.data.loader import Loader
from infofuse.errors import unknown
from infofuse.models import columns
from infofuse.training.predict import BATCH
from infofuse.types import Clips


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


@torch.inference_mode()
def views_of_model(model: nn.Module, clips: Clips, names: Sequence[str] = ()) -> Views:
    """The model's `Output.views`, or those named, in evaluation mode."""
    was_training = model.training
    model.eval()
    found, present, index = [], [], []
    for batch in Loader(columns(model, clips), clips.labels, BATCH).ordered():
        output = model(batch)
        found.append(output.views)
        present.append(output.present)
        index.append(batch.index)
    model.train(was_training)
    order = torch.cat(index).argsort()
    names = _chosen(names, found[0])
    joined = {m: torch.cat([v[m] for v in found])[order].float().numpy() for m in names}
    here = [torch.cat([p[m] for p in present])[order].numpy() for m in names if m in present[0]]
    complete = np.all([np.ones(len(clips), bool), *here], axis=0)
    return _kept({m: v[complete] for m, v in joined.items()}, clips, complete)


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
