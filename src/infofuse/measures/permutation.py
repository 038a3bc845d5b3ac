"""Is there any dependence? The answer by permutation, for every measure."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def permutation_test(
    measure: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "n dx"],
    y: Float[Tensor, "n dy"],
    permutations: int = 199,
    generator: torch.Generator | None = None,
) -> float:
    """p-value of "x and y are independent": (1 + #{m(x, y[perm]) >= m(x, y)}) / (1 + permutations).

    Exact: under independence it is at most a with probability at most a. Any measure that grows
    with dependence will do; one with a critic must have been fitted on other clips. Of measures
    that are blind to pairing (`MMD`, `CMD`, `CovarianceGap`) it says nothing. The smallest answer
    is 1 / (1 + permutations). NaN if the measure is not a number of the pairs as they are.

    Phipson and Smyth 2010 (arXiv 1603.05766).
    """
    observed = measure(x, y)
    if observed.isnan():
        return float("nan")
    orders = (torch.randperm(len(y), generator=generator) for _ in range(permutations))
    exceeding = sum(bool(measure(x, y[order.to(y.device)]) >= observed) for order in orders)
    return (1 + exceeding) / (1 + permutations)
