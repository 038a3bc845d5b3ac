"""Learned features: whisper's states of the sound, an image encoder's vectors of the frames."""

from pathlib import Path

import numpy as np
import pytest
import torch

from infofuse.errors import InfofuseError
from infofuse.extract import whisper
from infofuse.extract.audio_whisper import AudioWhisper
from infofuse.extract.media import Frame, Media, open_media
from infofuse.extract.sound import RATE
from infofuse.extract.vision_encoder import VisionEncoder


def heard(waveform: np.ndarray) -> Media:
    return Media("sound", len(waveform) / RATE, waveform, (), [])


def test_states_of_speech(shared: Path) -> None:
    """50 a second, to the end, and the same bytes every time."""
    media = open_media(shared / "data/clips/mosi_03bSnISJMiM_1.wav", fps=1.0)
    found, again = AudioWhisper()(media), AudioWhisper()(media)
    assert found.values.shape == (len(found.times), 384) == (167, 384)
    assert found.values.dtype == np.float32
    assert found.times[-1, 1] == pytest.approx(media.seconds, abs=0.03)
    assert found.values.tobytes() == again.values.tobytes()
    assert found.values.std(0).min() > 0


def test_long_sound_is_heard_in_windows(shared: Path) -> None:
    media = open_media(shared / "data/clips/mosi_03bSnISJMiM_1.wav", fps=1.0)
    wave = np.resize(media.waveform, 33 * RATE)
    states = AudioWhisper()(heard(wave)).values
    assert len(states) == 1500 + 150
    rest = AudioWhisper()(heard(wave[30 * RATE :])).values
    assert states[1500:].tobytes() == rest.tobytes()


def test_torch_keeps_its_threads() -> None:
    whisper.load.cache_clear()
    torch.set_num_threads(2)
    try:
        whisper.load("package")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_too_short_to_be_heard() -> None:
    media = heard(np.ones(300, np.float32))
    assert AudioWhisper()(media) is None
    assert media.notes == ["no sound that the speech model could hear"]


def tiny_vit(folder: Path, pooled: bool) -> str:
    from transformers import ViTConfig, ViTModel
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=32, patch_size=16,
    )  # fmt: skip
    ViTModel(config, add_pooling_layer=pooled).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("pooled", [True, False])
def test_frames_through_an_image_encoder(tmp_path: Path, pooled: bool) -> None:
    """As transformers computes them one by one; a pooler that has no weights is not used."""
    from transformers import AutoImageProcessor, ViTModel

    model = tiny_vit(tmp_path, pooled)
    rng = np.random.default_rng(0)
    frames = [Frame(i / 5, rng.integers(0, 255, (40, 30, 3), np.uint8)) for i in range(20)]
    encoder = VisionEncoder(model)
    found = encoder(Media("v", 4.0, np.zeros(0, np.float32), frames, []))
    assert found.values.shape == (20, 16)
    assert found.times[-1].tolist() == pytest.approx([3.8, 4.0])
    vit = ViTModel.from_pretrained(model, add_pooling_layer=pooled).eval()
    prepare = AutoImageProcessor.from_pretrained(model, backend="pil")
    with torch.no_grad():
        out = vit(**prepare(images=[frames[17].image], return_tensors="pt"))
    expected = out.pooler_output if pooled else out.last_hidden_state.mean(1)
    np.testing.assert_allclose(found.values[17], expected[0].numpy(), atol=1e-5)
    assert encoder(Media("v", 4.0, np.zeros(0, np.float32), (), [])) is None


def test_an_image_encoder_that_is_not_there(tmp_path: Path) -> None:
    black = Frame(0.0, np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InfofuseError, match="needs the option 'model'"):
        VisionEncoder()
    with pytest.raises(InfofuseError, match="no image encoder could be loaded"):
        VisionEncoder(str(tmp_path))(Media("v", 1.0, np.zeros(0, np.float32), [black], []))
    with pytest.raises(InfofuseError, match="no encoder of this name"):
        VisionEncoder("nobody/no-such-model").identity()
