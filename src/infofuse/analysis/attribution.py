"""What each modality adds to a prediction: exact Shapley values over the modalities."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Float
from torch import nn

from infofuse.data.loader import Loader
from infofuse.models import columns
from infofuse.training.predict import BATCH, predict
from infofuse.types import Clips, Ragged

Subset = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Attribution:
    """Shapley values of a model's prediction over its modalities, for each of n clips.

    predictions: (n, width) by the modalities that were there, the empty subset included; a
    modality that a clip lacks is absent in all of them. values: (n, width) by modality; they sum
    to the prediction from all modalities minus that from none.
    """

    predictions: dict[Subset, Float[np.ndarray, "n width"]]
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
    read = columns(model, clips)
    names = tuple(read)
    nothing = {name: column.take([]).values for name, column in read.items()}
    start = np.zeros(len(clips) + 1, np.int64)
    predictions = {}
    for subset in subsets(names):
        some = {m: c if m in subset else Ragged(nothing[m], start) for m, c in read.items()}
        predictions[subset] = predict(model, Loader(some, clips.labels, BATCH))
    values = {name: _value(name, names, predictions) for name in names}
    return Attribution(predictions, values)


def subsets(names: Sequence[str]) -> Iterator[Subset]:
    """All subsets, the empty one first, each in the order of the names."""
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _value(
    name: str, names: Subset, predictions: dict[Subset, np.ndarray]
) -> Float[np.ndarray, "n width"]:
    k = len(names)
    total = np.zeros_like(predictions[names])
    for subset in subsets([other for other in names if other != name]):
        with_it = tuple(other for other in names if other in (*subset, name))
        gain = predictions[with_it] - predictions[subset]
        total += gain / (k * comb(k - 1, len(subset)))
    return total
