"""DMA: deep modal alignment on Self-MM (Lai et al. 2023); a reconstruction.

    L = L_SelfMM + sum over pairs (m, n) of lambda_mn gap(C(h_m), C(h_n))

C is the covariance of a modality's view, and gap, by default, ||C_m - C_n||_F^2 / (4 d^2). Any of
the three pairs may be left out; a positive lambda draws the modalities' second moments together
(shared information), a negative one, of a bounded gap only, apart (private information).

Of the paper, the abstract alone could be read. It says that a module "based on the covariance
matrix" captures shared information, can be put into other models, and tunes by its parameters
the exchange between given modalities; and that generated labels capture the private one. So the
gap between marginal covariances, `align = "marginal"`, is our reading of it, `"cross"`, which
uses the pairing, another, and the weights are ours. docs/dma.md has the gradient, and what
marginal alignment cannot see.

To add the alignment to another paper's objective, in one expression:

    Sum(objective, dma.alignment({"text": 384, "audio": 16}, dma.Plus(text_audio=0.5)))

or, in a recipe of any paper, as the table [plus.dma].
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from torch import nn

from infofuse.data.spec import DataSpec
from infofuse.models import MultiTask, view_widths
from infofuse.objectives import Alignment, Objective, Sum
from infofuse.objectives.alignment import Kind
from infofuse.papers import self_mm
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Float, Space

PAPER = Paper(
    title="Shared and Private Information Learning in Multimodal Sentiment Analysis with Deep "
    "Modal Alignment and Self-supervised Multi-Task Learning",
    authors=(
        "Songning Lai",
        "Jiakang Li",
        "Guinan Guo",
        "Xifeng Hu",
        "Yulong Li",
        "Yuan Tan",
        "Zichen Song",
        "Yutong Liu",
        "Zhaoxia Ren",
        "Chun Wan",
        "Danmin Miao",
        "Zhi Liu",
    ),
    year=2023,
    venue="arXiv",
    arxiv="2305.08473",
    summary="draws chosen modalities' covariances together or apart, on top of Self-MM",
    reconstruction=True,
)


@dataclass(frozen=True)
class Plus:
    """What the alignment adds to a paper: a weight for each pair, and the gap it is of.

    text_audio, text_vision, audio_vision: 0 leaves a pair out, and so does data without it. A
    negative weight pushes the two apart, and needs a gap that is bounded. align: the gap, see
    `infofuse.objectives.Alignment`. align_width: to which views are projected; 0 for the
    narrower view's width.
    """

    text_audio: float = 1.0
    text_vision: float = 1.0
    audio_vision: float = 1.0
    align: Kind = "marginal"
    align_width: int = 0


@dataclass(frozen=True)
class Config(Plus, self_mm.Config):
    """The choices of Self-MM, and of the alignment."""


SPACE: Space = {
    "text_audio": Float(0.01, 10.0, log=True),
    "text_vision": Float(0.01, 10.0, log=True),
    "audio_vision": Float(0.01, 10.0, log=True),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[MultiTask, Objective]:
    """The model and its objective for data of this kind."""
    model, objective = self_mm.build(config, spec)
    return model, Sum(objective, plus(model, config))


def alignment(widths: Mapping[str, int], choices: Plus = Plus()) -> Objective:
    """The alignment of views of these widths, to be added to any objective."""
    weights = {
        (m, n): getattr(choices, f"{m}_{n}")
        for m, n in combinations(("text", "audio", "vision"), 2)
    }
    width = choices.align_width or None
    return Sum(
        *(
            Alignment(pair, (widths[pair[0]], widths[pair[1]]), weight, choices.align, width=width)
            for pair, weight in weights.items()
            if weight and set(pair) <= widths.keys()
        )
    )


def plus(model: nn.Module, choices: Plus) -> Objective:
    """What a recipe's table [plus.dma] adds."""
    return alignment(view_widths(model), choices)
