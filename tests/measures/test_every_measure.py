"""What holds for each measure: precision, small batches, finite gradients, order, metadata."""

import typing

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.measures import CPC, BarberAgakov, InfoNCE, Measure
from infofuse.measures.correlation import (
    BarlowTwins,
    CanonicalCorrelation,
    GaussianInformation,
    VICReg,
)
from infofuse.measures.dependency import MutualDependency
from infofuse.measures.donsker_varadhan import MINE
from infofuse.measures.f_gan import JS, NWJ, SMILE
from infofuse.measures.kernels import CKA, HSIC, MMD, DistanceCorrelation
from infofuse.measures.ksg import KSG
from infofuse.measures.measure import Side
from infofuse.measures.moments import CMD, CovarianceGap
from infofuse.measures.orthogonality import Orthogonality
from infofuse.measures.tuba import TUBA, AlphaTUBA
from infofuse.measures.upper import CLUB, L1Out

D = 4
CRITICS = [InfoNCE, CPC, BarberAgakov, MINE, NWJ, JS, SMILE, TUBA, AlphaTUBA, CLUB, L1Out]
FREE = [
    CovarianceGap, CMD, CanonicalCorrelation, GaussianInformation, BarlowTwins, VICReg,
    HSIC, CKA, DistanceCorrelation, MMD, KSG, Orthogonality,
]  # fmt: skip
BUILDS = {c.__name__: lambda c=c: c(D, D) for c in CRITICS}
BUILDS |= {c.__name__: c for c in FREE}
BUILDS |= {f"{c.__name__}-unbiased": lambda c=c: c(unbiased=True) for c in (HSIC, CKA)}
BUILDS |= {
    f"MutualDependency-{d}": lambda d=d: MutualDependency([D, D], d)
    for d in ("kl", "f", "wasserstein")
}
BUILDS |= {
    f"MutualDependency-{device}": lambda device=device: MutualDependency(
        [D, D], "wasserstein", lipschitz=device
    )
    for device in ("penalty", "clipping")
}
DIFFERENTIABLE = sorted(set(BUILDS) - {"KSG"})
every = pytest.mark.parametrize("name", sorted(BUILDS))


def build(name: str) -> Measure:
    torch.manual_seed(0)
    return BUILDS[name]()


def seeded(function, *views):
    """Product samples and penalties draw from the global generator."""
    torch.manual_seed(1)
    return function(*views)


@every
def test_autocast_changes_nothing(name):
    measure = build(name).eval()
    views = [v.bfloat16() for v in torch.randn(2, 16, D)]
    with torch.autocast("cpu", torch.bfloat16):
        half = seeded(measure, *views)
        loss = None if name == "KSG" else seeded(measure.learning_loss, *views)
    torch.testing.assert_close(half, seeded(measure, *(v.float() for v in views)))
    assert half.dtype == torch.float32
    assert half.shape == ()
    if loss is not None:
        torch.testing.assert_close(loss, seeded(measure.learning_loss, *(v.float() for v in views)))


@every
def test_the_smallest_batch_is_answered_and_a_smaller_one_is_told_of_it(name):
    measure = build(name)
    smallest = measure.min_batch
    assert measure(*torch.randn(2, smallest, D)).isfinite()
    with pytest.raises(ValueError, match=f"a batch of at least {smallest} clips; found 1"):
        measure(*torch.randn(2, 1, D))


@every
def test_views_of_different_lengths_are_refused(name):
    with pytest.raises(ValueError, match=r"one length; found \[5, 6\]"):
        build(name)(torch.randn(5, D), torch.randn(6, D))


NASTY = {
    "constant": lambda: (torch.ones(8, D), torch.randn(8, D)),
    "all constant": lambda: (torch.ones(8, D), torch.ones(8, D)),
    "equal views": lambda: (x := torch.randn(8, D), x.clone()),
    "repeated clips": lambda: (torch.randn(2, D).repeat(4, 1), torch.randn(8, D)),
    "large": lambda: (1e4 * torch.randn(8, D), 1e4 * torch.randn(8, D)),
    "small": lambda: (1e-6 * torch.randn(8, D), 1e-6 * torch.randn(8, D)),
}


@pytest.mark.parametrize("case", NASTY)
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_finite(name, case):
    measure, views = build(name), [v.requires_grad_() for v in NASTY[case]()]
    for function in (measure, measure.learning_loss):
        value = function(*views)
        value.backward()
        assert value.isfinite()
    assert all(v.grad is None or v.grad.isfinite().all() for v in views)
    assert all(p.grad is None or p.grad.isfinite().all() for p in measure.parameters())


# JS and SMILE have the gradient of another function than they are, by design.
FITTED = sorted(
    {n for n in BUILDS if n.startswith("MutualDependency")}
    | {c.__name__ for c in CRITICS} - {"JS", "SMILE"}
)


@pytest.mark.parametrize("name", FITTED)
def test_gradcheck(name):
    measure = build(name).double().eval()
    views = torch.randn(2, 6, D, dtype=torch.float64).unbind()
    function = lambda *v: seeded(measure, *v)  # noqa: E731
    assert torch.autograd.gradcheck(function, tuple(v.requires_grad_() for v in views))


@every
@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 999))
def test_the_order_of_clips_does_not_matter(name, seed):
    if name.startswith("MutualDependency"):
        return  # its product samples are drawn anew; that its critic is per clip is tested there
    measure = build(name).double().eval()
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, 10, D, dtype=torch.float64, generator=generator)
    order = torch.randperm(10, generator=generator)
    torch.testing.assert_close(measure(x[order], y[order]), measure(x, y))


@every
def test_metadata_is_complete(name):
    measure = build(name)
    assert measure.side in typing.get_args(Side)
    assert measure.unit
    assert measure.paper
    assert measure.min_batch >= 2
    assert type(measure).__doc__


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_cost_grows_as_the_class_says(name):
    """The largest tensor kept for the gradient: fourfold in twice the batch, or twofold."""
    measure = build(name)

    def largest(n):
        kept = []
        keep = lambda t: kept.append(t.numel()) or t  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
            measure(*(v.requires_grad_() for v in torch.randn(2, n, D)))
        return max(kept)

    growth = largest(600) / largest(300)
    assert growth > 3.5 if measure.pairs_cost else growth <= 2
