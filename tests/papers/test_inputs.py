"""The choice of the text: words by a pretrained encoder, or their features."""

import pytest

from infofuse import papers
from infofuse.data import DataSpec
from infofuse.encoders import Frames, FrozenSequence, LSTMEncoder, TextEncoder, TextSequence
from infofuse.errors import InfofuseError
from infofuse.papers.inputs import sequence_encoder, vector_encoder

BOTH = DataSpec("x", {"text": 5, "audio": 3}, text=True)


def test_text_is_words_or_features_as_asked(tiny_bert: str) -> None:
    words = sequence_encoder("text", BOTH, text=tiny_bert)
    assert isinstance(words, FrozenSequence)
    assert not any(p.requires_grad for p in words.parameters())
    learning = sequence_encoder("text", BOTH, text=tiny_bert, frozen=False)
    assert isinstance(learning, TextSequence)
    assert isinstance(vector_encoder("text", BOTH, text=tiny_bert, hidden=4, width=4), TextEncoder)
    for name, width in BOTH.features.items():
        frames = sequence_encoder(name, BOTH, text="features")
        assert isinstance(frames, Frames)
        assert (frames.modality, frames.width) == (name, width)
        vector = vector_encoder(name, BOTH, text="features", hidden=4, width=6)
        assert isinstance(vector, LSTMEncoder)
        assert vector.width == 6


def test_what_the_data_lacks_is_refused() -> None:
    with pytest.raises(InfofuseError, match="no features of its words"):
        sequence_encoder("text", DataSpec("x", {"audio": 3}, text=True), text="features")
    with pytest.raises(InfofuseError, match="not the words that 'minilm' reads"):
        vector_encoder("text", DataSpec("x", {"text": 5}), hidden=4, width=4)


def test_helpers_are_no_papers() -> None:
    assert "mmim" in papers.names()
    assert not {"base", "inputs"} & set(papers.names())
