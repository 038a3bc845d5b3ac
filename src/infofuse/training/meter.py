"""Dependence between the views of validation clips, read while a model trains."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from infofuse import measures
from infofuse.errors import InfofuseError, unknown
from infofuse.measures.catalogue import catalogue
from infofuse.types import Output

MEASURED = "measured_"


def refuse_fitted(names: Sequence[str]) -> None:
    """Raise InfofuseError for a name that is no measure, or one whose network must be fitted."""
    known = {entry.name: entry.fitted for entry in catalogue()}
    free = [name for name, fitted in known.items() if not fitted]
    for name in names:
        if name not in known:
            raise unknown("measure", name, free)
        if known[name]:
            raise InfofuseError(
                f"{name} fits a network, which takes too long after each epoch: measure one of "
                f"{', '.join(free)}, and use `infofuse measure --estimator {name}` afterwards"
            )


class Meter:
    """measure(x, y) of every two views of all clips it was shown that have both.

    It draws nothing at random and learns nothing, so training goes as it would without it. Views
    of different widths are left out where the measure compares coordinates.
    """

    def __init__(self, names: Sequence[str]):
        self.measures = {name: getattr(measures, name)() for name in names}
        self.views: dict[str, list[Tensor]] = defaultdict(list)
        self.present: dict[str, list[Tensor]] = defaultdict(list)

    def watch(self, output: Output) -> None:
        """Remember the views of a batch."""
        if not self.measures:
            return
        for name, view in output.views.items():
            self.views[name].append(view.float().cpu())
            self.present[name].append(output.complete([name]).cpu())

    @torch.no_grad()
    def read(self) -> dict[str, float]:
        """The estimates by name, such as "measured_CKA(text;audio)"."""
        views = {name: torch.cat(parts) for name, parts in self.views.items()}
        present = {name: torch.cat(parts) for name, parts in self.present.items()}
        found = {}
        for title, measure in self.measures.items():
            for a, b in combinations(views, 2):
                both = present[a] & present[b]
                fits = not measure.same_width or views[a].shape[1] == views[b].shape[1]
                if fits and int(both.sum()) >= measure.min_batch:
                    value = measure(views[a][both], views[b][both])
                    found[f"{MEASURED}{title}({a};{b})"] = float(value)
        return found
