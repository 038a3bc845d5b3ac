"""MulT: the multimodal transformer for unaligned sequences (Tsai et al., ACL 2019).

    L = MAE(y, head(h + W2 relu(W1 h))),  h = [h_text, h_audio, h_vision]

h_m is the last state of a transformer over m's steps, as transformers from each other modality
onto m inform them: every step of m attends to every step of the other, so nothing is aligned.

Two variants, for the published code departs from the paper:

* "paper" (default): steps enter a transformer as x + PE, with the positions of Vaswani et al.
  2017, and attend to all steps of a source (eq. 1-3).
* "release", the arithmetic of yaohungt/Multimodal-Transformer: sqrt(width) x + PE', PE' counted
  from 1 with sines and cosines in halves, and step i attends to steps j <= i + |difference of the
  lengths| only. That the code also attends to padding is not reproduced.

The defaults of sizes and dropout are those of the code, and so is the loss, where it is the mean
absolute error. A modality alone has no others to hear from: its own transformer reads its steps.
"""

from dataclasses import dataclass
from typing import Literal

from infofuse.data.spec import DataSpec
from infofuse.fusion import CrossmodalFusion
from infofuse.fusion.attention import Dropouts
from infofuse.models import SequenceFusion
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import Inputs, sequence_encoders
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Float, Int, Space

PAPER = Paper(
    title="Multimodal Transformer for Unaligned Multimodal Language Sequences",
    authors=(
        "Yao-Hung Hubert Tsai",
        "Shaojie Bai",
        "Paul Pu Liang",
        "J. Zico Kolter",
        "Louis-Philippe Morency",
        "Ruslan Salakhutdinov",
    ),
    year=2019,
    venue="ACL",
    arxiv="1906.00295",
    summary="lets every step of a modality attend to every step of each other, unaligned",
    code="https://github.com/yaohungt/Multimodal-Transformer",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(Inputs):
    """The choices of the paper and of its code.

    width: of a step. layers: of the transformers between modalities; those over one modality have
    three at least. kernel_*: steps that a modality's convolution sees, vision's for any other
    name. attention_dropout: of attention to text and within a modality; to others
    attention_dropout_*. The rest is that of `Inputs`.
    """

    variant: Literal["paper", "release"] = "paper"
    width: int = 30
    heads: int = 5
    layers: int = 5
    kernel_text: int = 1
    kernel_audio: int = 1
    kernel_vision: int = 1
    attention_dropout: float = 0.1
    attention_dropout_audio: float = 0.0
    attention_dropout_vision: float = 0.0
    hidden_dropout: float = 0.1
    residual_dropout: float = 0.1
    embedding_dropout: float = 0.25
    text_dropout: float = 0.25
    output_dropout: float = 0.0


SPACE: Space = {
    "layers": Int(2, 6),
    "attention_dropout": Float(0.0, 0.3),
    "embedding_dropout": Float(0.0, 0.4),
    "output_dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[SequenceFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = sequence_encoders(config, spec)
    fusion = _fusion(config, {name: encoder.width for name, encoder in encoders.items()})
    model = SequenceFusion(encoders, fusion, spec.task.head(fusion.width))
    return model, Supervised(spec.task)


def _fusion(config: Config, widths: dict[str, int]) -> CrossmodalFusion:
    kernels = {"text": config.kernel_text, "audio": config.kernel_audio}
    attention = {"text": config.attention_dropout, "audio": config.attention_dropout_audio}
    return CrossmodalFusion(
        widths,
        config.width,
        config.heads,
        config.layers,
        max(config.layers, 3),
        kernels={m: kernels.get(m, config.kernel_vision) for m in widths},
        attention={m: attention.get(m, config.attention_dropout_vision) for m in widths},
        dropouts=Dropouts(
            config.attention_dropout,
            config.hidden_dropout,
            config.residual_dropout,
            config.embedding_dropout,
        ),
        text_dropout=config.text_dropout,
        output_dropout=config.output_dropout,
        release=config.variant == "release",
    )
