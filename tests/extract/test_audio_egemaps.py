"""eGeMAPS by openSMILE, beside our own descriptors where both measure the same."""

import numpy as np
import pytest
from recorded import RATE

from infofuse.extract.audio_descriptors import COLUMNS, Descriptors
from infofuse.extract.audio_egemaps import AudioEgemaps
from infofuse.extract.media import Media

pytest.importorskip("opensmile", reason="openSMILE, whose licence is not free, is not installed")


def voice(seconds: float) -> Media:
    """Harmonics of 150 Hz."""
    at = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * 150 * k * at) / k for k in range(1, 20))
    return Media("voice", seconds, (0.2 * wave).astype("f4"), (), [])


def test_its_pitch_is_ours() -> None:
    media = voice(1.0)
    theirs, ours = AudioEgemaps()(media), Descriptors()(media)
    assert theirs is not None
    assert ours is not None
    assert theirs.values.shape[1] == 25
    assert theirs.values.dtype == np.float32
    assert np.diff(theirs.times[:, 0]) == pytest.approx(0.01)
    semitones = 12 * np.log2(150 / 27.5)
    assert np.median(ours.values[:, COLUMNS.index("f0_semitones")]) == pytest.approx(
        semitones, abs=0.01
    )
    assert np.abs(np.median(theirs.values, 0) - semitones).min() < 0.1
    again = AudioEgemaps()(media)
    assert again is not None
    assert again.values.tobytes() == theirs.values.tobytes()


def test_too_little_sound_is_said() -> None:
    media = voice(0.05)
    assert AudioEgemaps()(media) is None
    assert media.notes == ["less than 0.1 s of sound, too little for openSMILE"]
