"""How much views of the same clips depend on each other, in nats, and how far to trust it."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from infofuse import measures
from infofuse.analysis import cautions, critic
from infofuse.analysis.chain import Chain
from infofuse.analysis.split import Parts, cut, everything, half, units_of
from infofuse.errors import InfofuseError, unknown
from infofuse.measures.catalogue import Entry, build, catalogue
from infofuse.measures.dependency import product_samples
from infofuse.measures.measure import Measure
from infofuse.types import Json

FEWEST = 16  # clips; with fewer there is nothing to say


@dataclass(frozen=True)
class Estimate:
    """The dependence of two or more views: for more than two their total correlation.

    interval: 95 %, of what the fitted estimator reads; a bound may lie on one side of the truth.
    p: of the views being independent. ceiling: the most that the estimator could have shown.
    """

    views: tuple[str, ...]
    estimator: str
    nats: float
    interval: tuple[float, float]
    p: float
    ceiling: float | None


@dataclass(frozen=True)
class Report:
    """Every pair of views, all of them jointly if they are three or more, and what to beware of.

    fitted_on: clips by which critics were fitted and their fit was stopped. estimated_on: clips
    that the numbers are of.
    """

    pairs: tuple[Estimate, ...]
    joint: Estimate | None
    fitted_on: int
    estimated_on: int
    seed: int
    warnings: tuple[str, ...]

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The pairs, then the joint one."""
        return self.pairs if self.joint is None else (*self.pairs, self.joint)

    def to_json(self) -> Json:
        return dataclasses.asdict(self)


def dependence(
    views: Mapping[str, Float[np.ndarray, "n _"] | Float[Tensor, "n _"]],
    estimator: str = "InfoNCE",
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    steps: int = 1000,
    permutations: int = 199,
    resamples: int = 200,
) -> Report:
    """I(X; Y) of each pair of views and D(p(x_1, ..., x_k) || p(x_1) ... p(x_k)), in nats.

    The critic is fitted on half of the clips, a quarter of which only stop the fit, and the
    estimate is of the other half. With `groups` (a video or speaker for each clip; "" for a clip
    by itself) no group is on both sides. Views are standardised by the fitting clips. A measure
    that fits nothing reads all clips. Three or more views are read by `estimator` if it takes
    so many, and otherwise by the chain rule (`Chain`), a sum of what it reads of two.

    interval: bootstrap by `resamples` half-samples of the held-out clips (whole groups), drawn
    without replacement, for a clip drawn twice would be its own negative and a tie; the spread
    of halves about their mean is that of the whole about its own. The critic stays as fitted.
    p: the same critic on held-out clips with all views but the first shuffled, `permutations`
    times; exact where clips are exchangeable, and too small where groups are few and alike.

    estimator: a class of `infofuse.measures` in nats, by name. All runs on the CPU, from `seed`
    alone; torch's global generator is left as it was. Raises InfofuseError for an unknown
    estimator, and for views that are too few, too short or not finite.

    McCarthy 1969 (half-samples); Phipson and Smyth 2010 (arXiv 1603.05766; p-values).
    """
    entry = _entry(estimator)
    raw = _checked(views)
    units = units_of(groups, len(next(iter(raw.values()))))
    with _seeded(seed):
        parts = cut(units, entry.min_batch) if entry.fitted else everything(units)
    notes = [note for name, v in raw.items() for note in cautions.of_view(name, v[parts.fit])]
    notes += cautions.of_groups(parts, grouped=len(units.unique()) < len(units))
    scaled = {name: _standardised(v, v[parts.fit]) for name, v in raw.items()}
    found: list[Estimate] = []
    subsets = [*combinations(scaled, 2), *([tuple(scaled)] if len(scaled) > 2 else [])]
    dims = {names: sum(scaled[name].shape[1] for name in names) for names in subsets}
    notes += cautions.of_sizes(dims, len(parts.fit))
    for names in subsets:
        chosen = [scaled[name] for name in names]
        with _seeded(seed):
            one, diverged = _estimate(
                names, estimator, chosen, parts, steps, permutations, resamples
            )
        found.append(one)
        notes += cautions.of_estimate(one) + cautions.of_fit(one, diverged)
    return Report(
        pairs=tuple(e for e in found if len(e.views) == 2),
        joint=found[-1] if len(scaled) > 2 else None,
        fitted_on=len(parts.fit) + len(parts.watched) if entry.fitted else 0,
        estimated_on=len(parts.held),
        seed=seed,
        warnings=tuple(notes),
    )


