"""When not to believe an estimate of dependence, in plain sentences."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jaxtyping import Bool, Float
from torch import Tensor

from infofuse.analysis.split import Parts

if TYPE_CHECKING:
    from infofuse.analysis.dependence import Estimate

NEAR = 0.8  # of the ceiling
CLIPS_A_DIMENSION = 5
GROUPS = 10
SIGNIFICANT = 0.05
CONSTANT = 1e-4  # deviation of a collapsed dimension over its mean or over the widest one's


def collapsed(view: Float[Tensor, "n dim"]) -> Bool[Tensor, "dim"]:
    """Which dimensions hardly vary, relative to their mean and to the one that varies most."""
    deviation = view.std(0)
    return deviation <= CONSTANT * deviation.max().maximum(view.mean(0).abs())


def of_view(name: str, view: Float[Tensor, "n dim"]) -> list[str]:
    """Of a view as it is on the fitting clips."""
    dead, dim = int(collapsed(view).sum()), view.shape[1]
    if dead == dim:
        return [f"{name} has collapsed: it is the same for every clip, so nothing depends on it."]
    if dead:
        return [f"{name} has collapsed in part: {dead} of its {dim} dimensions hardly vary."]
    return []


def of_groups(parts: Parts, grouped: bool) -> list[str]:
    """Of the groups that intervals are drawn from."""
    count = len(parts.units.unique())
    if not grouped or count >= GROUPS:
        return []
    return [f"The estimates are of {count} groups only: intervals and p-values are rough."]


def of_sizes(dims: Mapping[tuple[str, ...], int], clips: int) -> list[str]:
    """Of what is learnt from too few clips; dims: of the views of each estimate, summed."""
    wide = {views: dim for views, dim in dims.items() if clips < CLIPS_A_DIMENSION * dim}
    if not wide:
        return []
    least, most = min(wide.values()), max(wide.values())
    dimensions = f"{least}" if least == most else f"{least} to {most}"
    whose = "" if len(wide) == len(dims) else f" of {'; '.join(map(', '.join, wide))}"
    return [
        f"{clips} clips are few for the {dimensions} dimensions{whose}: such an estimate may be "
        f"far from the truth."
    ]


def of_estimate(found: "Estimate") -> list[str]:
    """Of one number."""
    who, notes = ", ".join(found.views), []
    if found.ceiling is not None and found.nats > NEAR * found.ceiling:
        notes.append(
            f"{who}: {found.nats:.2f} nats is near the most that {found.estimator} can show here "
            f"({found.ceiling:.2f}); the truth may be larger."
        )
    if found.nats < 0:
        notes.append(
            f"{who}: {found.nats:.2f} nats is under zero, which no dependence is; "
            + _under_zero(found.p)
        )
    return notes


def _under_zero(p: float) -> str:
    if p > SIGNIFICANT:
        return "read it as none found."
    return f"there is some (p = {p:.3f}), but the critic generalises too badly to say how much."


def of_fit(found: "Estimate", diverged: bool) -> list[str]:
    """Of the training of the critic."""
    if not diverged and math.isfinite(found.nats):
        return []
    return [f"{', '.join(found.views)}: training diverged; do not use this number."]
