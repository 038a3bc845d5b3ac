"""Why a model says what it says of each clip: its modalities' shares, and whether they agree."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.analysis.attribution import Attribution, attributed
from infofuse.analysis.corruption import swapped
from infofuse.data.loader import Loader
from infofuse.models import columns, encoders
from infofuse.objectives import DependencyPenalty
from infofuse.tasks import Task
from infofuse.training.predict import BATCH, in_order
from infofuse.types import Clips, Json, Output, Ragged


@dataclass(frozen=True, eq=False)
class Explanation:
    """What can be said of each of n clips.

    attribution: exact Shapley values of the scores, or of the chance of each class. answers: what
    is said of each clip, in the labels' own terms. agreement: T of each clip, the statistical
    network of a dependency penalty, NaN for a clip that lacks a modality; None without such a
    penalty. auc: the chance that T ranks a clip over one whose modalities were put together from
    different clips; 0.5 says nothing.
    """

    clips: Clips
    task: Task
    attribution: Attribution
    answers: Float[np.ndarray, "n k"]
    agreement: Float[np.ndarray, "n"] | None = None
    auc: float | None = None

    def order(self) -> list[int]:
        """The clips' rows, those whose modalities are most in conflict first."""
        if self.agreement is None:
            return list(range(len(self.clips)))
        return [int(i) for i in np.argsort(np.nan_to_num(self.agreement, nan=np.inf))]

    def shown(self, i: int) -> int:
        """The column of a clip's numbers that a table has: the first, or of the likeliest class."""
        return int(self.attribution.whole[i].argmax()) if self.classes else 0

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, where labels are classes."""
        return getattr(self.task, "classes", ())

    @property
    def sizes(self) -> dict[str, float]:
        """The mean absolute Shapley value of each modality."""
        return {m: float(np.abs(v).mean()) for m, v in self.attribution.values.items()}

    @property
    def shares(self) -> dict[str, float]:
        """The same, to sum to 1."""
        total = sum(self.sizes.values()) or 1.0
        return {m: size / total for m, size in self.sizes.items()}

    def words(self, values: Float[np.ndarray, "k"]) -> str:
        """A clip's labels, or what is said of it, for a table: the first score, or the classes."""
        if np.isnan(values if self.classes else values[:1]).any():
            return "–"
        if not self.classes:
            return f"{values[0]:.2f}"
        return ", ".join(map(str, self.task.say(values))) or "none"

    def to_json(self) -> Json:
        """Clips in `order`, each with what the modalities say together, alone, and add."""
        return {
            "auc": self.auc,
            "modalities": self.shares,
            "clips": [self._clip(i) for i in self.order()],
        }

    def _clip(self, i: int) -> Json:
        of = self.attribution
        found = {
            "id": self.clips.ids[i],
            "text": self.clips.texts[i],
            "label": [None if np.isnan(y) else float(y) for y in self.clips.labels[i]],
            "answer": list(self.task.say(self.answers[i])),
            "prediction": of.whole[i].tolist(),
            "from_nothing": of.predictions[()][i].tolist(),
            "alone": {m: of.alone(m)[i].tolist() for m in of.values},
            "shapley": {m: v[i].tolist() for m, v in of.values.items()},
        }
        if self.agreement is not None:
            score = self.agreement[i]
            found["agreement"] = None if np.isnan(score) else float(score)
        return found


def explain(
    model: nn.Module,
    clips: Clips,
    task: Task,
    penalty: DependencyPenalty | None = None,
    seed: int = 0,
) -> Explanation:
    """Shapley values of each clip, and its agreement if the model was trained with a penalty."""
    read = columns(model, clips)
    attribution, answers = attributed(model, read, task)
    if penalty is None:
        return Explanation(clips, task, attribution, answers)
    joint = agreements(model, penalty, read)
    torn = agreements(model, penalty, _torn(model, read, seed))
    there = ~np.isnan(joint)
    auc = _auc(joint[there], torn[~np.isnan(torn)]) if there.any() else None
    return Explanation(clips, task, attribution, answers, joint, auc)


def _torn(model: nn.Module, read: dict[str, Ragged], seed: int) -> dict[str, Ragged]:
    """Every modality but the first from another clip."""
    rng = np.random.default_rng(seed)
    first, *others = encoders(model).items()
    return {first[0]: read[first[0]]} | {m: swapped(r, read[m], 1.0, rng) for m, r in others}


def agreements(
    model: nn.Module, penalty: DependencyPenalty, read: Mapping[str, Ragged]
) -> Float[np.ndarray, "n"]:
    """T of each clip, of which `read` are the columns; NaN for one that lacks a modality."""
    labels = np.zeros((len(next(iter(read.values()))), 1), np.float32)
    penalty.eval()

    def of(output: Output) -> dict[str, Tensor]:
        apart = ~output.complete(penalty.modalities)
        return {"T": penalty.agreement(output).double().masked_fill(apart, float("nan"))}

    return in_order(model, Loader(read, labels, BATCH), of)["T"]


def _auc(high: Float[np.ndarray, "n"], low: Float[np.ndarray, "m"]) -> float:
    """P(high > low) + P(high = low) / 2 over all pairs."""
    above = (high[:, None] > low[None, :]).mean()
    return float(above + (high[:, None] == low[None, :]).mean() / 2)
