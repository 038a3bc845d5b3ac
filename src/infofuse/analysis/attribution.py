"""What each modality adds to a prediction: exact Shapley values over the modalities."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float
from torch import nn

from infofuse.models import columns
from infofuse.training.predict import Subset, predict_subsets, subsets
from infofuse.types import Clips


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


def shapley(model: nn.Module, clips: Clips) -> Attribution:
    """phi_m = sum_S [|S|! (k - |S| - 1)! / k!] (f(S + m) - f(S)), S the subsets without m.

    f(S) is the model's prediction with the modalities of S alone, all others absent: one pass
    over the clips a subset, 2^k in all. Shapley 1953, exact, for the k modalities of the model.
    """
    return attribute(predict_subsets(model, columns(model, clips)))


def attribute(predictions: Mapping[Subset, Float[np.ndarray, "n width"]]) -> Attribution:
    """The Shapley values of what is predicted from each subset, in the unit that it is in."""
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
