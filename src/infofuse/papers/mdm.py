"""MDM: mutual dependency maximisation on any backbone (Colombo et al., EMNLP 2021).

    L = L_backbone - weight * D(P || Q)

P is the joint law of the modalities, Q the product of their marginals, D the Kullback-Leibler
divergence (Donsker-Varadhan), an f-divergence or the 1-Wasserstein distance, all through a
statistical network T that is trained in `unroll` steps before each step of the model. See
`infofuse.objectives.DependencyPenalty` for where T looks.

A reconstruction: abstract and introduction of the paper could be read, there is no official code,
and the placement, the alternation and all numbers below are ours.

`dependency(model, ...)` adds the penalty to the objective of any other paper:

    model, objective = mmim.build(mmim.Config(), spec)
    objective = Sum(objective, mdm.dependency(model, "wasserstein", weight=0.1))
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from infofuse.data.spec import DataSpec
from infofuse.measures import MutualDependency
from infofuse.measures.dependency import Divergence, F, Lipschitz
from infofuse.models import encoders, view_widths
from infofuse.objectives import DependencyPenalty, Objective, Sum
from infofuse.objectives.penalty import Placement
from infofuse.papers.base import Paper, get
from infofuse.tables import from_table

PAPER = Paper(
    title="Improving Multimodal fusion via Mutual Dependency Maximisation",
    authors=("Pierre Colombo", "Emile Chapuis", "Matthieu Labeau", "Chloé Clavel"),
    year=2021,
    venue="EMNLP",
    arxiv="2109.00922",
    summary="penalties that maximise the dependency of all modalities, on any backbone",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config:
    """A backbone and its penalty.

    backbone: a paper by name; options: its own Config, as a table. penalty: the divergence, or
    "none" for the backbone by itself. f: which f-divergence. lipschitz: what bounds the slope of
    T under "wasserstein". hidden: width of T.
    """

    backbone: str = "ef_lstm"
    options: dict[str, Any] = field(default_factory=dict)
    penalty: Literal["none", "kl", "f", "wasserstein"] = "kl"
    f: F = "js"
    lipschitz: Lipschitz = "spectral"
    weight: float = 0.1
    unroll: int = 1
    placement: Placement = "fused"
    hidden: int = 128


def build(config: Config, spec: DataSpec) -> tuple[nn.Module, Objective]:
    """The backbone, and its objective with the penalty."""
    backbone = get(config.backbone)
    options: Any = from_table(backbone.Config, config.options, "model.options")
    model, objective = backbone.build(options, spec)
    if config.penalty == "none":
        return model, objective
    penalty = dependency(
        model,
        config.penalty,
        f=config.f,
        lipschitz=config.lipschitz,
        weight=config.weight,
        unroll=config.unroll,
        placement=config.placement,
        hidden=config.hidden,
    )
    return model, Sum(objective, penalty)


def dependency(
    model: nn.Module,
    divergence: Divergence = "kl",
    *,
    f: F = "js",
    lipschitz: Lipschitz = "spectral",
    weight: float = 0.1,
    unroll: int = 1,
    placement: Placement = "fused",
    hidden: int = 128,
) -> DependencyPenalty:
    """The penalty for this model, to stand in a `Sum` with the objective of any paper."""
    modalities, widths = tuple(encoders(model)), view_widths(model)
    dims = [widths["fused"]] if placement == "fused" else [widths[m] for m in modalities]
    measure = MutualDependency(dims, divergence, f=f, lipschitz=lipschitz, hidden=hidden)
    name = f"{measure.unit} {divergence}({placement})"
    return DependencyPenalty(
        model, modalities, measure, weight, placement=placement, unroll=unroll, name=name
    )
