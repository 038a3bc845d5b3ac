"""What a model is trained for: a sum of named terms over its output."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.types import Batch, Clips, Output

Apart = Literal["epoch", "inner"]
"""When the measures learn that are not trained with the rest."""


class Term(NamedTuple):
    """One summand: `loss` is what is minimised, `value` what a person reads in the log."""

    loss: Float[Tensor, ""]
    value: Float[Tensor, ""]

    @classmethod
    def nothing(cls, output: Output) -> "Term":
        """0, of a batch that has too few of the clips that count."""
        zero = output.prediction.new_zeros(())
        return cls(zero, zero)


class Objective(nn.Module, ABC):
    """Named terms of an output and its batch; the loss is the sum of the terms' losses.

    State that must survive a restart (memories, labels) lives in registered buffers.
    """

    nonnegative: bool = False
    """Whether no term's loss can be negative, whatever the batch."""

    inner_steps: int = 0
    """How many steps the inner estimators take before each step of the rest."""

    @abstractmethod
    def forward(self, output: Output, batch: Batch) -> dict[str, Term]: ...

    def begin(self, clips: Clips) -> None:
        """Make room for what is kept of each training clip, once, before training."""

    def per_clip(self) -> dict[str, Float[Tensor, "clips"]]:
        """What was found out about each training clip, by name, in the clips' order."""
        return {}

    def estimators(self, fit: Apart = "epoch") -> Iterator[nn.Parameter]:
        """Parameters that are not trained with the rest, but by `learning_loss`.

        "epoch": in a pass of their own before each epoch. "inner": in `inner_steps` steps before
        each step of the rest.
        """
        return iter(())

    def learning_loss(
        self, output: Output, batch: Batch, fit: Apart = "epoch"
    ) -> Float[Tensor, ""] | None:
        """What these estimators minimise on this batch; None if it holds nothing for them."""
        return None


def start_epoch(objective: Objective) -> None:
    """Tell every part of an objective that counts epochs that another one begins."""
    for module in objective.modules():
        begin: Any = getattr(module, "start_epoch", None)
        if begin:
            begin()


class Sum(Objective):
    """Several objectives at once. Terms of the same name are refused.

    Inner estimators of all parts take as many steps as those of the part that takes most.
    """

    def __init__(self, *parts: Objective):
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.inner_steps = max((part.inner_steps for part in parts), default=0)

    def _each(self) -> Sequence[Objective]:
        return list(self.parts)  # type: ignore[arg-type]

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        terms: dict[str, Term] = {}
        for part in self._each():
            for name, term in part(output, batch).items():
                if name in terms:
                    raise ValueError(f"two terms of the objective are called {name!r}")
                terms[name] = term
        return terms

    def begin(self, clips: Clips) -> None:
        for part in self._each():
            part.begin(clips)

    def per_clip(self) -> dict[str, Float[Tensor, "clips"]]:
        return {name: found for part in self._each() for name, found in part.per_clip().items()}

    def estimators(self, fit: Apart = "epoch") -> Iterator[nn.Parameter]:
        for part in self._each():
            yield from part.estimators(fit)

    def learning_loss(
        self, output: Output, batch: Batch, fit: Apart = "epoch"
    ) -> Float[Tensor, ""] | None:
        losses = [part.learning_loss(output, batch, fit) for part in self._each()]
        present = [loss for loss in losses if loss is not None]
        return sum(present[1:], present[0]) if present else None
