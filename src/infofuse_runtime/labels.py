"""From the numbers of an exported model to answers in the labels' terms.

The rules are those of `infofuse`: its tasks, and its split conformal prediction.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infofuse_runtime.refusal import Refusal

Scores = Mapping[tuple[str, ...], list[list[float]]]
"""By modalities that are there, ascending nonconformities of each label column."""


@dataclass(frozen=True)
class Answer:
    """What the model says of one clip.

    answer: the score of each label column, or the names of the classes that are answered.
    scores: the numbers behind it: the scores, or the chance of each class. interval: by label
    column, from and to of the conformal interval; classes: the conformal set of classes. Each is
    None where it does not apply, or the model was not calibrated. present: the modalities used.
    """

    answer: tuple[float | str, ...]
    scores: tuple[float, ...]
    interval: tuple[tuple[float, float], ...] | None
    classes: tuple[str, ...] | None
    present: tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """What the model was trained to say.

    metrics: "classification" (one of the classes), "multilabel" (those that hold), else scores.
    """

    metrics: str
    classes: tuple[str, ...]
    label_range: tuple[float, float] | None

    def answer(self, prediction: np.ndarray) -> np.ndarray:
        """(n, k) as labels are: scores, the class's number, or 1 for each class that holds."""
        if self.metrics == "classification":
            return prediction.argmax(1)[:, None].astype(np.float32)
        if self.metrics == "multilabel":
            return (prediction > 0).astype(np.float32)
        return prediction

    def readable(self, prediction: np.ndarray) -> np.ndarray:
        """(n, width): the scores, or the chance of each class."""
        if self.metrics == "classification":
            weights = np.exp(prediction - prediction.max(1, keepdims=True))
            return weights / weights.sum(1, keepdims=True)
        if self.metrics == "multilabel":
            return np.exp(-np.logaddexp(0, -prediction))
        return prediction

    def say(self, prediction: np.ndarray, present: tuple[str, ...], limits: Any) -> Answer:
        """The answer for one clip, from its row of the prediction.

        limits: of each label column, how far off may count as possible; None without calibration.
        """
        readable = self.readable(prediction[None])[0]
        answer = self.answer(prediction[None])[0]
        scores = tuple(readable.tolist())
        if self.metrics == "classification":
            classes = self._set(limits, readable, readable == readable.max())
            return Answer((self.classes[int(answer[0])],), scores, None, classes, present)
        if self.metrics == "multilabel":
            holds = tuple(c for c, y in zip(self.classes, answer, strict=True) if y)
            classes = self._set(limits, readable, readable > 0.5)
            return Answer(holds, scores, None, classes, present)
        return Answer(scores, scores, self._interval(limits, scores), None, present)

    def _interval(
        self, limits: list[float] | None, scores: tuple[float, ...]
    ) -> tuple[tuple[float, float], ...] | None:
        """f ± q, cut to the labels' scale; None where it would have no end."""
        if limits is None:
            return None
        low, high = self.label_range or (-math.inf, math.inf)
        cut = [
            (max(low, min(high, f - q)), max(low, min(high, f + q)))
            for f, q in zip(scores, limits, strict=True)
        ]
        return tuple(cut) if np.isfinite(cut).all() else None

    def _set(
        self, limits: list[float] | None, chances: np.ndarray, answered: np.ndarray
    ) -> tuple[str, ...] | None:
        """Every class with 1 - p <= q, and those that are answered."""
        if limits is None:
            return None
        possible = (1 - chances <= np.array(limits)) | answered
        return tuple(c for c, here in zip(self.classes, possible, strict=True) if here)


def read_scores(json: Any) -> Scores:
    """The nonconformities of a calibration.json. Raises Refusal for anything else."""
    try:
        if json["format"] != 1:
            raise Refusal(f"a calibration of format {json['format']!r}; 1 is read here")
        return {tuple(subset["modalities"]): subset["scores"] for subset in json["subsets"]}
    except (KeyError, TypeError) as error:
        raise Refusal(f"calibration.json is no calibration: {error!r}") from None


def limits(scores: Scores, present: tuple[str, ...], confidence: float) -> list[float]:
    """By label column the ceil((n + 1) confidence)-th of n nonconformities, inf if n is less."""
    columns = scores.get(present, [[]] * len(next(iter(scores.values()))))
    return [_limit(column, confidence) for column in columns]


def _limit(column: list[float], confidence: float) -> float:
    rank = math.ceil(round((len(column) + 1) * confidence, 9))
    return column[rank - 1] if rank <= len(column) else math.inf
