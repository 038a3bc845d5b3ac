"""Which encoder reads a modality: the one place where a paper's text is chosen.

A paper's Config names the choice `text_encoder`: a pretrained encoder of the words ("minilm",
"mpnet", a folder or a hub name), or "features", the dense features of the words that came with
the data, such as GloVe.
"""

from dataclasses import dataclass

from infofuse.data.spec import DataSpec
from infofuse.encoders import (
    Encoder,
    Frames,
    FrozenSequence,
    FrozenText,
    LSTMEncoder,
    LSTMSubnet,
    MeanSubnet,
    SequenceEncoder,
    TextEncoder,
    TextSequence,
)
from infofuse.errors import InfofuseError
from infofuse.papers.paper import choose_modalities

FEATURES = "features"
"""The text encoder's name that asks for the feature modality "text"."""


@dataclass(frozen=True)
class Inputs:
    """What a paper reads: the choices that papers on sequences have in common.

    modalities: which to use, all that the data has if empty. text_encoder: see the module.
    freeze_text, max_tokens: of a pretrained one.
    """

    modalities: tuple[str, ...] = ()
    text_encoder: str = "minilm"
    freeze_text: bool = True
    max_tokens: int = 128


@dataclass(frozen=True)
class SubnetInputs(Inputs):
    """The choices of papers with TFN's encoders (see `subnetworks`).

    text_hidden, text_width: of the text's LSTM and of its vector. audio_width, vision_width: of
    the others' vectors, vision's also of any further modality's. encoder_dropout: of all.
    """

    text_hidden: int = 128
    text_width: int = 128
    audio_width: int = 16
    vision_width: int = 128
    encoder_dropout: float = 0.2


def sequence_encoder(name: str, config: Inputs, spec: DataSpec) -> SequenceEncoder:
    """A vector per step: the states of a pretrained text encoder, or standardised frames.

    name: the modality. Raises InfofuseError if the data does not have what the choice reads.
    """
    if reads_words(name, spec, config.text_encoder):
        states = TextSequence(config.text_encoder, max_tokens=config.max_tokens)
        return FrozenSequence(states) if config.freeze_text else states
    return Frames(name, spec.features[name])


def vector_encoder(
    name: str,
    config: Inputs,
    spec: DataSpec,
    *,
    hidden: int,
    width: int,
    bidirectional: bool = False,
) -> Encoder:
    """A vector per clip: the [CLS] state of a pretrained text encoder, or an LSTM's last state.

    A frozen encoder gives the mean of its states: what [CLS] says of a task, it learns in
    fine-tuning. hidden, width, bidirectional: of the LSTM. The rest is that of `sequence_encoder`.
    """
    if reads_words(name, spec, config.text_encoder):
        text, tokens = config.text_encoder, config.max_tokens
        if config.freeze_text:
            return FrozenText(TextEncoder(text, pooling="mean", max_tokens=tokens))
        return TextEncoder(text, max_tokens=tokens)
    return LSTMEncoder(name, spec.features[name], hidden, width, bidirectional=bidirectional)


def sequence_encoders(config: Inputs, spec: DataSpec) -> dict[str, SequenceEncoder]:
    """A sequence encoder for each modality that is used."""
    names = choose_modalities(config.modalities, spec)
    return {name: sequence_encoder(name, config, spec) for name in names}


def subnetworks(config: SubnetInputs, spec: DataSpec) -> dict[str, Encoder]:
    """TFN's encoders: an LSTM over the text's steps, three layers on the mean of other frames."""
    steps = sequence_encoders(config, spec)
    return {name: _subnet(name, encoder, config) for name, encoder in steps.items()}


def _subnet(name: str, steps: SequenceEncoder, config: SubnetInputs) -> Encoder:
    if name == "text":
        return LSTMSubnet(steps, config.text_hidden, config.text_width, config.encoder_dropout)
    width = config.audio_width if name == "audio" else config.vision_width
    return MeanSubnet(steps, width, config.encoder_dropout)


def reads_words(name: str, spec: DataSpec, text: str) -> bool:
    """Whether the modality is read by a pretrained text encoder, and not as features.

    Raises InfofuseError if the data does not have what the choice reads.
    """
    if name != "text":
        return False
    if text == FEATURES and "text" not in spec.features:
        raise InfofuseError(
            "the data has no features of its words (no feature modality 'text'); set "
            "model.text_encoder to a pretrained encoder of the words, such as 'minilm'"
        )
    if text != FEATURES and not spec.text:
        raise InfofuseError(
            f"the data has features of its words but not the words that {text!r} reads; set "
            f"model.text_encoder to '{FEATURES}'"
        )
    return text != FEATURES
