"""Dependence measures: tensors in, one scalar out. They import nothing else of the library."""

from infofuse.measures.barber_agakov import BarberAgakov, ConditionalGaussian
from infofuse.measures.base import Measure
from infofuse.measures.entropy import (
    Entropy,
    GaussianEntropy,
    GaussianMixtureEntropy,
    KnownEntropy,
)
from infofuse.measures.info_nce import CPC, CosinePrediction, InfoNCE, InnerProduct, contrast

__all__ = [
    "CPC",
    "BarberAgakov",
    "ConditionalGaussian",
    "CosinePrediction",
    "Entropy",
    "GaussianEntropy",
    "GaussianMixtureEntropy",
    "InfoNCE",
    "InnerProduct",
    "KnownEntropy",
    "Measure",
    "contrast",
]
