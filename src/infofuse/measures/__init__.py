"""Dependence measures: tensors in, one scalar out. They import nothing else of the library."""

from infofuse.measures.barber_agakov import BarberAgakov, ConditionalGaussian
from infofuse.measures.correlation import (
    BarlowTwins,
    CanonicalCorrelation,
    GaussianInformation,
    VICReg,
)
from infofuse.measures.critics import Concatenated, InnerProduct
from infofuse.measures.dependency import MutualDependency, product_samples
from infofuse.measures.donsker_varadhan import MINE
from infofuse.measures.entropy import (
    Entropy,
    GaussianEntropy,
    GaussianMixtureEntropy,
    KnownEntropy,
)
from infofuse.measures.f_gan import JS, NWJ, SMILE
from infofuse.measures.info_nce import CPC, CosinePrediction, InfoNCE, contrast
from infofuse.measures.kernels import CKA, HSIC, MMD, DistanceCorrelation
from infofuse.measures.ksg import KSG, KernelDensityEntropy, KozachenkoLeonenko
from infofuse.measures.measure import Measure
from infofuse.measures.moments import CMD, CovarianceGap
from infofuse.measures.orthogonality import Orthogonality
from infofuse.measures.permutation import permutation_test
from infofuse.measures.tuba import TUBA, AlphaTUBA
from infofuse.measures.upper import CLUB, L1Out

__all__ = [
    "CKA",
    "CLUB",
    "CMD",
    "CPC",
    "HSIC",
    "JS",
    "KSG",
    "MINE",
    "MMD",
    "NWJ",
    "SMILE",
    "TUBA",
    "AlphaTUBA",
    "BarberAgakov",
    "BarlowTwins",
    "CanonicalCorrelation",
    "Concatenated",
    "ConditionalGaussian",
    "CosinePrediction",
    "CovarianceGap",
    "DistanceCorrelation",
    "Entropy",
    "GaussianEntropy",
    "GaussianInformation",
    "GaussianMixtureEntropy",
    "InfoNCE",
    "InnerProduct",
    "KernelDensityEntropy",
    "KnownEntropy",
    "KozachenkoLeonenko",
    "L1Out",
    "Measure",
    "MutualDependency",
    "Orthogonality",
    "VICReg",
    "contrast",
    "permutation_test",
    "product_samples",
]
