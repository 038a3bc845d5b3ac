"""Critics: networks that score every x of a batch with every y, as variational bounds need."""

from abc import abstractmethod
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.measures.measure import Measure
from infofuse.measures.numerics import guarded


def perceptron(*widths: int) -> nn.Sequential:
    """Linear layers through the given widths, ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def softened(x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
    """c asinh(x / c), c = 1.5: the identity near 0, a logarithm in the tails.

    Bounds hold exp(score), so one extreme clip in a thousand decides them where a critic grows
    with its input; this map is invertible, hence keeps the information, and does away with that.
    """
    return 1.5 * (x / 1.5).asinh()


class InnerProduct(nn.Module):
    """s_ij = g(x_i) . h(y_j) / sqrt(width): two perceptrons and one matrix product.

    g and h see their view `softened`. They have two hidden layers and a linear shortcut past
    them, by which linear dependence is learned at once. The cost of the networks is linear in
    the batch. Also called a separable critic.
    """

    def __init__(self, dim_x: int, dim_y: int, hidden: int = 128, width: int = 64):
        super().__init__()
        self.of_x, self.of_y = (perceptron(dim, hidden, hidden, width) for dim in (dim_x, dim_y))
        self.linear_x, self.linear_y = (nn.Linear(dim, width) for dim in (dim_x, dim_y))
        self.scale = width**-0.5

    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"]
    ) -> Float[Tensor, "batch batch"]:
        x, y = softened(x), softened(y)
        g = self.of_x(x) + self.linear_x(x)
        h = self.of_y(y) + self.linear_y(y)
        return g @ h.T * self.scale


class Concatenated(nn.Module):
    """s_ij = T([x_i, y_j]), T a perceptron of two hidden layers over the joined `softened` views.

    More expressive than `InnerProduct` and far dearer: all but the first layer, which is linear
    in x and in y, run on batch^2 rows.
    """

    def __init__(self, dim_x: int, dim_y: int, hidden: int = 128):
        super().__init__()
        self.of_x = nn.Linear(dim_x, hidden)
        self.of_y = nn.Linear(dim_y, hidden, bias=False)
        self.of_both = nn.Sequential(nn.ReLU(), perceptron(hidden, hidden, 1))

    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"]
    ) -> Float[Tensor, "batch batch"]:
        first = self.of_x(softened(x))[:, None] + self.of_y(softened(y))  # (batch, batch, hidden)
        return self.of_both(first).squeeze(-1)


class ScoreBound(Measure):
    """A bound of I(X; Y) computed from the scores of all pairs of a batch.

    Pairs stand on the diagonal, samples of p(x) p(y) beside it. `critic(x, y)` gives the scores,
    (batch, batch); by default `InnerProduct`.
    """

    pairs_cost = True

    def __init__(
        self, dim_x: int, dim_y: int, *, critic: nn.Module | None = None, hidden: int = 128
    ):
        super().__init__()
        self.critic = InnerProduct(dim_x, dim_y, hidden) if critic is None else critic

    @abstractmethod
    def of_scores(self, scores: Float[Tensor, "batch batch"]) -> Float[Tensor, ""]:
        """The estimate, given s[i, j] of x_i with y_j."""

    @guarded
    def forward(
        self, x: Float[Tensor, "batch dx"], y: Float[Tensor, "batch dy"], **extra: Tensor
    ) -> Float[Tensor, ""]:
        return self.of_scores(self.critic(x, y))
