"""LF-DNN: late fusion by a network on the joined vectors (Williams et al. 2018).

    y = head(relu(W2 relu(W1 [h_t; h_a; h_v])))

The h_m are made as TFN makes them; only the fusion differs. A reconstruction: fusing a layer of
each modality's network is the paper's (ACL Anthology W18-3309), the form is that of MMSA's
baseline of this name.

Departures: frames are standardised by the training set (there, their mean is normalised by the
batch); the text's vector has its dropout (there, none is applied to an LSTM of one layer).
"""

from dataclasses import dataclass

import torch

from infofuse.data.spec import DataSpec
from infofuse.fusion import ConcatFusion
from infofuse.models import LateFusion
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import SubnetInputs, subnetworks
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Choice, Float, Space

PAPER = Paper(
    title="DNN Multimodal Fusion Techniques for Predicting Video Sentiment",
    authors=("Jennifer Williams", "Ramona Comanescu", "Oana Radu", "Leimin Tian"),
    year=2018,
    venue="Challenge-HML at ACL",
    arxiv="",
    summary="late fusion: one vector per modality, joined, and two layers behind them",
    code="https://github.com/rhoposit/MultimodalDNN",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(SubnetInputs):
    """The choices; the defaults are those of MMSA's repository (1f7558b) for CMU-MOSI.

    fusion: width of the two layers. dropout: of it.
    """

    text_hidden: int = 64
    text_width: int = 256
    vision_width: int = 64
    encoder_dropout: float = 0.4
    fusion: int = 16
    dropout: float = 0.4


SPACE: Space = {
    "fusion": Choice((16, 32, 64)),
    "dropout": Float(0.0, 0.5),
    "encoder_dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[LateFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = subnetworks(config, spec)
    widths = {name: encoder.width for name, encoder in encoders.items()}
    fusion = ConcatFusion(widths, config.fusion, config.dropout, torch.relu)
    return LateFusion(encoders, fusion, spec.task.head(fusion.width)), Supervised(spec.task)
