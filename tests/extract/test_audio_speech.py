"""Speech encoders of random weights, small enough to be made here."""

from pathlib import Path

import numpy as np
import pytest
import torch

from infofuse.errors import InfofuseError
from infofuse.extract.audio_speech import AudioSpeech
from infofuse.extract.media import Media
from infofuse.extract.sound import RATE

SIZES = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
    "conv_dim": (8, 8, 8, 8, 8, 8, 8), "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


def save(kind: str, folder: Path) -> str:
    import transformers

    config = getattr(transformers, f"{kind}Config")(**SIZES)
    torch.manual_seed(3)
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return str(folder)


def heard(samples: int) -> Media:
    wave = np.random.default_rng(0).normal(size=samples).astype("f4")
    return Media("sound", samples / RATE, wave, (), [])


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert", "WavLM"])
def test_states_are_those_of_transformers(tmp_path: Path, kind: str) -> None:
    """Of the layer that is named, of the sound at mean 0 and deviation 1."""
    import transformers

    model = save(kind, tmp_path)
    media = heard(RATE)
    found = AudioSpeech(model, layer=1)(media)
    assert found is not None
    encoder = getattr(transformers, f"{kind}Model").from_pretrained(model).eval()
    wave = torch.from_numpy((media.waveform - media.waveform.mean()) / media.waveform.std())
    with torch.no_grad():
        expected = encoder(wave[None], output_hidden_states=True).hidden_states[1][0]
    np.testing.assert_allclose(found.values, expected.numpy(), atol=1e-4)
    assert found.values.shape == (49, 16)
    assert found.times[:2].tolist() == [[0.0, 0.02], [0.02, 0.04]]
    again = AudioSpeech(model, layer=1)(media)
    assert again is not None
    assert found.values.tobytes() == again.values.tobytes()


def test_long_sound_is_heard_in_windows(tmp_path: Path) -> None:
    speech = AudioSpeech(save("Wav2Vec2", tmp_path))
    found = speech(heard(31 * RATE))
    assert found is not None
    assert found.values.shape == (1499 + 49, 16)
    assert found.times[1499, 0] == 30
    assert (np.diff(found.times[:, 0]) > 0).all()
    weights = speech.identity()["weights"]["model.safetensors"]
    assert len(weights) == 64


def test_what_cannot_be_heard_is_said(tmp_path: Path) -> None:
    model = save("Wav2Vec2", tmp_path)
    media = heard(300)
    assert AudioSpeech(model)(media) is None
    assert media.notes == ["no sound that the speech encoder could hear"]
    with pytest.raises(InfofuseError, match=r"layer is 7; .* has layers up to 2"):
        AudioSpeech(model, layer=7)(heard(RATE))
    with pytest.raises(InfofuseError, match="needs the option 'model'"):
        AudioSpeech()
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InfofuseError, match=r"there is no file .*model\.safetensors"):
        AudioSpeech(model).identity()


def test_an_encoder_of_something_else_is_refused(tmp_path: Path, tiny_bert: str) -> None:
    with pytest.raises(InfofuseError, match="no speech encoder could be loaded from"):
        AudioSpeech(tiny_bert)(heard(RATE))
