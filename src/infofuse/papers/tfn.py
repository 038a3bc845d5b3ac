"""TFN: Tensor Fusion Network (Zadeh, Chen, Poria, Cambria and Morency, EMNLP 2017).

    y = head(relu(W2 relu(W1 vec([1, h_t] x [1, h_a] x [1, h_v]))))

An LSTM makes h_t of the words, and for each other modality three layers make h_m of the mean of
its frames. The outer product x holds each h_m and all products of two and of three.

Departures: the head is the task's (the paper squeezes a score into [-3, 3] by a sigmoid), and
frames are standardised by the training set (the released re-implementations normalise their mean
by the batch).
"""

from dataclasses import dataclass

from infofuse.data.spec import DataSpec
from infofuse.fusion import TensorFusion
from infofuse.models import LateFusion
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import SubnetInputs, subnetworks
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Choice, Float, Space

PAPER = Paper(
    title="Tensor Fusion Network for Multimodal Sentiment Analysis",
    authors=(
        "Amir Zadeh",
        "Minghai Chen",
        "Soujanya Poria",
        "Erik Cambria",
        "Louis-Philippe Morency",
    ),
    year=2017,
    venue="EMNLP",
    arxiv="1707.07250",
    summary="fuses by the outer product of the modalities' vectors, which holds every interaction "
    "of one, two and three of them",
    code="https://github.com/A2Zadeh/TensorFusionNetwork",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(SubnetInputs):
    """The choices; the defaults are those of MMSA's repository (1f7558b) for CMU-MOSI.

    fusion: width of the network behind the tensor. dropout: of it.
    """

    fusion: int = 32
    dropout: float = 0.2


SPACE: Space = {
    "fusion": Choice((32, 64, 128)),
    "dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[LateFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = subnetworks(config, spec)
    widths = {name: encoder.width for name, encoder in encoders.items()}
    fusion = TensorFusion(widths, config.fusion, config.dropout)
    return LateFusion(encoders, fusion, spec.task.head(fusion.width)), Supervised(spec.task)
