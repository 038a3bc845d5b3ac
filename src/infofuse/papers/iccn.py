"""ICCN: the interaction canonical correlation network (Sun et al., AAAI 2020).

    L = MAE(y, head([h_text, k_audio, k_vision])) - weight * sum_i rho_i(k_audio, k_vision)

k_m is a convolution's reading of the outer product of text with m, "text-based audio" and
"text-based vision"; rho_i are their canonical correlations, whose sum is that of deep CCA.

A reconstruction: the paper could not be read in full, and no code is published. From it are the
outer products with text, the convolution over them, deep CCA between the two, and prediction from
text and both; the sizes of the networks, the weight and training all at once are ours. So is the
shrinkage by Ledoit and Wolf's rule, without which a batch of fewer clips than the two widths has
correlations of 1.

Without text the first modality takes its place; with fewer than three modalities there is nothing
to correlate. A clip that lacks text has no interactions, and is predicted from nothing.
"""

from dataclasses import dataclass
from itertools import combinations

from infofuse.data.spec import DataSpec
from infofuse.fusion import InteractionFusion
from infofuse.measures import CanonicalCorrelation
from infofuse.models import VectorFusion
from infofuse.objectives import Maximize, Objective, Sum, Supervised
from infofuse.papers.inputs import Inputs, vector_encoder
from infofuse.papers.paper import Paper, choose_modalities
from infofuse.papers.spaces import Choice, Float, Space

PAPER = Paper(
    title="Learning Relationships between Text, Audio, and Video via Deep Canonical Correlation "
    "for Multimodal Language Analysis",
    authors=(
        "Zhongkai Sun",
        "Prathusha K. Sarma",
        "William A. Sethares",
        "Yingyu Liang",
    ),
    year=2020,
    venue="AAAI",
    arxiv="1911.05544",
    summary="maximises the canonical correlation of text-based audio with text-based vision",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(Inputs):
    """The choices, which are ours.

    hidden: of the LSTMs. features: of an LSTM's vector. width: of an interaction. correlation:
    weight of the term; 0 leaves it out. The rest is that of `Inputs`.
    """

    hidden: int = 32
    features: int = 16
    width: int = 32
    correlation: float = 0.02


SPACE: Space = {
    "correlation": Float(0.001, 1.0, log=True),
    "hidden": Choice((32, 64, 128)),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[VectorFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = {
        name: vector_encoder(name, config, spec, hidden=config.hidden, width=config.features)
        for name in choose_modalities(config.modalities, spec)
    }
    fusion = InteractionFusion({m: e.width for m, e in encoders.items()}, config.width)
    model = VectorFusion(encoders, fusion, spec.task.head(fusion.width))
    return model, Sum(Supervised(spec.task), *_correlation(config, fusion.interactions))


def _correlation(config: Config, interactions: tuple[str, ...]) -> list[Objective]:
    if config.correlation == 0:
        return []
    return [
        Maximize(
            pair, CanonicalCorrelation(power=1), config.correlation, name=f"CCA({';'.join(pair)})"
        )
        for pair in combinations(interactions, 2)
    ]
