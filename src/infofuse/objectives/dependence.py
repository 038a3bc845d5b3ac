"""Dependence between named views of a model, made large or small."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.measures.measure import Measure
from infofuse.objectives.gather import gather
from infofuse.objectives.objective import Apart, Objective, Term
from infofuse.objectives.schedule import Schedule, Scheduled
from infofuse.types import Batch, Output

Fit = Literal["joint"] | Apart
FITS = ("joint", *get_args(Apart))


class _Dependence(Objective):
    """weight * sign * measure(views): what Maximize and Minimize have in common.

    views: names in `Output.views`, in the order that the measure takes them. Only clips that
    have every one of them count; a batch with fewer than `measure.min_batch` such clips gives 0.
    Where several processes train together, the batch is that of all of them: see `gather`.
    weight: a number, or a `Schedule` of it over the epochs.
    fit: how the measure's own parameters are trained. "joint": with everything else, through the
    term itself. Otherwise by `measure.learning_loss`, the model being fixed; "epoch": in a pass
    of their own over the training clips before each epoch; "inner": in `steps` steps, each on a
    batch of its own, before each step of the model (two-stage alternation).
    freeze: whether parameters that are fitted apart are constants of the term itself. If not,
    they take no step by it, but their gradient counts where gradients are clipped.
    """

    sign: float
    wrong_side: str

    def __init__(
        self,
        views: Sequence[str],
        measure: Measure,
        weight: float | Schedule = 1.0,
        *,
        name: str | None = None,
        fit: Fit = "joint",
        steps: int = 1,
        freeze: bool = True,
        allow_loose: bool = False,
    ):
        super().__init__()
        if fit not in FITS:
            raise ValueError(f"fit is one of {', '.join(FITS)}; found {fit!r}")
        if not isinstance(weight, Schedule) and weight < 0:
            raise ValueError(
                f"a weight is at least 0; found {weight:g}: Maximize and Minimize carry the sign"
            )
        if measure.side == self.wrong_side and not allow_loose:
            raise ValueError(
                f"to {type(self).__name__.lower()} {type(measure).__name__}, a bound on the "
                f"{measure.side} side, says nothing of the dependence; pass allow_loose=True if "
                f"that is meant"
            )
        if steps < 1:
            raise ValueError(f"inner estimators take at least one step, not {steps}")
        self.views, self.measure, self.fit = tuple(views), measure, fit
        self.inner_steps = steps if fit == "inner" else 0
        self.weight = Scheduled(weight) if isinstance(weight, Schedule) else weight
        self.freeze = freeze and fit != "joint"
        self.name = name or f"{type(measure).__name__}({';'.join(views)})"

    def _arguments(
        self, output: Output, batch: Batch
    ) -> tuple[list[Float[Tensor, "kept _"]], dict[str, Tensor]] | None:
        keep = output.complete(self.views)
        views = gather(*(output.views[name][keep] for name in self.views))
        if len(views[0]) < self.measure.min_batch:
            return None
        extra = {"labels": gather(batch.labels[keep, 0])[0]} if self.measure.uses_labels else {}
        return list(views), extra

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        arguments = self._arguments(output, batch)
        if arguments is None:
            return {self.name: Term.nothing(output)}
        views, extra = arguments
        with constant(self.measure) if self.freeze else contextlib.nullcontext():
            value = self.measure(*views, **extra)
        return {self.name: Term(self.sign * float(self.weight) * value, value.detach())}

    def estimators(self, fit: Apart = "epoch") -> Iterator[nn.Parameter]:
        if self.fit == fit:
            yield from (p for p in self.measure.parameters() if p.requires_grad)

    def learning_loss(
        self, output: Output, batch: Batch, fit: Apart = "epoch"
    ) -> Float[Tensor, ""] | None:
        arguments = self._arguments(output, batch) if self.fit == fit else None
        if arguments is None:
            return None
        views, extra = arguments
        return self.measure.learning_loss(*(v.detach() for v in views), **extra)


class Maximize(_Dependence):
    """- weight * measure(views): more dependence. Refuses a bound from above."""

    sign, wrong_side = -1.0, "upper"


class Minimize(_Dependence):
    """+ weight * measure(views): less dependence. Refuses a bound from below."""

    sign, wrong_side = 1.0, "lower"


@contextlib.contextmanager
def constant(module: nn.Module) -> Iterator[None]:
    """Inside, the module's parameters are constants to autograd."""
    learning = [p for p in module.parameters() if p.requires_grad]
    for p in learning:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in learning:
            p.requires_grad_(True)
