"""Weights of losses that are learnt with the model."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.objectives.dependence import Maximize
from infofuse.objectives.objective import Apart, Objective, Sum, Term
from infofuse.types import Batch, Clips, Output


class LearnedWeights(Sum):
    """sum_i exp(-s_i) L_i + s_i, each s_i learnt with the model, from 0 on.

    At its minimum s_i = ln L_i, where the sum is that of 1 + ln L_i: the scale of a loss no
    longer matters. Terms keep their names and values; terms of one objective share its s_i. A
    term that is exactly 0 (a batch without clips for it) says nothing of its weight, and leaves
    s_i as it was. A weight decay that holds for s_i too draws the weights towards 1.

    Only losses that cannot be negative have such a minimum, so only objectives that declare
    `nonnegative` are taken, such as `Supervised`. `Minimize` does not, as estimates of dependence
    may fall below 0; set `nonnegative = True` on one whose measure is a distance. `Maximize` is
    refused with ValueError: minus a dependence has no least value, so its weight would grow
    without end. Add it outside: `Sum(LearnedWeights(...), Maximize(...))`.

    Kendall, Gal and Cipolla, CVPR 2018 (arXiv 1705.07115), sec. 3. They write L / (2 sigma^2)
    + ln sigma for a Gaussian's squared error: half of this, with s = ln sigma^2. Without the
    halves it is also the exact likelihood of the mean absolute error, which is what regression
    is trained on here: Laplace's law of scale b has L / b + ln b, with s = ln b. For their cross
    entropy, L / sigma^2 + ln sigma, the best weight here is twice theirs.
    """

    def __init__(self, *objectives: Objective):
        for objective in objectives:
            _refuse_unbounded(objective)
        super().__init__(*map(_Scaled, objectives))

    @property
    def weights(self) -> list[float]:
        """exp(-s_i) of each objective, in the order given."""
        return [part.scale.neg().exp().item() for part in self.parts]  # type: ignore[operator]


class _Scaled(Objective):
    """exp(-s) L + s for every term of one objective."""

    def __init__(self, objective: Objective):
        super().__init__()
        self.objective, self.scale = objective, nn.Parameter(torch.zeros(()))
        self.inner_steps = objective.inner_steps

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        terms = self.objective(output, batch)
        return {name: Term(self._loss(t.loss), t.value) for name, t in terms.items()}

    def _loss(self, loss: Float[Tensor, ""]) -> Float[Tensor, ""]:
        return self.scale.neg().exp() * loss + self.scale * (loss.detach() != 0)

    def begin(self, clips: Clips) -> None:
        self.objective.begin(clips)

    def per_clip(self) -> dict[str, Float[Tensor, "clips"]]:
        return self.objective.per_clip()

    def estimators(self, fit: Apart = "epoch") -> Iterator[nn.Parameter]:
        return self.objective.estimators(fit)

    def learning_loss(
        self, output: Output, batch: Batch, fit: Apart = "epoch"
    ) -> Float[Tensor, ""] | None:
        return self.objective.learning_loss(output, batch, fit)


def _refuse_unbounded(objective: Objective) -> None:
    kind = type(objective).__name__
    if isinstance(objective, Maximize):
        raise ValueError(
            f"LearnedWeights cannot weight {kind} {objective.name!r}: minus a dependence has no "
            f"least value, and its weight would grow without end; add it outside, as in "
            f"Sum(LearnedWeights(...), Maximize(...))"
        )
    if not objective.nonnegative:
        raise ValueError(
            f"LearnedWeights needs losses that are never negative, and {kind} does not declare "
            f"that; give a Sum part by part, and where the loss is a distance, set "
            f"nonnegative = True on the objective"
        )
