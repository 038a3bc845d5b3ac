"""Mutual dependency: how far the joint law of several views is from the product of marginals."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.critics import perceptron
from infofuse.measures.donsker_varadhan import donsker_varadhan
from infofuse.measures.f_gan import (
    jensen_shannon,
    nguyen_wainwright_jordan,
    pearson,
    squared_hellinger,
)
from infofuse.measures.lipschitz import clip_weights, gradient_penalty, normalise_spectrum
from infofuse.measures.measure import Measure
from infofuse.measures.numerics import guarded

Divergence = Literal["kl", "f", "wasserstein"]
F = Literal["kl", "js", "pearson", "hellinger"]
Lipschitz = Literal["spectral", "penalty", "clipping"]
Dual = Callable[[Float[Tensor, "n"], Float[Tensor, "m"]], Float[Tensor, ""]]


def kantorovich_rubinstein(
    joint: Float[Tensor, "n"], product: Float[Tensor, "m"]
) -> Float[Tensor, ""]:
    """E_joint[T] - E_product[T], the dual of W_1 over T of slope at most 1."""
    return joint.mean() - product.mean()


F_DUALS: Mapping[str, tuple[Dual, str]] = {
    "kl": (nguyen_wainwright_jordan, "nats"),
    "js": (jensen_shannon, "nats"),
    "pearson": (pearson, "chi^2"),
    "hellinger": (squared_hellinger, "squared Hellinger"),
}


def product_samples(*views: Float[Tensor, "batch _"]) -> tuple[Float[Tensor, "batch _"], ...]:
    """Samples of the product of marginals: each view's clips in an order of its own.

    The first keeps its order, which changes nothing. The permutations come from torch's global
    generator, and may leave a clip in its place: about one a view does.
    """
    n, device = len(views[0]), views[0].device
    return views[0], *(v[torch.randperm(n, device=device)] for v in views[1:])


class MutualDependency(Measure):
    """D(p(x_1, ..., x_k) || p(x_1) ... p(x_k)) for k >= 2 views, through a statistical network T.

    `divergence` D, each a supremum over T and so a lower bound in expectation:
    "kl": the total correlation in nats, E_p[T] - ln E_q[exp T] (Donsker-Varadhan);
    "f": by the Fenchel dual E_p[g(T)] - E_q[f*(g(T))], with `f` one of
      "kl" (nats), "js" (nats, at most ln 2), "pearson" (chi^2), "hellinger" (squared, at most 2);
    "wasserstein": the distance W_1 = E_p[T] - E_q[T] over T of slope at most 1, kept so by
      `lipschitz`: "spectral" norms (a lower bound), a gradient "penalty" in `learning_loss`
      (`penalty` w is its weight; slopes over 1 remain, so it reads about W_1 (1 + W_1 / 2w)) or
      weight "clipping" to [-`clip`, `clip`] (slope at most some constant other than 1: about a
      multiple of W_1, comparable only with itself).

    Product samples: an independent permutation of each view (`product_samples`), one a clip.
    T is one perceptron over the concatenated views. Cost linear in the batch; no ceiling but the
    f's own. "kl" and "pearson" need samples by the exponential of the divergence.

    Colombo et al. 2021 (arXiv 2109.00922), sec. 3; f-duals as in Nowozin et al. 2016 (arXiv
    1606.00709), Tables 1-2, the JS halved.
    """

    side = "lower"
    many_views = True
    paper = "arXiv 2109.00922"

    def __init__(
        self,
        dims: Sequence[int],
        divergence: Divergence = "kl",
        *,
        f: F = "kl",
        lipschitz: Lipschitz = "spectral",
        hidden: int = 128,
        penalty: float = 10.0,
        clip: float = 0.1,
    ):
        super().__init__()
        _known("divergence", divergence, ("kl", "f", "wasserstein"))
        _known("f", f, F_DUALS)
        _known("lipschitz", lipschitz, ("spectral", "penalty", "clipping"))
        self.dims = tuple(dims)
        self.network = perceptron(sum(dims), hidden, hidden, 1)
        self.penalty = 0.0
        self.dual: Dual = donsker_varadhan
        if divergence == "f":
            self.dual, self.unit = F_DUALS[f]  # type: ignore[misc]
        if divergence == "wasserstein":
            self.dual, self.unit = kantorovich_rubinstein, "distance"  # type: ignore[misc]
            self._bound_slope(lipschitz, penalty, clip)

    def _bound_slope(self, lipschitz: Lipschitz, penalty: float, clip: float) -> None:
        if lipschitz == "spectral":
            normalise_spectrum(self.network)
        elif lipschitz == "clipping":
            clip_weights(self.network, clip)
        else:
            self.penalty = penalty

    def critic(self, *views: Float[Tensor, "batch _"]) -> Float[Tensor, "batch"]:
        """T of each clip: large where its views go together more than chance would have it."""
        return self.network(torch.cat(views, 1)).squeeze(1)

    @guarded
    def forward(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]:
        return self.from_samples(*self._samples(views))

    @guarded
    def learning_loss(self, *views: Float[Tensor, "batch _"], **extra: Tensor) -> Float[Tensor, ""]:
        return self.loss_from_samples(*self._samples(views))

    @guarded
    def from_samples(
        self, joint: Float[Tensor, "n dim"], product: Float[Tensor, "n dim"]
    ) -> Float[Tensor, ""]:
        """The divergence between two samples, such as a model's output on both kinds of input."""
        scores = self.network(torch.cat([joint, product])).squeeze(1)
        return self.dual(scores[: len(joint)], scores[len(joint) :])

    @guarded
    def loss_from_samples(
        self, joint: Float[Tensor, "n dim"], product: Float[Tensor, "n dim"]
    ) -> Float[Tensor, ""]:
        """What T minimises, given samples: minus the divergence, plus the penalty if any."""
        loss = -self.from_samples(joint, product)
        if self.penalty:
            loss = loss + self.penalty * gradient_penalty(self.network, joint, product)
        return loss

    def _samples(self, views: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        widths = tuple(v.shape[1] for v in views)
        if len(views) < 2 or widths != self.dims:
            raise ValueError(
                f"expected two or more views of widths {self.dims}; found widths {widths}"
            )
        return torch.cat(tuple(views), 1), torch.cat(product_samples(*views), 1)


def _known(option: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise ValueError(f"unknown {option} {value!r}; known: {', '.join(known)}")
