"""Descriptors of the voice against sounds whose descriptors are known."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import RATE, tone

from infofuse.extract import spectrum
from infofuse.extract.audio_descriptors import COLUMNS, Descriptors
from infofuse.extract.media import Media, open_media
from infofuse.extract.pitch import perturbation, pitch_of

HOP = 320
BURST = np.exp(-np.arange(60) / 8) * np.sin(2 * np.pi * np.arange(60) / 12)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=samples)


def described(wave: np.ndarray, **options: float) -> dict[str, np.ndarray]:
    """The columns by name."""
    media = Media("a", len(wave) / RATE, wave.astype("f4"), (), [])
    found = Descriptors(**options)(media)
    assert found is not None
    return dict(zip(COLUMNS, found.values.T.astype(float), strict=True))


def pulses(periods: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """A burst at the end of each period."""
    at = np.cumsum(periods)
    wave = np.zeros(at[-1] + 100)
    for place, height in zip(at, heights, strict=True):
        wave[place : place + 60] += height * BURST
    return wave


@settings(max_examples=20, deadline=None)
@given(st.floats(75, 480), st.floats(0, 6))
def test_the_pitch_of_a_sine_is_its_frequency(hz: float, phase: float) -> None:
    wave = np.sin(2 * np.pi * hz * np.arange(RATE // 2) / RATE + phase)
    found = pitch_of(wave, HOP)
    assert found.hz[2:-2] == pytest.approx(hz, rel=2e-3)
    assert (found.strength[2:-2] > 0.99).all()


def test_the_pitch_of_a_gliding_voice_is_followed() -> None:
    """A harmonic sound whose fundamental goes from 100 to 200 Hz."""
    seconds = np.arange(RATE) / RATE
    phase = 2 * np.pi * (100 * seconds + 50 * seconds**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 15))
    found = pitch_of(wave, HOP)
    middle = (np.arange(len(found.hz)) + 0.5) * HOP / RATE
    assert found.hz[3:-3] == pytest.approx(100 + 100 * middle[3:-3], rel=0.01)


def test_noise_and_silence_have_no_pitch() -> None:
    assert (pitch_of(noise(RATE), HOP).hz == 0).all()
    assert (pitch_of(np.zeros(RATE), HOP).hz == 0).all()
    wave = np.concatenate([np.zeros(RATE // 2), tone(200, 0.5)])
    voiced = pitch_of(wave, HOP).hz > 0
    assert not voiced[:24].any()
    assert voiced[27:-1].all()


@pytest.mark.parametrize("ratio", [0, 10, 20])
def test_harmonics_over_noise_are_as_they_were_mixed(ratio: float) -> None:
    seconds = np.arange(2 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 150 * k * seconds) / k for k in range(1, 20))
    wave = voice / voice.std() + noise(2 * RATE) * 10 ** (-ratio / 20)
    found = described(wave * 0.1)
    assert np.median(found["hnr_db"]) == pytest.approx(ratio, abs=0.7)
    assert np.median(found["f0_semitones"]) == pytest.approx(12 * np.log2(150 / 27.5), abs=0.05)


def test_an_even_voice_has_no_jitter_and_no_shimmer() -> None:
    found = described(pulses(np.full(100, 100), np.ones(100)))
    assert np.median(found["jitter"]) == pytest.approx(0, abs=1e-4)
    assert np.median(found["shimmer"]) == pytest.approx(0, abs=1e-4)


def test_jitter_is_the_change_of_the_period() -> None:
    """Periods of 98 and 102 samples in turn: |ΔT| / T = 4 / 100. The pitch that is told is 160 Hz;
    the true one is half of that, and so a tracker may say."""
    wave = pulses(np.array([98, 102] * 60), np.ones(120))
    steps = len(wave) // HOP
    jitter, shimmer = perturbation(wave, np.full(steps, RATE / 100), HOP)
    assert np.median(jitter) == pytest.approx(0.04, abs=0.001)
    assert np.median(shimmer) == pytest.approx(0, abs=1e-3)


def test_shimmer_is_the_change_of_the_height() -> None:
    """Heights of 1 and 1.1 in turn: |ΔA| / A = 0.1 / 1.05."""
    found = described(pulses(np.full(120, 100), np.tile([1.0, 1.1], 60)))
    assert np.median(found["shimmer"]) == pytest.approx(0.1 / 1.05, abs=1e-3)
    assert np.median(found["jitter"]) == pytest.approx(0, abs=1e-4)


def test_where_a_voice_stops_and_another_begins_is_no_jitter() -> None:
    """Two stretches of even cycles, and silence between them."""
    low, high = pulses(np.full(40, 120), np.ones(40)), pulses(np.full(40, 80), np.ones(40))
    wave = np.concatenate([low, np.zeros(1600), high])
    found = described(wave)
    assert {round(RATE / 120), round(RATE / 80)} <= set(
        np.round(27.5 * 2 ** (found["f0_semitones"] / 12)).astype(int)
    )
    assert found["jitter"].max() < 0.05


def test_jitter_restated_in_plain_loops() -> None:
    rng = np.random.default_rng(1)
    periods = rng.integers(95, 106, 80)
    wave = pulses(periods, rng.uniform(0.8, 1.2, 80))
    steps = len(wave) // HOP
    jitter, _ = perturbation(wave, np.full(steps, RATE / 100), HOP)
    at = np.cumsum(periods)
    for step in range(5, steps - 5):
        middle = (step + 0.5) * HOP
        near = [t for t, begin in zip(periods[1:], at, strict=False) if abs(begin - middle) < 800]
        expected = np.abs(np.diff(near)).mean() / np.mean(near)
        assert jitter[step] == pytest.approx(expected, rel=0.15)


def test_unvoiced_steps_have_neither() -> None:
    found = described(0.1 * noise(RATE))
    for column in ("f0_semitones", "hnr_db", "jitter", "shimmer"):
        assert (found[column] == 0).all()


def test_energy_is_the_mean_square_in_decibels() -> None:
    found = described(tone(400, 1.0))
    assert found["energy_db"][3:-3] == pytest.approx(10 * np.log10(0.125), abs=0.05)
    quiet = described(tone(400, 1.0) / 10)
    difference = found["energy_db"] - quiet["energy_db"]
    assert difference[3:-3] == pytest.approx(20, abs=1e-3)
    assert (described(np.zeros(RATE))["energy_db"] == -100).all()


def test_shape_does_not_depend_on_loudness() -> None:
    wave = 0.3 * noise(RATE) + tone(300, 1.0)
    loud, soft = described(wave), described(wave / 30)
    for column in COLUMNS:
        if column not in ("energy_db", "mfcc_0"):
            assert loud[column] == pytest.approx(soft[column], abs=2e-3), column


def test_parseval() -> None:
    """Σ_k of the one-sided spectrum is FFT Σ (x w)² / Σ w²."""
    frames = next(spectrum.blocks(noise(4000), spectrum.WINDOW, HOP))
    window = np.hanning(spectrum.WINDOW + 2)[1:-1]
    expected = spectrum.FFT * ((frames * window) ** 2).sum(1) / (window**2).sum()
    assert spectrum.power_spectrum(frames).sum(1) == pytest.approx(expected, rel=1e-10)


def test_flatness_of_white_noise_is_known() -> None:
    """The power of noise is exponential: its geometric mean is e^-γ of its mean."""
    found = described(0.1 * noise(10 * RATE))
    assert found["flatness"].mean() == pytest.approx(np.exp(-np.euler_gamma), abs=0.02)
    assert described(tone(1000, 1.0))["flatness"][5:-5].max() < 1e-3


def test_a_sine_is_where_it_is() -> None:
    found = described(tone(1000, 1.0))
    for column in ("centroid_khz", "rolloff_khz"):
        assert found[column][3:-3] == pytest.approx(1.0, abs=0.04)
    assert (found["spread_khz"][3:-3] < 0.1).all()
    assert found["zero_crossings"][3:-3] == pytest.approx(2 * 1000 / RATE, rel=0.02)
    assert (found["flux"][5:-5] < 0.02).all()


def test_noise_is_everywhere() -> None:
    found = described(0.1 * noise(10 * RATE))
    assert found["centroid_khz"].mean() == pytest.approx(4.0, rel=0.02)
    assert found["spread_khz"].mean() == pytest.approx(8 / np.sqrt(12), rel=0.02)
    assert found["rolloff_khz"].mean() == pytest.approx(0.85 * 8, rel=0.02)
    assert found["alpha_ratio_db"].mean() == pytest.approx(10 * np.log10(4 / 0.95), abs=0.3)
    assert found["slope_0_500"].mean() == pytest.approx(0, abs=1.5)
    assert found["zero_crossings"].mean() == pytest.approx(0.5, abs=0.01)


def test_slopes_are_those_of_a_line() -> None:
    level = (3 - 12 * spectrum.HZ / 1000)[None]
    assert spectrum.slope(level, 500.0, 1500.0) == pytest.approx([-12])
    assert spectrum.loudest(level, 0.0, 2000.0) == pytest.approx([3])


def test_mfcc_of_a_flat_spectrum_and_of_a_cosine() -> None:
    """The orthonormal DCT-II of a constant is its first coefficient alone; that of one of its own
    cosines is that coefficient alone."""
    bands = spectrum.mel_filters().toarray().sum(1)
    found = spectrum.mfcc(np.ones((1, len(spectrum.HZ))), 13)[0]
    log = np.log(bands)
    n = np.arange(spectrum.BANDS)
    for k in range(13):
        scale = np.sqrt((1 if k == 0 else 2) / spectrum.BANDS)
        expected = scale * (log * np.cos(np.pi * k * (n + 0.5) / spectrum.BANDS)).sum()
        assert found[k] == pytest.approx(expected, abs=1e-9)


def test_mel_filters_cover_the_spectrum_evenly() -> None:
    filters = spectrum.mel_filters().toarray()
    assert filters.shape == (40, 257)
    assert (filters.max(1) > 0).all()
    peaks = spectrum.HZ[filters.argmax(1)]
    assert (np.diff(peaks) >= 0).all()
    inside = (spectrum.HZ > 120) & (spectrum.HZ < 7500)
    assert filters[:, inside].sum(0) == pytest.approx(1, abs=1e-9)


def test_deltas_of_a_ramp_are_its_slope() -> None:
    ramp = np.arange(20.0)[:, None] * [1.0, -3.0]
    assert spectrum.deltas(ramp)[2:-2] == pytest.approx(np.tile([1.0, -3.0], (16, 1)))
    assert spectrum.deltas(np.ones((5, 3))) == pytest.approx(0)


@pytest.mark.parametrize("samples", [1, 100, 319, 320, 321, 3200])
def test_every_sound_however_short_has_steps(samples: int) -> None:
    media = Media("a", samples / RATE, noise(samples).astype("f4"), (), [])
    found = Descriptors()(media)
    assert found is not None
    assert found.values.shape == (-(-samples // HOP), 42)
    assert found.values.dtype == np.float32
    assert np.isfinite(found.values).all()
    assert found.times[:, 1] - found.times[:, 0] == pytest.approx(0.02)
    assert found.times[0, 0] == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1e-30, 1e-4, 1.0, 1e4, 1e30]))
def test_any_sound_has_finite_descriptors(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    wave = rng.normal(size=2000) * rng.choice([0, 1], 2000) * scale
    found = Descriptors()(Media("a", 0.1, wave.astype("f4"), (), []))
    assert found is not None
    assert np.isfinite(found.values).all()


def test_steps_stay_where_they_are_when_more_follows() -> None:
    """A step depends on what is near it, the pitch aside, whose path is the whole clip's."""
    wave = noise(RATE)
    short, long = described(wave[: RATE // 2]), described(wave)
    for column in COLUMNS[7:]:
        if not column.startswith("delta"):
            assert short[column][:-3] == pytest.approx(long[column][: 25 - 3]), column


def test_blocks_are_the_frames_about_the_middles() -> None:
    wave = noise(330_000)
    frames = np.concatenate(list(spectrum.blocks(wave, 400, 160)))
    assert len(frames) == -(-330_000 // 160)
    for i in (5, 600, 2000):
        begin = i * 160 + 80 - 200
        assert (frames[i] == wave[begin : begin + 400]).all()
    wide = next(spectrum.blocks(wave, 400, 1600))
    assert (wide[3] == wave[3 * 1600 + 800 - 200 : 3 * 1600 + 800 + 200]).all()


def test_a_real_voice(shared: Path) -> None:
    media = open_media(shared / "data/clips/mosi_Oz06ZWiO20M_6.mp4", fps=5.0)
    found = described(media.waveform)
    voiced = found["f0_semitones"] > 0
    assert 0.3 < voiced.mean() < 0.95
    hz = 27.5 * 2 ** (found["f0_semitones"][voiced] / 12)
    assert 90 < np.median(hz) < 350
    assert np.median(found["jitter"][voiced]) < 0.05
    assert described(media.waveform, hop=0.01)["voicing"].shape == (2 * len(voiced) - 1,)