def _estimate(
    names: tuple[str, ...],
    reader: str,
    views: Sequence[Float[Tensor, "n _"]],
    parts: Parts,
    steps: int,
    permutations: int,
    resamples: int,
) -> tuple[Estimate, bool]:
    """The estimate, and whether the fit diverged."""
    measure = _build(reader, [v.shape[1] for v in views])
    diverged = False
    if any(p.requires_grad for p in measure.parameters()):
        fitting, watched = ([v[rows] for v in views] for rows in (parts.fit, parts.watched))
        diverged = not critic.fit(measure, fitting, watched, steps)
    held = [v[parts.held] for v in views]
    nats = critic.estimate(measure, held)
    null = [critic.estimate(measure, product_samples(*held)) for _ in range(permutations)]
    one = Estimate(
        views=names,
        estimator=reader,
        nats=nats,
        interval=_interval(measure, held, nats, parts, resamples),
        p=(1 + sum(not value < nats for value in null)) / (1 + permutations),
        ceiling=critic.ceiling(measure, len(parts.held)),
    )
    return one, diverged


def _interval(
    measure: Measure,
    held: Sequence[Float[Tensor, "n _"]],
    nats: float,
    parts: Parts,
    resamples: int,
) -> tuple[float, float]:
    draws = (half(parts.units) for _ in range(resamples))
    values = np.array([critic.estimate(measure, [v[rows] for v in held]) for rows in draws])
    low, high = np.quantile(values - values.mean(), [0.025, 0.975])
    return nats + float(low), nats + float(high)


def _entry(estimator: str) -> Entry:
    known = {entry.name: entry for entry in catalogue() if entry.unit == "nats"}
    if estimator not in known:
        raise unknown("estimator in nats", estimator, known)
    return known[estimator]


def _build(name: str, dims: Sequence[int]) -> Measure:
    if len(dims) == 2 or getattr(measures, name).many_views:
        return build(name, dims)
    return Chain(dims, lambda dim_x, dim_y: build(name, (dim_x, dim_y)))


def _checked(
    views: Mapping[str, Float[np.ndarray, "n _"] | Float[Tensor, "n _"]],
) -> dict[str, Float[Tensor, "n _"]]:
    """The views as float32 tensors on the CPU."""
    if len(views) < 2:
        raise InfofuseError(f"dependence is between two views or more; found {len(views)}")
    tensors = {name: torch.as_tensor(v).detach().cpu().float() for name, v in views.items()}
    lengths = {name: len(v) for name, v in tensors.items()}
    if len(set(lengths.values())) > 1:
        raise InfofuseError(f"views are of the same clips; found different numbers: {lengths}")
    if min(lengths.values()) < FEWEST:
        raise InfofuseError(f"at least {FEWEST} clips are needed; found {min(lengths.values())}")
    for name, v in tensors.items():
        if not v.isfinite().all():
            raise InfofuseError(f"view {name!r} holds numbers that are not finite; mend it first")
    return tensors


def _standardised(
    view: Float[Tensor, "n dim"], fitting: Float[Tensor, "m dim"]
) -> Float[Tensor, "n dim"]:
    """Mean 0 and deviation 1 on the fitting clips; a collapsed dimension is 0 everywhere."""
    scale = fitting.std(0).masked_fill(cautions.collapsed(fitting), float("inf"))
    return (view - fitting.mean(0)) / scale


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Inside, torch's global CPU generator starts from `seed`; after, it is as it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
