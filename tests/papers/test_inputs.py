"""The choice of the text: words by a pretrained encoder, or their features."""

from pathlib import Path
from typing import Any

import pytest

from infofuse import papers
from infofuse.config import from_table
from infofuse.data import DataSpec
from infofuse.encoders import Frames, FrozenSequence, LSTMEncoder, TextEncoder, TextSequence
from infofuse.errors import InfofuseError
from infofuse.papers.inputs import Inputs, sequence_encoder, vector_encoder

BOTH = DataSpec("x", {"text": 5, "audio": 3}, text=True)
FEATURES = Inputs(text_encoder="features")


def test_text_is_words_or_features_as_asked(tiny_bert: str) -> None:
    words = sequence_encoder("text", Inputs(text_encoder=tiny_bert), BOTH)
    assert isinstance(words, FrozenSequence)
    assert not any(p.requires_grad for p in words.parameters())
    tuned = Inputs(text_encoder=tiny_bert, freeze_text=False)
    assert isinstance(sequence_encoder("text", tuned, BOTH), TextSequence)
    assert isinstance(vector_encoder("text", tuned, BOTH, hidden=4, width=4), TextEncoder)
    for name, width in BOTH.features.items():
        frames = sequence_encoder(name, FEATURES, BOTH)
        assert isinstance(frames, Frames)
        assert (frames.modality, frames.width) == (name, width)
        vector = vector_encoder(name, FEATURES, BOTH, hidden=4, width=6)
        assert isinstance(vector, LSTMEncoder)
        assert vector.width == 6


def test_what_the_data_lacks_is_refused() -> None:
    with pytest.raises(InfofuseError, match="no features of its words"):
        sequence_encoder("text", FEATURES, DataSpec("x", {"audio": 3}, text=True))
    with pytest.raises(InfofuseError, match="not the words that 'minilm' reads"):
        vector_encoder("text", Inputs(), DataSpec("x", {"text": 5}), hidden=4, width=4)


@pytest.mark.parametrize(
    ("paper", "choices", "why"),
    [
        ("mmim", {"temperature": 0.0}, "mmim cannot be built of these choices: a temperature"),
        ("mmim", {"dropout": 2.0}, "dropout probability has to be between 0 and 1"),
        ("misa", {"width": 33}, "misa cannot be built of these choices: embed_dim must be"),
        ("tfn", {"modalities": ("audio", "audio")}, "once each; found .'audio', 'audio'"),
        ("lmf", {"rank": 0}, "the rank is at least 1; found 0"),
        ("mult", {"kernel_text": 0}, "a convolution sees one step at least"),
        (
            "lmf",
            {"fusion": -1},
            "of these choices: fusion is at least 0; found -1",
        ),
        (
            "mult",
            {"heads": 0},
            "of these choices: heads is at least 1; found 0",
        ),
    ],
)
def test_choices_of_which_nothing_can_be_built(paper: str, choices: dict, why: str) -> None:
    config = from_table(papers.get(paper).Config, choices | {"text_encoder": "features"}, "model")
    with pytest.raises(InfofuseError, match=why):
        papers.build(paper, config, BOTH)


def test_nor_of_a_terms() -> None:
    config = from_table(papers.get("lf_dnn").Config, {"text_encoder": "features"}, "model")
    plus = {"mdm": papers.get_term("mdm").Plus(unroll=0)}
    with pytest.raises(InfofuseError, match="mdm cannot be built of these choices: the stat"):
        papers.build("lf_dnn", config, BOTH, plus)


def test_helpers_are_no_papers() -> None:
    assert "mmim" in papers.names()
    assert not {"paper", "inputs", "spaces"} & set(papers.names())


@pytest.mark.parametrize("mistake", [RuntimeError, AssertionError, ZeroDivisionError, TypeError])
def test_a_mistake_of_ours_is_no_users_mistake(
    mistake: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of this package that fails while a model is built: its traceback is what we need."""
    source = f"def build(config, spec):\n    raise {mistake.__name__}('ours')\n"
    place = Path(papers.__file__).with_name("lf_dnn.py")
    names: dict[str, Any] = {}
    exec(compile(source, str(place), "exec"), names)
    monkeypatch.setattr(papers.get("lf_dnn"), "build", names["build"])
    with pytest.raises(mistake, match="ours"):
        papers.build("lf_dnn", papers.get("lf_dnn").Config(), BOTH)
