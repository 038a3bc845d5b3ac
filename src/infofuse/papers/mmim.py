"""MMIM: hierarchical mutual information maximisation (Han, Chen and Poria, EMNLP 2021).

    L = MAE(y, head(Z)) + alpha * sum_m L_CPC(Z, h_m) - beta * sum_(x, y) I_BA(h_x; h_y)

Z is the fusion of the modalities' representations h_m; I_BA the Barber-Agakov lower bound
between text and each other modality, L_CPC = -I_NCE + const the contrastive loss between Z and
each h_m. The networks of I_BA are fitted in a pass of their own before each epoch.

Two variants, for the published code departs from the paper:

* "paper" (default): I_BA is a lower bound, E log q + H, q a normalised Gaussian, and H uses every
  clip (label 0 with the positive ones) and a memory of earlier batches.
* "release", the arithmetic of declare-lab/Multimodal-Infomax: q without its -1/2 log-variance (so
  no bound); CPC's sum runs over other fusion results for one target instead of other targets for
  one fusion result; before H, a random projection to a quarter of the width and tanh that is
  never trained; H without its constant and with plain covariances, counted from an epoch's third
  batch on, its memory one batch long and emptied each epoch; clips of label 0 are in no class;
  the gradient norm that is clipped includes the fixed networks of I_BA. Selecting the checkpoint
  by the test set, as that code does, is not reproduced.

The release starts all its weights but the text encoder's from xavier_normal, on which the paper
is silent: both variants do.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from infofuse.data.spec import DataSpec
from infofuse.encoders import Encoder
from infofuse.fusion import ConcatFusion
from infofuse.measures import CPC, BarberAgakov, GaussianMixtureEntropy
from infofuse.models import LateFusion
from infofuse.objectives import Maximize, Objective, Sum, Supervised
from infofuse.papers.inputs import Inputs, vector_encoder
from infofuse.papers.paper import Paper, choose_modalities
from infofuse.papers.spaces import Choice, Float, Space

PAPER = Paper(
    title="Improving Multimodal Fusion with Hierarchical Mutual Information Maximization "
    "for Multimodal Sentiment Analysis",
    authors=("Wei Han", "Hui Chen", "Soujanya Poria"),
    year=2021,
    venue="EMNLP",
    arxiv="2109.00412",
    summary="keeps task-relevant information by maximising mutual information between "
    "modalities and between them and their fusion",
    code="https://github.com/declare-lab/Multimodal-Infomax",
)


@dataclass(frozen=True)
class Config(Inputs):
    """The paper's choices; the defaults are those for CMU-MOSI.

    alpha, beta: weights of the two dependency terms; 0 leaves a term out, and its networks with
    it. memory: clips that the entropy remembers. temperature: of CPC's cosine; 1 is the paper's.
    The rest is that of `Inputs`.
    """

    variant: Literal["paper", "release"] = "paper"
    freeze_text: bool = False
    audio_hidden: int = 32
    vision_hidden: int = 32
    bidirectional: bool = False
    width: int = 16
    fusion: int = 128
    dropout: float = 0.1
    alpha: float = 0.3
    beta: float = 0.1
    memory: int = 32
    temperature: float = 1.0
    learn_temperature: bool = False


SPACE: Space = {
    "alpha": Float(0.01, 1.0, log=True),
    "beta": Float(0.01, 1.0, log=True),
    "dropout": Float(0.0, 0.5),
    "width": Choice((16, 32, 64)),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[LateFusion, Objective]:
    """The model and its objective for data of this kind."""
    names = choose_modalities(config.modalities, spec)
    encoders = {name: _encoder(name, config, spec) for name in names}
    widths = {name: encoder.width for name, encoder in encoders.items()}
    fusion = ConcatFusion(widths, config.fusion, config.dropout)
    model = LateFusion(encoders, fusion, spec.task.head(config.fusion))
    objective = Sum(
        Supervised(spec.task), *_between_modalities(config, widths), *_with_fusion(config, widths)
    )
    _xavier_normal(model, objective)
    return model, objective


def _encoder(name: str, config: Config, spec: DataSpec) -> Encoder:
    return vector_encoder(
        name,
        config,
        spec,
        hidden=config.audio_hidden if name == "audio" else config.vision_hidden,
        width=config.width,
        bidirectional=config.bidirectional,
    )


def _between_modalities(config: Config, widths: dict[str, int]) -> list[Objective]:
    """The Barber-Agakov terms: text predicts each other modality."""
    if config.beta == 0 or "text" not in widths:
        return []
    return [
        Maximize(
            ("text", other),
            _barber_agakov(config, widths["text"], widths[other]),
            config.beta,
            name=f"I(text;{other})",
            fit="epoch",
            freeze=config.variant == "paper",
        )
        for other in widths
        if other != "text"
    ]


def _barber_agakov(config: Config, dim_x: int, dim_y: int) -> BarberAgakov:
    if config.variant == "paper":
        entropy = GaussianMixtureEntropy(dim_y, memory=config.memory)
        return BarberAgakov(dim_x, dim_y, hidden=dim_y, entropy=entropy)
    entropy = GaussianMixtureEntropy(
        dim_y,
        memory=config.memory,
        project=dim_y // 4,
        drop_zero=True,
        warm_up=2,
        forget=True,
        shrink=False,
        constant=False,
    )
    return BarberAgakov(dim_x, dim_y, hidden=dim_y, entropy=entropy, normalised=False)


def _with_fusion(config: Config, widths: dict[str, int]) -> list[Objective]:
    """The CPC terms: the fusion result predicts each modality."""
    if config.alpha == 0:
        return []
    return [
        Maximize(
            ("fused", name),
            CPC(
                config.fusion,
                width,
                temperature=config.temperature,
                learn_temperature=config.learn_temperature,
                negatives="y" if config.variant == "paper" else "x",
            ),
            config.alpha,
            name=f"I(fused;{name})",
        )
        for name, width in widths.items()
    ]


def _xavier_normal(model: LateFusion, objective: Objective) -> None:
    """Start every matrix but the pretrained ones from Glorot's normal distribution."""
    pretrained = {
        id(p) for m in model.modules() if getattr(m, "pretrained", False) for p in m.parameters()
    }
    for parameter in [*model.parameters(), *objective.parameters()]:
        if parameter.dim() > 1 and id(parameter) not in pretrained:
            nn.init.xavier_normal_(parameter)
