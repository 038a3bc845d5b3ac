"""Small networks that several fusions are made of."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.encoders.dropout import Dropout


class TwoLayers(nn.Module):
    """f(W2 f(W1 dropout(x) + b1) + b2), f = tanh unless another is given, of shape (batch, width).

    The subnetwork that TFN (arXiv 1707.07250) puts behind the fusion, with f = relu.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        dropout: float = 0.0,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
    ):
        super().__init__()
        self.width, self.activation = width, activation
        # On TFN's 283 thousand inputs, torch's own dropout is half of a training step on a CPU.
        self.dropout = Dropout(dropout)
        self.first = nn.Linear(inputs, width)
        self.second = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch width"]:
        f = self.activation
        return f(self.second(f(self.first(self.dropout(x)))))


class Perceptron(nn.Module):
    """W2 dropout(relu(W1 x + b1)) + b2, along the last dimension."""

    def __init__(self, inputs: int, hidden: int, outputs: int, dropout: float = 0.0):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.dropout = nn.Dropout(dropout)
        self.second = nn.Linear(hidden, outputs)

    def forward(self, x: Float[Tensor, "... inputs"]) -> Float[Tensor, "... outputs"]:
        return self.second(self.dropout(torch.relu(self.first(x))))
