"""What every measure is: tensors in, one scalar out, and the facts one chooses it by."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

Side = Literal["lower", "upper", "estimate", "exact"]


class Measure(nn.Module, ABC):
    """Dependence or distance of two or more views of the same clips, never a loss.

    `measure(x, y)` with x of shape (batch, dim_x) and y of shape (batch, dim_y) is the
    estimate on that batch, differentiable, in `unit`. Who wants it large or small says so
    with `objectives.Maximize` or `objectives.Minimize`.

    A measure that has parameters of its own fits them by maximising its estimate, unless it
    says otherwise with `learning_loss`.
    """

    side: ClassVar[Side]
    """Where the expectation lies: under the truth, over it, on either side, or on it."""
    unit: ClassVar[str] = "nats"
    pairs_cost: ClassVar[bool] = False
    """Whether the cost grows with the square of the batch."""
    many_views: ClassVar[bool] = False
    """Whether it takes any number of views from two on, and not pairs alone."""
    same_width: ClassVar[bool] = False
    """Whether it compares coordinate with coordinate, so that views must have one width."""
    min_batch: ClassVar[int] = 2
    """The smallest batch on which the estimate means something."""
    uses_labels: ClassVar[bool] = False
    """Whether the measure is called with `labels=` of shape (batch,) besides the views."""
    paper: ClassVar[str]
    """Where it comes from, with arXiv id."""

    @abstractmethod
    def forward(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]: ...

    def learning_loss(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]:
        """What the measure's own parameters minimise; minus the estimate by default."""
        return -self(*views, **extra)
