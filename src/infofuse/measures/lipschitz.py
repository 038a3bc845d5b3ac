"""Devices that keep a network's slope in bounds, as the Wasserstein distance asks of its critic."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import register_parametrization


class Clipped(nn.Module):
    """w -> c tanh(w / c): weights inside [-c, c], moving freely within."""

    def __init__(self, bound: float):
        super().__init__()
        self.bound = bound

    def forward(self, weight: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return self.bound * torch.tanh(weight / self.bound)


def normalise_spectrum(network: nn.Module) -> None:
    """Divide each linear layer's weight by its largest singular value, found by power iteration.

    With ReLU between them the whole has slope at most 1. Miyato et al. 2018 (arXiv 1802.05957).
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            spectral_norm(layer)


def clip_weights(network: nn.Module, bound: float) -> None:
    """Keep each linear layer's weights in [-bound, bound].

    The slope is bounded by a constant that depends on the network, not by 1. Arjovsky et al. 2017
    (arXiv 1701.07875), Algorithm 1, where weights are cut after each step; here by `Clipped`.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            register_parametrization(layer, "weight", Clipped(bound))


def gradient_penalty(
    network: nn.Module, joint: Float[Tensor, "n d"], product: Float[Tensor, "n d"]
) -> Float[Tensor, ""]:
    """E[(|grad T(z)| - 1)^2], z uniform on the lines from joint to product samples.

    Gulrajani et al. 2017 (arXiv 1704.00028), eq. 3.
    """
    t = torch.rand(len(joint), 1, dtype=joint.dtype, device=joint.device)
    with torch.enable_grad():
        between = (t * joint + (1 - t) * product).detach().requires_grad_()
        slope = torch.autograd.grad(network(between).sum(), between, create_graph=True)[0]
        return (torch.linalg.vector_norm(slope, dim=1) - 1).square().mean()
