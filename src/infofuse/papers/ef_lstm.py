"""EF-LSTM: early fusion, one LSTM over all modalities' frames (Williams et al. 2018).

    y = head(relu(W h_T + b)), h = LSTM([x_t; x_a; x_v])

A reconstruction: input-level fusion and a recurrent network are the paper's (ACL Anthology
W18-3302), the form is that of MMSA, the field's usual toolkit, whose baseline of this name cites
it. The code of MFN compares with the same one, of one layer.

Sequences that are not aligned to words are brought to the text's steps (see
`infofuse.fusion.align`). Departure: frames are standardised by the training set (in MMSA, each
step is normalised by the batch).
"""

from dataclasses import dataclass

from infofuse.data.spec import DataSpec
from infofuse.fusion import EarlyLSTM
from infofuse.models import SequenceFusion
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import Inputs, sequence_encoders
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Choice, Float, Int, Space

PAPER = Paper(
    title="Recognizing Emotions in Video Using Multimodal DNN Feature Fusion",
    authors=("Jennifer Williams", "Steven Kleinegesse", "Ramona Comanescu", "Oana Radu"),
    year=2018,
    venue="Challenge-HML at ACL",
    arxiv="",
    summary="early fusion: all modalities' frames side by side at each step, and one LSTM",
    code="https://github.com/rhoposit/MultimodalDNN",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(Inputs):
    """The choices; the defaults are those of MMSA's repository (1f7558b) for CMU-MOSI.

    hidden, layers: of the LSTM. dropout: between layers, and around the layer behind it.
    """

    hidden: int = 256
    layers: int = 2
    dropout: float = 0.3


SPACE: Space = {
    "hidden": Choice((64, 128, 256)),
    "layers": Int(1, 3),
    "dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[SequenceFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = sequence_encoders(config, spec)
    widths = {name: encoder.width for name, encoder in encoders.items()}
    fusion = EarlyLSTM(widths, config.hidden, config.layers, config.dropout)
    return SequenceFusion(encoders, fusion, spec.task.head(config.hidden)), Supervised(spec.task)
