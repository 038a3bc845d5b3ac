"""What each modality adds to a prediction: exact Shapley values over the modalities."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float
from torch import nn

from infofuse.tasks import Task
from infofuse.training.predict import Subset, predict_subsets, subsets
from infofuse.types import Ragged


@dataclass(frozen=True, eq=False)
class Attribution:
    """Shapley values of a model's prediction over its modalities, for each of n clips.

    predictions: (n, width) by the modalities that were there, the empty subset included; a
    modality that a clip lacks is absent in all of them. values: (n, width) by modality; they sum
    to the prediction from all modalities minus that from none.
    """

    predictions: Mapping[Subset, Float[np.ndarray, "n width"]]
    values: dict[str, Float[np.ndarray, "n width"]]

    @property
    def whole(self) -> Float[np.ndarray, "n width"]:
        """The prediction from all modalities."""
        return self.predictions[tuple(self.values)]

    def alone(self, modality: str) -> Float[np.ndarray, "n width"]:
        """The prediction from one modality by itself."""
        return self.predictions[(modality,)]


def attributed(
    model: nn.Module, read: Mapping[str, Ragged], task: Task
) -> tuple[Attribution, Float[np.ndarray, "n k"]]:
    """The Shapley values of the scores, or of the chance of each class, and the answers.

    read: the columns of n clips (`infofuse.models.columns`). One pass over them a subset.
    """
    predictions = predict_subsets(model, read)
    of = attribute({subset: task.readable(p) for subset, p in predictions.items()})
    return of, task.answer(predictions[tuple(of.values)])


def attribute(predictions: Mapping[Subset, Float[np.ndarray, "n width"]]) -> Attribution:
    """phi_m = sum_S [|S|! (k - |S| - 1)! / k!] (f(S + m) - f(S)), S the subsets without m.

    predictions: f(S), what is predicted from the modalities of S alone, all others absent, for
    each of the 2^k subsets, as `predict_subsets` makes them. The values are exact, and in the unit
    of what is predicted. Shapley 1953.
    """
    names = max(predictions, key=len)
    values = {name: _value(name, names, predictions) for name in names}
    return Attribution(predictions, values)


def _value(
    name: str, names: Subset, predictions: Mapping[Subset, np.ndarray]
) -> Float[np.ndarray, "n width"]:
    k = len(names)
    total = np.zeros_like(predictions[names])
    for subset in subsets([other for other in names if other != name]):
        with_it = tuple(other for other in names if other in (*subset, name))
        gain = predictions[with_it] - predictions[subset]
        total += gain / (k * comb(k - 1, len(subset)))
    return total
