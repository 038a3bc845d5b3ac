"""Matrices over pairs of clips: kernels, bandwidths, centring."""

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.numerics import off_diagonal


def gaussian(d: Float[Tensor, "n m"], bandwidth: float | Float[Tensor, ""]) -> Float[Tensor, "n m"]:
    """exp(-d^2 / 2 sigma^2) of distances d, sigma the bandwidth."""
    return (-0.5 * (d / bandwidth).square()).exp()


def median_bandwidth(d: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """The median distance between different clips; it is data, so no gradient passes.

    The mean stands in where more than half of the clips coincide.
    """
    apart = off_diagonal(d.detach())
    median = apart.median()
    return torch.where(median > 0, median, apart.mean()).clamp(min=1e-12)


def double_centred(k: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    """H K H with H = I - 1/n: rows and columns of mean 0."""
    return k - k.mean(0) - k.mean(1, keepdim=True) + k.mean()


def u_centred(k: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    """K with an empty diagonal and rows and columns of sum 0, such that products are unbiased.

    Székely and Rizzo 2014 (arXiv 1310.2926), eq. 2.1.
    """
    n = len(k)
    own = torch.eye(n, dtype=torch.bool, device=k.device)
    k = k.masked_fill(own, 0)
    rows, columns = k.sum(1, keepdim=True), k.sum(0)
    centred = k - (rows + columns) / (n - 2) + k.sum() / ((n - 1) * (n - 2))
    return centred.masked_fill(own, 0)


def centred_correlation(k: Float[Tensor, "n n"], m: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """<K, M> / sqrt(<K, K> <M, M>) of centred matrices; 0 where one of them vanishes."""
    return (_of_length_one(k) * _of_length_one(m)).sum()


def _of_length_one(k: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    """K / |K|, 0 if it vanishes; by its largest entry first, whose square may be out of range."""
    largest = k.detach().abs().max()
    k = k / torch.where(largest > 0, largest, 1)
    return k / k.square().sum().clamp(min=1).sqrt()  # an entry is 1, unless all are 0
