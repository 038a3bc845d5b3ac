"""MDM: mutual dependency maximisation on any backbone (Colombo et al., EMNLP 2021).

    L = L_backbone - weight * D(P || Q)

P is the joint law of the modalities, Q the product of their marginals, D the Kullback-Leibler
divergence (Donsker-Varadhan), an f-divergence or the 1-Wasserstein distance, all through a
statistical network T that is trained in `unroll` steps before each step of the model. See
`infofuse.objectives.DependencyPenalty` for where T looks.

A reconstruction: abstract and introduction of the paper could be read, there is no official code,
and the placement, the alternation and all numbers below are ours.

`dependency(model, choices)` adds the penalty to the objective of any other paper:

    model, objective = mmim.build(mmim.Config(), spec)
    objective = Sum(objective, mdm.dependency(model, mdm.Plus("wasserstein", weight=0.1)))

or, in a recipe of any paper, as the table [plus.mdm].
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from infofuse.config import from_table
from infofuse.data.spec import DataSpec
from infofuse.measures import MutualDependency
from infofuse.measures.dependency import Divergence, F, Lipschitz
from infofuse.models import encoders, view_widths
from infofuse.objectives import DependencyPenalty, Objective, Sum
from infofuse.objectives.penalty import Placement
from infofuse.papers.paper import Paper, get
from infofuse.papers.spaces import Choice, Float, Int, Space

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
class Plus:
    """What the penalty adds to a paper.

    penalty: the divergence. f: which f-divergence. lipschitz: what bounds the slope of T under
    "wasserstein". weight, unroll, placement: see `infofuse.objectives.DependencyPenalty`.
    hidden: width of T.
    """

    penalty: Divergence = "kl"
    f: F = "js"
    lipschitz: Lipschitz = "spectral"
    weight: float = 0.1
    unroll: int = 1
    placement: Placement = "fused"
    hidden: int = 128


@dataclass(frozen=True)
class Config(Plus):
    """The choices of the penalty, and a backbone.

    backbone: a paper by name; options: its own Config, as a table. penalty: "none" leaves the
    backbone by itself.
    """

    penalty: Divergence | Literal["none"] = "kl"  # type: ignore[assignment]
    backbone: str = "ef_lstm"
    options: dict[str, Any] = field(default_factory=dict)


SPACE: Space = {
    "weight": Float(0.01, 1.0, log=True),
    "unroll": Int(1, 3),
    "hidden": Choice((64, 128, 256)),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[nn.Module, Objective]:
    """The backbone, and its objective with the penalty."""
    backbone = get(config.backbone)
    options: Any = from_table(backbone.Config, config.options, "model.options")
    model, objective = backbone.build(options, spec)
    if config.penalty == "none":
        return model, objective
    return model, Sum(objective, dependency(model, config))


def dependency(model: nn.Module, choices: Plus = Plus()) -> DependencyPenalty:
    """The penalty for this model, to stand in a `Sum` with the objective of any paper."""
    modalities, widths = tuple(encoders(model)), view_widths(model)
    codes = [widths[m] for m in modalities]
    measure = MutualDependency(
        [widths["fused"]] if choices.placement == "fused" else codes,
        choices.penalty,
        f=choices.f,
        lipschitz=choices.lipschitz,
        hidden=choices.hidden,
    )
    return DependencyPenalty(
        model,
        modalities,
        measure,
        choices.weight,
        placement=choices.placement,
        unroll=choices.unroll,
        name=f"D_{choices.penalty}({choices.placement})",
    )


plus = dependency
"""What a recipe's table [plus.mdm] adds."""
