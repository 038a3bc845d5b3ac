"""Labels that training generated for single modalities: how far they moved, and if rightly."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from infofuse import metrics
from infofuse.errors import InfofuseError, nearest
from infofuse.files import read_json
from infofuse.training.protocol import find_checkpoint
from infofuse.training.run import PER_CLIP
from infofuse.types import Json

FUSED = "multimodal"
Human = Mapping[str, Mapping[str, float]]
"""Human labels by clip and modality, such as {"clip7": {"text": 0.4}}."""


@dataclass(frozen=True, eq=False)
class GeneratedLabels:
    """Of the training clips, as they were after the last epoch; NaN where a clip has none.

    multimodal: the human label. unimodal: the generated ones, by modality.
    """

    ids: Sequence[str]
    multimodal: Float[np.ndarray, "clips"]
    unimodal: Mapping[str, Float[np.ndarray, "clips"]]

    def farthest(self, count: int) -> list[int]:
        """The clips one of whose labels moved farthest from the human one, farthest first."""
        apart = [np.nan_to_num(np.abs(y - self.multimodal)) for y in self.unimodal.values()]
        return np.argsort(-np.max(apart, axis=0), kind="stable")[:count].tolist()

    def to_csv(self) -> str:
        """One clip a line."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["id", FUSED, *self.unimodal])
        columns = zip(self.multimodal, *self.unimodal.values(), strict=True)
        for clip, labels in zip(self.ids, columns, strict=True):
            rows.writerow([clip, *("" if np.isnan(y) else f"{y:.6g}" for y in labels)])
        return text.getvalue()

    def to_json(self) -> Json:
        """The labels as JSON has them."""
        own = {m: y.tolist() for m, y in self.unimodal.items()}
        return {"id": list(self.ids), FUSED: self.multimodal.tolist(), **own}


@dataclass(frozen=True)
class Drift:
    """How the labels of one modality differ from the human, multimodal ones.

    mean, sd: of the offset y_s - y_m. corr: of y_s with y_m. turned: the share of the clips whose
    two labels are of opposite signs.
    """

    modality: str
    clips: int
    mean: float
    sd: float
    corr: float
    turned: float


@dataclass(frozen=True)
class Agreement:
    """How well generated labels agree with human ones of the same modality.

    mae, corr: of the generated labels. mae_before, corr_before: of the multimodal label, at which
    they started. offset_corr: of the generated offset from the multimodal label with the human.
    """

    modality: str
    clips: int
    mae: float
    mae_before: float
    corr: float
    corr_before: float
    offset_corr: float


def generated_labels(run: Path) -> GeneratedLabels:
    """The labels of a run, of one seed of it, or of a checkpoint's run.

    Raises InfofuseError if its training generated none.
    """
    path = find_checkpoint(run).parent / PER_CLIP
    table = read_json(path) if path.is_file() else {}
    if FUSED not in table:
        raise InfofuseError(
            f"the training of {run} generated no labels for single modalities; Self-MM and DMA do"
        )
    columns = {
        name: np.array([np.nan if y is None else y for y in values], float)
        for name, values in table.items()
        if name != "id"
    }
    return GeneratedLabels(table["id"], columns.pop(FUSED), columns)


def read_human(path: Path) -> Human:
    """Human labels from a file of JSON. Raises InfofuseError if it holds something else."""
    table = read_json(path)
    good = isinstance(table, dict) and all(isinstance(row, dict) for row in table.values())
    numbers = good and all(
        isinstance(y, int | float) for row in table.values() for y in row.values()
    )
    if not numbers:
        raise InfofuseError(
            f'{path} holds something else than labels by clip and modality, {{"clip": '
            f'{{"text": 0.4}}}}'
        )
    return table


def drift(labels: GeneratedLabels) -> list[Drift]:
    """The drift of each modality's labels."""
    return [_drift(m, labels.multimodal, own) for m, own in labels.unimodal.items()]


def _drift(
    modality: str, y_m: Float[np.ndarray, "clips"], y_s: Float[np.ndarray, "clips"]
) -> Drift:
    here = ~np.isnan(y_m + y_s)
    y_m, y_s = y_m[here], y_s[here]
    if not len(y_s):
        return Drift(modality, 0, *[float("nan")] * 4)
    offset = y_s - y_m
    turned = float((y_s * y_m < 0).mean())
    sd = float(offset.std())
    return Drift(modality, len(y_s), float(offset.mean()), sd, metrics.corr(y_m, y_s), turned)


def agreement(labels: GeneratedLabels, human: Human) -> list[Agreement]:
    """The agreement of each modality's labels with human ones, over the clips that have both.

    Raises InfofuseError if no clip and modality has both.
    """
    found = [_agreement(m, own, labels, human) for m, own in labels.unimodal.items()]
    kept = [one for one in found if one.clips]
    if not kept:
        first = next(iter(human), "")
        raise InfofuseError(
            f"the human labels are of other clips or modalities than the run's: the first clip is "
            f"{first!r}; {nearest(first, labels.ids)}"
        )
    return kept


def _agreement(
    modality: str,
    own: Float[np.ndarray, "clips"],
    labels: GeneratedLabels,
    human: Human,
) -> Agreement:
    truth = np.array([human.get(i, {}).get(modality, np.nan) for i in labels.ids], float)
    here = ~np.isnan(truth + own + labels.multimodal)
    truth, own, before = truth[here], own[here], labels.multimodal[here]
    return Agreement(
        modality,
        int(here.sum()),
        metrics.mae(truth, own),
        metrics.mae(truth, before),
        metrics.corr(truth, own),
        metrics.corr(truth, before),
        metrics.corr(truth - before, own - before),
    )
