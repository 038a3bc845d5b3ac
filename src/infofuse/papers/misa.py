"""MISA: modality-invariant and -specific representations (Hazarika et al., ACM Multimedia 2020).

    L = MAE(y, head(fused)) + alpha * L_sim + beta * L_diff + gamma * L_recon

Each modality's u_m has a shared part c_m and a private part p_m:

    L_sim    mean over pairs of CMD_5(c_m, c_n), or the adversarial loss of a modality classifier
    L_diff   sum over m of ||C_m^T P_m||^2 and over pairs of ||P_m^T P_n||^2, rows centred, length 1
    L_recon  mean over m of |u_m - D_m(c_m + p_m)|^2 / width

Two variants, for the published code departs from the paper:

* "paper": L_diff is the squared Frobenius norm, a sum over width^2 entries.
* "release" (default), the arithmetic of declare-lab/MISA: L_diff is their mean, less by width^2
  (16384 at the published width), and without a gradient through the lengths of the rows.

The weights of the terms are the code's, and fit its mean: by the sum, beta * L_diff makes up nine
tenths of the loss in the first epoch on CMU-MOSI, and little else is learnt.

The loss of the task is the library's, which for regression is the mean absolute error; paper and
code take the squared error. A modality alone has no pairs, so no L_sim, and of L_diff and L_recon
its own terms; clips that lack a modality count in no term of it. That the code's mean over BERT's
states takes in padding is not reproduced.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from infofuse.data.spec import DataSpec
from infofuse.encoders import Encoder, FrozenText, StackedLSTM, TextEncoder
from infofuse.fusion import SubspaceFusion
from infofuse.measures import CMD, Orthogonality
from infofuse.models import VectorFusion
from infofuse.objectives import Adversarial, Minimize, Objective, Reconstruction, Sum, Supervised
from infofuse.papers.inputs import Inputs, reads_words
from infofuse.papers.paper import Paper, choose_modalities
from infofuse.papers.spaces import Float, Space

PAPER = Paper(
    title="MISA: Modality-Invariant and -Specific Representations for Multimodal Sentiment "
    "Analysis",
    authors=("Devamanyu Hazarika", "Roger Zimmermann", "Soujanya Poria"),
    year=2020,
    venue="ACM Multimedia",
    arxiv="2005.03545",
    summary="splits each modality into a part shared with the others and a private one",
    code="https://github.com/declare-lab/MISA",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(Inputs):
    """The defaults of the published code.

    inner, transform_dropout: of the transformer layer that fuses. alpha, beta, gamma: weights of
    similarity, difference and reconstruction; 0 leaves a term out.
    reversal: scale of the reversed gradient, where similarity is adversarial. The rest is that of
    `Inputs`.
    """

    variant: Literal["paper", "release"] = "release"
    freeze_text: bool = False
    width: int = 128
    dropout: float = 0.5
    inner: int = 2048
    transform_dropout: float = 0.1
    similarity: Literal["cmd", "adversarial"] = "cmd"
    alpha: float = 1.0
    beta: float = 0.3
    gamma: float = 1.0
    reversal: float = 1.0


SPACE: Space = {
    "alpha": Float(0.1, 2.0, log=True),
    "beta": Float(0.1, 2.0, log=True),
    "gamma": Float(0.1, 2.0, log=True),
    "dropout": Float(0.0, 0.6),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[VectorFusion, Objective]:
    """The model and its objective for data of this kind."""
    names = choose_modalities(config.modalities, spec)
    encoders = {name: _encoder(name, config, spec) for name in names}
    widths = {name: encoder.width for name, encoder in encoders.items()}
    fusion = SubspaceFusion(
        widths,
        config.width,
        config.dropout,
        inner=config.inner,
        transform_dropout=config.transform_dropout,
    )
    model = VectorFusion(encoders, fusion, spec.task.head(fusion.width))
    objective = Sum(
        Supervised(spec.task),
        *_similarity(config, names),
        *_difference(config, names),
        *_reconstruction(config, names),
    )
    return model, objective


def _encoder(name: str, config: Config, spec: DataSpec) -> Encoder:
    if reads_words(name, spec, config.text_encoder):
        text = TextEncoder(config.text_encoder, pooling="mean", max_tokens=config.max_tokens)
        return FrozenText(text) if config.freeze_text else text
    return StackedLSTM(name, spec.features[name], hidden=spec.features[name])


def _similarity(config: Config, names: tuple[str, ...]) -> list[Objective]:
    shared = [f"shared_{name}" for name in names]
    pairs = list(combinations(shared, 2))
    if config.alpha == 0 or not pairs:
        return []
    if config.similarity == "adversarial":
        return [
            Adversarial(
                shared,
                config.width,
                config.alpha,
                reversal=config.reversal,
                dropout=config.dropout,
                name="similarity",
            )
        ]
    return [Minimize(pair, CMD(moments=5, span=1.0), config.alpha / len(pairs)) for pair in pairs]


def _difference(config: Config, names: tuple[str, ...]) -> list[Objective]:
    if config.beta == 0:
        return []
    release = config.variant == "release"
    pairs = [(f"private_{name}", f"shared_{name}") for name in names]
    pairs += combinations([f"private_{name}" for name in names], 2)
    measure = Orthogonality(average=release, constant_lengths=release)
    return [Minimize(pair, measure, config.beta) for pair in pairs]


def _reconstruction(config: Config, names: tuple[str, ...]) -> list[Objective]:
    if config.gamma == 0:
        return []
    parts = {name: (f"shared_{name}", f"private_{name}") for name in names}
    return [Reconstruction(parts, config.width, config.gamma)]
