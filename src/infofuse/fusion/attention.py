"""Transformer layers over padded sequences, by themselves or onto another sequence."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from infofuse.encoders.dropout import Dropout, dropout
from infofuse.errors import InfofuseError
from infofuse.types import Padded, Size


@dataclass(frozen=True)
class Dropouts:
    """Chances of dropping: attention weights, what is inside the two layers F, what either
    part adds to its input, and the input with its positions."""

    attention: float = 0.0
    hidden: float = 0.0
    residual: float = 0.0
    embedding: float = 0.0


NO_DROPOUT = Dropouts()


class Attention(nn.Module):
    """[softmax(Q_i K_i^T / sqrt(width / heads)) V_i]_i W, Q_i of the steps, K_i, V_i of a context.

    A step that may attend to nothing gets zeros.

    Vaswani et al. 2017 (arXiv 1706.03762), sec. 3.2.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0):
        super().__init__()
        if width % heads:
            raise InfofuseError(f"{heads} attention heads do not share a width of {width} evenly")
        self.heads, self.dropout = heads, dropout
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        for layer in (self.query, self.key_value, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        x: Float[Tensor, "batch time width"],
        context: Float[Tensor, "batch steps width"],
        allowed: Bool[Tensor, "batch _ steps"],
    ) -> Float[Tensor, "batch time width"]:
        """allowed: which steps of the context each step may attend to; one row stands for all."""
        some = allowed.any(2, keepdim=True)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(x), *self.key_value(context).chunk(2, dim=2))
        )
        mask = (allowed | ~some)[:, None]  # softmax over nothing is undefined
        if self.training and self.dropout:
            # torch's own is these steps with its slow random numbers: a third of MulT's epoch.
            barred = query.new_zeros(mask.shape).masked_fill_(~mask, -math.inf)
            scores = query / math.sqrt(query.shape[-1]) @ key.transpose(2, 3)
            found = dropout(scores.add_(barred).softmax(3), self.dropout) @ value
        else:
            found = F.scaled_dot_product_attention(query, key, value, mask)
        return self.out(found.transpose(1, 2).flatten(2)) * some


class Block(nn.Module):
    """z = x + A(LN x, LN c), y = z + F(LN z): attention A to a context c, and two layers F.

    F is four times as wide inside. The context is x itself if none is given; then the layer norm
    is applied to it once.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        dropouts: Dropouts = NO_DROPOUT,
        activation: Callable[[Tensor], Tensor] = F.relu,
    ):
        super().__init__()
        self.attention = Attention(width, heads, dropouts.attention)
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.activation = activation
        self.hidden_dropout = Dropout(dropouts.hidden)
        self.residual_dropout = Dropout(dropouts.residual)
        for layer in (self.widen, self.narrow):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        x: Float[Tensor, "batch time width"],
        allowed: Bool[Tensor, "batch _ steps"],
        context: Float[Tensor, "batch steps width"] | None = None,
    ) -> Float[Tensor, "batch time width"]:
        query = self.before(x)
        source = query if context is None else self.before(context)
        z = x + self.residual_dropout(self.attention(query, source, allowed))
        inside = self.hidden_dropout(self.activation(self.widen(self.between(z))))
        return z + self.residual_dropout(self.narrow(inside))


class Transformer(nn.Module):
    """LN B_L(... B_1(E x, E c) ..., E c): blocks over a sequence, or from another sequence onto it.

    E x = dropout(x + PE), PE by `sinusoids`. Every block attends to the same low-level context.
    release: as the code of MulT has it, sqrt(width) x + PE', PE' by `fairseq_sinusoids`, and step
    i attends to steps j <= i + |difference of the sequences' lengths| only.

    Tsai et al. 2019 (arXiv 1906.00295), sec. 3.2.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        layers: int,
        dropouts: Dropouts = NO_DROPOUT,
        *,
        release: bool = False,
    ):
        super().__init__()
        self.release = release
        self.embedding_dropout = Dropout(dropouts.embedding)
        self.blocks = nn.ModuleList(Block(width, heads, dropouts) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Padded, context: Padded | None = None) -> Padded:
        """The states of the steps of x, anything beyond its lengths."""
        source = x if context is None else context
        allowed = _not_later(x, source) if self.release else source.mask[:, None]
        states = self._embed(x.values)
        low_level = None if context is None else self._embed(context.values)
        for block in self.blocks:
            states = block(states, allowed, low_level)
        return Padded(self.norm(states), x.lengths)

    def _embed(self, x: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        time, width = x.shape[1:]
        if self.release:
            x = width**0.5 * x + fairseq_sinusoids(time, width).to(x)
        else:
            x = x + sinusoids(time, width).to(x)
        return self.embedding_dropout(x)


def sinusoids(time: Size, width: Size) -> Float[Tensor, "time width"]:
    """PE[t, 2k] = sin(t / 10000^(2k / width)), PE[t, 2k + 1] = cos of the same.

    Vaswani et al. 2017 (arXiv 1706.03762), sec. 3.5.
    """
    rates = 10000.0 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(time)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]


def fairseq_sinusoids(time: Size, width: Size) -> Float[Tensor, "time width"]:
    """PE[t] = (sin a_0, ..., sin a_h, cos a_0, ..., cos a_h), a_k = (t + 1) / 10000^(k / h).

    h is half the width less one; a last odd coordinate is 0.
    """
    half = width // 2
    rates = 10000.0 ** (-torch.arange(half) / max(half - 1, 1))
    angles = torch.arange(1, time + 1)[:, None] * rates
    return F.pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width % 2))


def _not_later(x: Padded, context: Padded) -> Bool[Tensor, "batch time steps"]:
    """Real steps j of the context with j <= i + |n_x - n_c|, by each clip's own lengths."""
    slack = (x.lengths - context.lengths).abs()[:, None, None]
    i = torch.arange(x.values.shape[1], device=x.lengths.device)[:, None]
    j = torch.arange(context.values.shape[1], device=x.lengths.device)
    return (j <= i + slack) & context.mask[:, None]
