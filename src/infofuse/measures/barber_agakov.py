"""The Barber-Agakov bound: mutual information by predicting one view from the other."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.measures.critics import perceptron
from infofuse.measures.entropy import Entropy, GaussianEntropy, KnownEntropy
from infofuse.measures.measure import Measure
from infofuse.measures.numerics import guarded, safe_exp


class ConditionalGaussian(nn.Module):
    """q(y|x) = N(y; mean(x), diag exp s(x)), mean and log-variance s each a two-layer perceptron.

    `normalised=False` gives the exponent alone, sum_k -(y_k - mean_k)^2 / (2 exp s_k): what the
    released code of MMIM maximises. Without the -1/2 s_k it is no density, and its maximum, 0,
    is reached by letting s grow without end.
    """

    def __init__(self, dim_x: int, dim_y: int, hidden: int, normalised: bool = True):
        super().__init__()
        self.mean = perceptron(dim_x, hidden, dim_y)
        self.log_variance = perceptron(dim_x, hidden, dim_y)
        self.normalised = normalised

    def log_prob(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"]
    ) -> Float[Tensor, "batch"]:
        """log q(y|x) of each pair, in nats."""
        s = self.log_variance(x)
        exponent = -0.5 * (y - self.mean(x)).square() * safe_exp(-s)
        if not self.normalised:
            return exponent.sum(1)
        return (exponent - 0.5 * s - 0.5 * math.log(2 * math.pi)).sum(1)


class BarberAgakov(Measure):
    """I(X; Y) >= H(Y) + E[log q(y|x)], tight when q is the true conditional.

    Under the truth in expectation if H(Y) is exact. `entropy` is the number if it is known, or a
    module that estimates it; by default that of a Gaussian of the batch's covariance, which is
    over the true entropy unless Y is Gaussian. Cost linear in the batch; no ceiling. Fails where
    y given x is far from a Gaussian with independent coordinates.

    `learning_loss` is -E[log q(y|x)]: the entropy does not depend on q.

    Barber and Agakov, "The IM algorithm", NeurIPS 2003. In MMIM (arXiv 2109.00412), eq. 3-5.
    """

    side = "lower"
    min_batch = 2
    paper = "Barber and Agakov 2003; arXiv 2109.00412"

    def __init__(
        self,
        dim_x: int,
        dim_y: int,
        *,
        hidden: int = 128,
        entropy: Entropy | float | None = None,
        normalised: bool = True,
    ):
        super().__init__()
        self.conditional = ConditionalGaussian(dim_x, dim_y, hidden, normalised)
        if isinstance(entropy, Entropy):
            self.entropy: Entropy = entropy
        else:
            self.entropy = GaussianEntropy() if entropy is None else KnownEntropy(entropy)
        self.min_batch = max(2, getattr(self.entropy, "min_batch", 2))  # type: ignore[misc]
        self.uses_labels = self.entropy.uses_labels  # type: ignore[misc]

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        return self.entropy(y, **extra) + self.conditional.log_prob(x, y).mean()

    @guarded
    def learning_loss(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        return -self.conditional.log_prob(x, y).mean()
