"""Split conformal prediction: what is possible at a confidence, from errors on other clips.

Take n clips that the model was not trained on, with nonconformities s_1 ≤ ... ≤ s_n: how far the
model is off on each (`Task.nonconformity`). For a new clip, everything is possible whose
nonconformity is at most

    q = s_r,   r = ⌈(n + 1) c⌉,   q = ∞ where r > n.

If the new clip and the n are exchangeable, the truth is among what is possible with chance ≥ c, and
≤ c + 1 / (n + 1) where no two nonconformities are equal. That is on average over clips and over
draws of the n; not for each clip, nor for each kind of clip. Vovk, Gammerman & Shafer 2005; Lei et
al. 2018 (arXiv 1604.04173), theorem 2.2; Angelopoulos & Bates 2021 (arXiv 2107.07511), sec. 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from infofuse.errors import InfofuseError
from infofuse.types import Json

_ROUNDING = 9  # decimals of (n + 1) c: 0.7 * 10 is not to count as more than 7


@dataclass(frozen=True, eq=False)
class Region:
    """What is possible for each of n clips.

    interval: from and to of every label column, for labels on a scale. classes: which classes are
    possible, where there are classes. decided: whether a region leaves no doubt; see the task.
    """

    decided: Bool[np.ndarray, "n"]
    interval: Float[np.ndarray, "n k 2"] | None = None
    classes: Bool[np.ndarray, "n classes"] | None = None


@dataclass(frozen=True, eq=False)
class Calibration:
    """Nonconformities of validation clips, ascending, by modalities that were there and by column.

    A model that sees the text alone is off by more than one that sees everything, so each
    non-empty subset of the modalities has scores of its own: those of the clips that have all of
    its modalities, the others being taken away.

    The clips should play no part in training. Here they chose the epoch, so a little of their
    error is fitted, and the coverage is approximate. docs/predict.md says by how much.
    """

    scores: Mapping[tuple[str, ...], tuple[Float[np.ndarray, "_"], ...]]

    def limits(self, present: tuple[str, ...], confidence: float) -> list[float]:
        """q of each label column, for a clip that has these modalities; ∞ for one without any."""
        nothing = (np.zeros(0),) * self.outputs
        return [limit(column, confidence) for column in self.scores.get(present, nothing)]

    @property
    def outputs(self) -> int:
        """Label columns."""
        return len(next(iter(self.scores.values())))

    def to_json(self) -> Json:
        """The subsets, each with one ascending list of scores a label column."""
        return {
            "format": 1,
            "subsets": [
                {"modalities": list(names), "scores": [column.tolist() for column in columns]}
                for names, columns in self.scores.items()
            ],
        }

    @classmethod
    def from_json(cls, json: Json) -> "Calibration":
        """The inverse of `to_json`. Raises InfofuseError for anything else."""
        try:
            if json["format"] != 1:
                raise InfofuseError(f"a calibration of format {json['format']!r}; 1 is read here")
            scores = {
                tuple(map(str, subset["modalities"])): tuple(map(_ascending, subset["scores"]))
                for subset in json["subsets"]
            }
            if len({len(columns) for columns in scores.values()}) != 1:
                raise ValueError("its subsets have not the same label columns")
            return cls(scores)
        except (ArithmeticError, TypeError, KeyError, ValueError) as error:
            raise InfofuseError(f"this is no calibration: {error!r}") from None


def _ascending(column: list[float | None]) -> Float[np.ndarray, "_"]:
    """The scores as they were kept; null stands for one that is beyond all numbers."""
    scores = np.array([math.inf if score is None else score for score in column], np.float64)
    if np.isnan(scores).any() or (scores[1:] < scores[:-1]).any():
        raise ValueError("its scores do not ascend")
    return scores


def limit(scores: Float[np.ndarray, "n"], confidence: float) -> float:
    """q of the formula above; the scores are ascending."""
    rank = math.ceil(round((len(scores) + 1) * confidence, _ROUNDING))
    return float(scores[rank - 1]) if rank <= len(scores) else math.inf
