"""MAG: the multimodal adaptation gate, on BERT and on XLNet (Rahman et al., ACL 2020).

    L = MAE(y, head(s)),  z_i' = LN(z_i + alpha_i h_i) before layer `layer` of a language model

s is the language model's summary of the clip, z_i a token's state, h_i what its word has beside it
in audio and vision, by a gate, and alpha_i keeps |h_i| under `shift` |z_i|. The tokens of a word
share what stands beside it: its frame, where there is one a word, and else the mean of its
interval, the clip's time being cut into equal intervals.

The language model is any of the BERT family, gated at its embeddings (layer 0), or XLNet, gated at
layer 1; where the text is features of the words, a small transformer takes its place. Two
variants, for the published code departs from the paper:

* "paper" (default): h has one bias, added after the gates.
* "release", the arithmetic of WasifurRahman/BERT_multimodal_transformer: each modality's linear map
  has a bias, inside its gate.

The loss of the task is the library's, which for regression is the mean absolute error; the code
takes the squared error. What the code puts between s and the head (BERT's pooler, a layer for
XLNet) is left out, and so are the numbers of segments that it gives XLNet.
A clip without words is one placeholder token beside which all its frames stand.
"""

from dataclasses import dataclass
from typing import Literal

from infofuse.data.spec import DataSpec
from infofuse.encoders import Frames, LanguageModel, WordPieces
from infofuse.errors import InfofuseError
from infofuse.fusion import AdaptationGate
from infofuse.models import AdaptedLanguageModel, WordTransformer
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import FEATURES, Inputs, reads_words
from infofuse.papers.paper import Paper, choose_modalities
from infofuse.papers.spaces import Float, Space

PAPER = Paper(
    title="Integrating Multimodal Information in Large Pretrained Transformers",
    authors=(
        "Wasifur Rahman",
        "Md Kamrul Hasan",
        "Sangwu Lee",
        "Amir Zadeh",
        "Chengfeng Mao",
        "Louis-Philippe Morency",
        "Ehsan Hoque",
    ),
    year=2020,
    venue="ACL",
    arxiv="1908.05787",
    summary="shifts the word states of BERT or XLNet by what is heard and seen beside each word",
    code="https://github.com/WasifurRahman/BERT_multimodal_transformer",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(Inputs):
    """The defaults are those that the published code gives for BERT.

    text_encoder: the language model; width, heads and layers are those of the transformer that
    takes its place for features. layer: whose input the gate changes, counted from 0. shift:
    largest length of a token's shift over that of its state. The rest is that of `Inputs`.
    """

    variant: Literal["paper", "release"] = "paper"
    freeze_text: bool = False
    layer: int = 0
    shift: float = 1.0
    dropout: float = 0.5
    head_dropout: float = 0.1
    width: int = 64
    heads: int = 4
    layers: int = 2


SPACE: Space = {
    "shift": Float(0.1, 2.0, log=True),
    "dropout": Float(0.0, 0.6),
    "head_dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[AdaptedLanguageModel, Objective]:
    """The model and its objective for data of this kind."""
    names = choose_modalities(config.modalities, spec)
    language = _language_model(config, spec, names)
    others = {name: Frames(name, spec.features[name]) for name in names if name != "text"}
    gate = AdaptationGate(
        language.width,
        {name: encoder.width for name, encoder in others.items()},
        shift=config.shift,
        dropout=config.dropout,
        release=config.variant == "release",
    )
    model = AdaptedLanguageModel(
        language,
        others,
        gate,
        spec.task.head(language.width),
        layer=config.layer,
        dropout=config.head_dropout,
        reads_text="text" in names,
    )
    return model, Supervised(spec.task)


def _language_model(config: Config, spec: DataSpec, names: tuple[str, ...]) -> LanguageModel:
    if "text" in names:
        reads_words("text", spec, config.text_encoder)
    language: LanguageModel
    if config.text_encoder == FEATURES:
        features = spec.features.get("text", 1)  # where no text is read, any number will do
        language = WordTransformer(
            features, config.width, config.heads, config.layers, config.head_dropout
        )
    else:
        language = WordPieces(
            config.text_encoder, frozen=config.freeze_text, max_tokens=config.max_tokens
        )
    if not 0 <= config.layer < language.depth:
        raise InfofuseError(
            f"model.layer is one of the {language.depth} layers of {config.text_encoder!r}, "
            f"counted from 0; found {config.layer}"
        )
    return language
