"""The two sides of the comparison behind one face: what is minimised, and what is read."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch_mist.estimators import generative
from torch_mist.estimators.discriminative import factories

from infofuse.measures import JS, MINE, NWJ, SMILE, BarberAgakov, InfoNCE
from infofuse.measures.entropy import gaussian_constant

HIDDEN, WIDTH = 128, 64  # of the two hidden layers, and of the codes that a separable critic joins
BOUNDS = {c.__name__: c for c in (InfoNCE, NWJ, MINE, SMILE, JS)}

Pairs = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Side:
    """An estimator: `loss` is what its parameters minimise, `estimate` is in nats."""

    module: nn.Module
    loss: Pairs
    estimate: Pairs


def ours(estimator: str, dim_x: int, dim_y: int) -> Side:
    """As the library gives it: a separable critic, all other pairs of the batch as negatives."""
    if estimator == "BarberAgakov":
        entropy = gaussian_constant(dim_y)
        measure = BarberAgakov(dim_x, dim_y, hidden=HIDDEN, entropy=entropy)
    else:
        measure = BOUNDS[estimator](dim_x, dim_y, hidden=HIDDEN)
    return Side(measure, measure.learning_loss, measure)


def peer(estimator: str, dim_x: int, dim_y: int, critic: str) -> Side:
    """torch-mist's: by default a joint critic and one negative a pair; InfoNCE is separable.

    "separable" gives the others what InfoNCE has: our critic's size and all other pairs.
    """
    sizes = {"x_dim": dim_x, "y_dim": dim_y, "hidden_dims": [HIDDEN, HIDDEN]}
    if estimator == "BarberAgakov":
        entropy = gaussian_constant(dim_y)
        module = generative.ba(entropy, dim_x, dim_y, hidden_dims=[HIDDEN])
    elif estimator == "InfoNCE":
        module = factories.infonce(**sizes, k_dim=WIDTH)
    elif critic == "separable":
        build = getattr(factories, estimator.lower())
        module = build(**sizes, k_dim=WIDTH, critic_type="separable", neg_samples=-1)
    else:
        module = getattr(factories, estimator.lower())(**sizes)
    return Side(module, module.loss, module.mutual_information)
