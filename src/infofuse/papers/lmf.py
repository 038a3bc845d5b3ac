"""LMF: Low-rank Multimodal Fusion (Liu et al., ACL 2018).

    y = head(sum_r w_r prod_m [1, h_m] W_m^(r) + b)

The product is elementwise. It is TFN's tensor under weights of rank R, without the tensor; the
h_m are made as TFN makes them.

Departures: the fused vector has a width of its own and the head is the task's (in the released
code the sum is the prediction, which is width 1 here and a head that is the identity), factors
start as `LowRankFusion` says, and frames are standardised by the training set (there, their mean is
normalised by the batch).
"""

from dataclasses import dataclass

from infofuse.data.spec import DataSpec
from infofuse.fusion import LowRankFusion
from infofuse.models import LateFusion
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import SubnetInputs, subnetworks
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Choice, Float, Int, Space

PAPER = Paper(
    title="Efficient Low-rank Multimodal Fusion with Modality-Specific Factors",
    authors=(
        "Zhun Liu",
        "Ying Shen",
        "Varun Bharadhwaj Lakshminarasimhan",
        "Paul Pu Liang",
        "Amir Zadeh",
        "Louis-Philippe Morency",
    ),
    year=2018,
    venue="ACL",
    arxiv="1806.00064",
    summary="fuses by TFN's outer product under weights of low rank, so that cost is linear in the "
    "number of modalities",
    code="https://github.com/Justin1904/Low-rank-Multimodal-Fusion",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(SubnetInputs):
    """The choices; the defaults are those of MMSA's repository (1f7558b) for CMU-MOSI.

    fusion: width of the fused vector. rank: of the weights. dropout: of it.
    """

    text_hidden: int = 256
    audio_width: int = 32
    vision_width: int = 256
    encoder_dropout: float = 0.3
    fusion: int = 32
    rank: int = 4
    dropout: float = 0.3


SPACE: Space = {
    "rank": Int(2, 8),
    "fusion": Choice((32, 64, 128)),
    "dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[LateFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = subnetworks(config, spec)
    widths = {name: encoder.width for name, encoder in encoders.items()}
    fusion = LowRankFusion(widths, config.fusion, config.rank, config.dropout)
    return LateFusion(encoders, fusion, spec.task.head(fusion.width)), Supervised(spec.task)
