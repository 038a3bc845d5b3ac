"""Differential entropy of a view: known, Gaussian, or a Gaussian mixture by class with memory."""

import logging
import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from infofuse.measures.numerics import covariance, logdet

log = logging.getLogger(__name__)


class Entropy(nn.Module, ABC):
    """H(Y) = -E[log p(y)] in nats, estimated from samples y of shape (batch, dim)."""

    uses_labels: bool = False

    @abstractmethod
    def forward(self, y: Float[Tensor, "batch dim"], **extra: Tensor) -> Float[Tensor, ""]: ...


class KnownEntropy(Entropy):
    """A number that is known: it carries no gradient."""

    def __init__(self, nats: float):
        super().__init__()
        self.nats = nats

    def forward(self, y: Float[Tensor, "batch dim"], **extra: Tensor) -> Float[Tensor, ""]:
        return y.new_tensor(self.nats)


class GaussianEntropy(Entropy):
    """H = 1/2 logdet(S) + d/2 ln(2 pi e), S the batch's covariance.

    Over the truth for any Y that is not Gaussian, by maximality of the Gaussian. In a batch of n,
    S is shrunk towards the identity as far as n calls for.
    """

    def forward(self, y: Float[Tensor, "batch dim"], **extra: Tensor) -> Float[Tensor, ""]:
        return (0.5 * logdet(covariance(y)) + gaussian_constant(y.shape[1])).to(y.dtype)


class GaussianMixtureEntropy(Entropy):
    """H = 1/4 (logdet S_0 + logdet S_1) + d/2 ln(2 pi e): a two-class mixture, half and half.

    S_c is the full covariance of class c over the batch and a detached memory of the latest
    `memory` clips of earlier batches. By default class 1 is label >= 0 and class 0 is label < 0.
    This is the entropy given the class, at most ln 2 under that of the mixture, so a bound built
    on it stays a lower bound where the classes are Gaussian.

    A class with fewer than two clips is left out, and the other counts for both; with neither,
    the constant remains. Covariances of few clips are shrunk; a log message says once which batch
    would be large enough. logdet in float64.

    Han et al. 2021 (arXiv 2109.00412), eq. 6-7. The released code differs, and the options give
    its arithmetic: `drop_zero` (label 0 belongs to neither class), `project` (a fixed random
    projection to so many dimensions and tanh before the covariance; there it is never trained),
    `warm_up` (so many batches of each epoch count zero), `forget` (the memory is emptied each
    epoch), `shrink=False` (plain covariance, normalised by n), `constant=False` (without
    d/2 ln(2 pi e)).
    """

    uses_labels = True

    def __init__(
        self,
        dim: int,
        *,
        memory: int = 32,
        drop_zero: bool = False,
        project: int | None = None,
        warm_up: int = 0,
        forget: bool = False,
        shrink: bool = True,
        constant: bool = True,
    ):
        super().__init__()
        self.drop_zero, self.warm_up, self.forget, self.shrink = drop_zero, warm_up, forget, shrink
        self.projection = None
        if project is not None:
            self.projection = nn.Sequential(nn.Linear(dim, project), nn.Tanh()).requires_grad_(
                False
            )
        self.dim = dim if project is None else project
        self.constant = gaussian_constant(self.dim) if constant else 0.0
        self.remembered: Tensor
        self.remembered_class: Tensor
        self.batches: Tensor
        self.register_buffer("remembered", torch.zeros(memory, self.dim))
        self.register_buffer("remembered_class", torch.full((memory,), -1))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))
        self._warned = False

    @property
    def smallest_batch(self) -> int:
        """The batch at which, classes in balance, each covariance has as many clips as it needs."""
        return max(2, 2 * (self.dim + 1) - len(self.remembered))

    def start_epoch(self) -> None:
        """Begin the epoch's count of batches, and forget what is not to be carried over."""
        self.batches.zero_()
        if self.forget:
            self.remembered_class.fill_(-1)

    def forward(
        self,
        y: Float[Tensor, "batch dim"],
        *,
        labels: Float[Tensor, "batch"] | None = None,
        **extra: Tensor,
    ) -> Float[Tensor, ""]:
        if labels is None:
            raise ValueError("the entropy of a mixture by class needs labels=, one a clip")
        if self.projection is not None:
            y = self.projection(y)
        classes = self._classes(labels)
        everyone = torch.cat([self.remembered.to(y), y])
        every_class = torch.cat([self.remembered_class, classes])
        members = [everyone[every_class == c] for c in (0, 1)]
        logdets = [self._logdet(rows) for rows in members if len(rows) >= 2]
        self._warn_if_small(every_class)
        counted = int(self.batches) >= self.warm_up
        if self.training:
            self._remember(y, classes)
        nothing = 0 * y.sum()  # zero, with a gradient of zero
        if not counted:
            return nothing
        half = 0.5 * torch.stack(logdets).mean() if logdets else nothing
        return (half + self.constant).to(y.dtype)

    def _logdet(self, rows: Float[Tensor, "n dim"]) -> Float[Tensor, ""]:
        if self.shrink:
            return logdet(covariance(rows))
        return logdet(covariance(rows, 0.0) * (len(rows) - 1) / len(rows))

    def _classes(self, labels: Float[Tensor, "batch"]) -> Int[Tensor, "batch"]:
        classes = (labels >= 0).long()
        unusable = labels.isnan() | ((labels == 0) & self.drop_zero)
        return classes.masked_fill(unusable, -1)

    def _remember(self, y: Float[Tensor, "batch dim"], classes: Int[Tensor, "batch"]) -> None:
        """Push the batch into the memory, its oldest clips out, and count the batch."""
        self.remembered = torch.cat([self.remembered, y.detach().float()])[len(y) :].contiguous()
        self.remembered_class = torch.cat([self.remembered_class, classes])[len(y) :].contiguous()
        self.batches += 1

    def _warn_if_small(self, every_class: Int[Tensor, "n"]) -> None:
        smallest = min(int((every_class == c).sum()) for c in (0, 1))
        full = bool((self.remembered_class >= 0).all())
        enough = smallest > self.dim or len(every_class) >= 2 * (self.dim + 1)
        if enough or self._warned or not (self.training and full):
            return
        self._warned = True
        log.warning(
            "entropy of %d dimensions from %d clips of the rarer class: the covariance is shrunk; "
            "with classes in balance, a batch of %d would do without",
            self.dim, smallest, self.smallest_batch,
        )  # fmt: skip


def gaussian_constant(dim: int) -> float:
    """d/2 ln(2 pi e), the entropy of a standard Gaussian in d dimensions, in nats."""
    return 0.5 * dim * math.log(2 * math.pi * math.e)
