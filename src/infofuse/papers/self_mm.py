"""Self-MM: self-supervised multi-task learning of modalities (Yu et al., AAAI 2021).

    L = |p_m - y_m| + sum_s tanh|y_s - y_m| |p_s - y_s|,     s in {text, audio, vision}

p_m is the fused prediction, p_s that of one modality alone. Only y_m is human; the y_s are
generated anew in each epoch, from where a clip's views lie between the centres of the positive
and of the negative clips (`infofuse.objectives.UnimodalLabels`, with the formulas).

Two variants, for the published code departs from the paper:

* "paper" (default): the distance to a centre is |h - c|^2 / sqrt(dim); clips of label 0 are in
  neither class.
* "release", the arithmetic of thuiar/Self-MM: the distance is |h - c|; 0 is positive.

Both sum over the modalities; `unimodal = 0.333` gives their mean. The network and the defaults
are the release's for CMU-MOSI, for the paper does not give all of them; its learning rates and
weight decays by part are in the recipes (`train.parts`). Not reproduced: that it exempts BERT's
biases and layer norms from weight decay, and that it drops the last batches of an epoch where
they do not fill a step (`train.accumulate` does not).
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from infofuse.data.spec import DataSpec
from infofuse.encoders import Encoder
from infofuse.errors import InfofuseError
from infofuse.models import MultiTask
from infofuse.objectives import Objective, Sum, Supervised, UnimodalLabels
from infofuse.papers.inputs import Inputs, vector_encoder
from infofuse.papers.paper import Paper, choose_modalities
from infofuse.papers.spaces import Choice, Float, Space

PAPER = Paper(
    title="Learning Modality-Specific Representations with Self-Supervised Multi-Task Learning "
    "for Multimodal Sentiment Analysis",
    authors=("Wenmeng Yu", "Hua Xu", "Ziqi Yuan", "Jiele Wu"),
    year=2021,
    venue="AAAI",
    arxiv="2102.04830",
    summary="trains each modality on labels of its own, which are generated from the fused label "
    "and from where the clips lie in the representations",
    code="https://github.com/thuiar/Self-MM",
)


@dataclass(frozen=True)
class Config(Inputs):
    """The paper's choices; the defaults are those of the release for CMU-MOSI.

    *_hidden: of the LSTMs; text_hidden also the width of the text, where it comes as features.
    *_width: of what the LSTMs give. fusion and *_view: of the views. *_dropout: before each view.
    unimodal: weight of the losses by generated labels; 0 leaves them out, and the single
    modalities' predictions untrained. The rest is that of `Inputs`.
    """

    variant: Literal["paper", "release"] = "paper"
    freeze_text: bool = False
    text_hidden: int = 64
    audio_hidden: int = 32
    vision_hidden: int = 64
    audio_width: int = 16
    vision_width: int = 32
    fusion: int = 128
    text_view: int = 64
    audio_view: int = 16
    vision_view: int = 32
    fusion_dropout: float = 0.1
    text_dropout: float = 0.0
    audio_dropout: float = 0.1
    vision_dropout: float = 0.1
    unimodal: float = 1.0


SPACE: Space = {
    "unimodal": Float(0.1, 1.0),
    "fusion": Choice((64, 128, 256)),
    "fusion_dropout": Float(0.0, 0.5),
    "text_dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[MultiTask, Objective]:
    """The model and its objective for data of this kind."""
    if spec.outputs != 1 or spec.classes:
        found = f"{spec.outputs} of classes" if spec.classes else spec.outputs
        raise InfofuseError(f"Self-MM is of one label column of scores; the data has {found}")
    names = choose_modalities(config.modalities, spec)
    encoders = {name: _encoder(name, config, spec) for name in names}
    widths = _view_widths(names, config)
    inputs = {name: encoder.width for name, encoder in encoders.items()}
    inputs["fused"] = sum(inputs.values())
    model = MultiTask(
        encoders,
        {v: _project(inputs[v], width, _dropout(v, config)) for v, width in widths.items()},
        {v: _head(width, spec) for v, width in widths.items()},
    )
    return model, Sum(Supervised(spec.task), *_unimodal(config, widths, spec))


def _view_widths(names: tuple[str, ...], config: Config) -> dict[str, int]:
    """The width of each modality's view and of the fused one."""
    own = {"text": config.text_view, "audio": config.audio_view}
    return {name: own.get(name, config.vision_view) for name in names} | {"fused": config.fusion}


def _encoder(name: str, config: Config, spec: DataSpec) -> Encoder:
    shapes = {
        "text": (config.text_hidden, config.text_hidden),
        "audio": (config.audio_hidden, config.audio_width),
    }
    hidden, width = shapes.get(name, (config.vision_hidden, config.vision_width))
    return vector_encoder(name, config, spec, hidden=hidden, width=width)


def _project(features: int, width: int, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(features, width), nn.ReLU())


def _dropout(view: str, config: Config) -> float:
    own = {
        "fused": config.fusion_dropout,
        "text": config.text_dropout,
        "audio": config.audio_dropout,
    }
    return own.get(view, config.vision_dropout)


def _head(width: int, spec: DataSpec) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), spec.task.head(width))


def _unimodal(config: Config, widths: dict[str, int], spec: DataSpec) -> list[Objective]:
    if config.unimodal == 0:
        return []
    return [UnimodalLabels(widths, spec.label_range, config.variant, config.unimodal)]
