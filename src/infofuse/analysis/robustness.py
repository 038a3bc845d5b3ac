"""How a model's scores fall as one modality goes wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import nn

from infofuse import metrics
from infofuse.analysis.corruption import CORRUPTIONS
from infofuse.data.loader import Loader
from infofuse.errors import InfofuseError, unknown
from infofuse.models import columns, encoders
from infofuse.tasks import Task
from infofuse.training.predict import BATCH, predict
from infofuse.types import Clips, Json

RATES = tuple(round(0.1 * i, 1) for i in range(11))


@dataclass(frozen=True, eq=False)
class Curve:
    """A metric against the rate of one corruption of one modality, for each of several models.

    scores: (models, rates). The first rate is 0: the clips as they are.
    """

    modality: str
    corruption: str
    metric: str
    rates: tuple[float, ...]
    scores: Float[np.ndarray, "models rates"]

    @property
    def retention(self) -> Float[np.ndarray, "models rates"]:
        """The share of the score that is left: score(p) / score(0), and mae(0) / mae(p).

        NaN where score(0) is not above 0, such as a negative correlation: nothing is there to keep.
        """
        whole = np.where(self.scores[:, :1] > 0, self.scores[:, :1], np.nan)
        less_is_better = metrics.METRICS[self.metric].better == "min"
        return whole / self.scores if less_is_better else self.scores / whole

    @property
    def area(self) -> Float[np.ndarray, "models"]:
        """The mean of the retention over the rates, by trapezoids: 1 if nothing is lost."""
        return np.trapezoid(self.retention, self.rates, axis=1) / (self.rates[-1] - self.rates[0])

    def at(self, rate: float) -> Float[np.ndarray, "models"]:
        """The retention at a rate; NaN where it was not measured."""
        return self._read(self.retention, rate)

    def score_at(self, rate: float) -> Float[np.ndarray, "models"]:
        """The score at a rate; NaN where it was not measured."""
        return self._read(self.scores, rate)

    def _read(
        self, values: Float[np.ndarray, "models rates"], rate: float
    ) -> Float[np.ndarray, "models"]:
        nothing = np.full(len(values), np.nan)
        return values[:, self.rates.index(rate)] if rate in self.rates else nothing

    def to_json(self) -> Json:
        """Rates, scores, retention and area as JSON has them."""
        return {
            "modality": self.modality,
            "corruption": self.corruption,
            "metric": self.metric,
            "rates": list(self.rates),
            "scores": self.scores.tolist(),
            "retention": self.retention.tolist(),
            "area": self.area.tolist(),
        }


def robustness(
    models: Sequence[nn.Module],
    clips: Clips,
    task: Task,
    *,
    corruptions: Sequence[str] = tuple(CORRUPTIONS),
    rates: Sequence[float] = RATES,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Curve]:
    """Curves of every metric, modality and corruption, for models that differ by seed alone.

    rates: in [0, 1]; 0 is put first if it is missing. report: called with predictions made and to
    be made.

    Raises InfofuseError for a corruption that is not known, for a rate out of [0, 1], and where no
    rate is above 0.
    """
    for name in corruptions:
        if name not in CORRUPTIONS:
            raise unknown("corruption", name, CORRUPTIONS)
    if not all(0 <= rate <= 1 for rate in rates):
        raise InfofuseError(f"rates lie in [0, 1]; found {', '.join(map(str, rates))}")
    rates = tuple(sorted({0.0, *rates}))
    if len(rates) < 2:
        raise InfofuseError("no rate is above 0, so nothing goes wrong: give one, such as 0.5")
    modalities = list(encoders(models[0]))
    total = len(models) * (1 + len(modalities) * len(corruptions) * (len(rates) - 1))
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    done = 0
    for model in models:
        whole = columns(model, clips)
        clean = _score(model, whole, clips, task)
        done += 1
        for modality, reader in encoders(model).items():
            for corruption in corruptions:
                by_rate = [clean]
                for rate in rates[1:]:
                    rng = np.random.default_rng(seed)
                    spoilt = CORRUPTIONS[corruption](reader, whole[modality], rate, rng)
                    by_rate.append(_score(model, whole | {modality: spoilt}, clips, task))
                    done += 1
                    report(done, total)
                for metric in clean:
                    row = [scores[metric] for scores in by_rate]
                    found.setdefault((modality, corruption, metric), []).append(row)
    return [Curve(*key, rates, np.array(rows)) for key, rows in found.items()]


def _score(model: nn.Module, read: dict, clips: Clips, task: Task) -> dict[str, float]:
    return task.score(predict(model, Loader(read, clips.labels, BATCH)), clips.labels)
