"""Which encoder reads a modality: the one place where a paper's text is chosen.

A paper's Config names the choice `text_encoder`: a pretrained encoder of the words ("minilm", a
folder or a hub name), or "features", the dense features of the words that came with the data,
such as GloVe.
"""

from infofuse.data.spec import DataSpec
from infofuse.encoders import (
    Encoder,
    Frames,
    LSTMEncoder,
    SequenceEncoder,
    TextEncoder,
    TextSequence,
)
from infofuse.errors import InfofuseError

FEATURES = "features"
"""The text encoder's name that asks for the feature modality "text"."""


def sequence_encoder(
    name: str, spec: DataSpec, *, text: str = "minilm", frozen: bool = True, max_tokens: int = 128
) -> SequenceEncoder:
    """A vector a step: the states of a pretrained text encoder, or standardised frames.

    name: the modality. text: the text encoder (see the module). frozen, max_tokens: of a
    pretrained one. Raises InfofuseError if the data does not have what the choice reads.
    """
    if reads_words(name, spec, text):
        return TextSequence(text, frozen=frozen, max_tokens=max_tokens)
    return Frames(name, spec.features[name])


def vector_encoder(
    name: str,
    spec: DataSpec,
    *,
    hidden: int,
    width: int,
    text: str = "minilm",
    frozen: bool = False,
    max_tokens: int = 128,
    bidirectional: bool = False,
) -> Encoder:
    """A vector a clip: the [CLS] state of a pretrained text encoder, or an LSTM's last state.

    hidden, width, bidirectional: of the LSTM. The rest is that of `sequence_encoder`.
    """
    if reads_words(name, spec, text):
        return TextEncoder(text, frozen=frozen, max_tokens=max_tokens)
    return LSTMEncoder(name, spec.features[name], hidden, width, bidirectional=bidirectional)


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
