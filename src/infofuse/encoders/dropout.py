"""Dropout that does not wait for its random numbers on a CPU."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int16
from torch import Tensor, nn

LEVELS = 1 << 16
"""A chance is a multiple of one in so many: sixteen bits an element."""


def dropout(x: Float[Tensor, "..."], p: float, training: bool = True) -> Float[Tensor, "..."]:
    """y = x m / (1 - p), m ~ Bernoulli(1 - p): `torch.nn.functional.dropout`, faster on a CPU.

    torch draws a double an element there, from a generator that fills one number at a time, and
    that is up to a quarter of a small encoder's forward pass. Here one draw serves four elements;
    p is rounded to a multiple of 2^-16 (0.1 to 0.10001), and y scaled by the p that was used.
    """
    dropped = round(p * LEVELS)
    if not training or dropped == 0:
        return x
    if x.device.type != "cpu" or dropped == LEVELS:
        return F.dropout(x, p)
    keep = _at_least(_random(x.numel()), dropped - LEVELS // 2).view(x.shape)
    return x * keep.to(x.dtype).mul_(LEVELS / (LEVELS - dropped))


def _random(n: int) -> Int16[Tensor, "n"]:
    """n integers of all sixteen-bit values alike."""
    words = torch.empty(-(-n // 4), dtype=torch.int64).random_(-(2**63), None)
    return words.view(torch.int16)[:n]


def _at_least(x: Int16[Tensor, "n"], least: int) -> Int16[Tensor, "n"]:
    """1 where x >= least, else 0: torch's comparison of integers is ten times as slow."""
    return x.clamp_(least - 1, least).sub_(least - 1)


class Dropout(nn.Dropout):
    """`nn.Dropout` by `dropout`."""

    def forward(self, input: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return dropout(input, self.p, self.training)


def replace_dropout(model: nn.Module) -> None:
    """Put `Dropout` in the place of each `nn.Dropout` of a model."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p))
