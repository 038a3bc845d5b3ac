"""Frames of a waveform, their spectra, and what is read off a spectrum."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from scipy import fft, sparse

from infofuse.extract.sound import RATE

WINDOW, FFT = 400, 512  # 25 ms
BANDS = 40
_FLOOR = 1e-10
_BLOCK = 512

HZ = fft.rfftfreq(FFT, 1 / RATE)


def steps(samples: int, hop: int) -> int:
    """How many steps of `hop` samples a waveform has; the last one may be filled with silence."""
    return -(-samples // hop)


def blocks(
    wave: Float[np.ndarray, "samples"], window: int, hop: int
) -> Iterator[Float[np.ndarray, "n window"]]:
    """Frames of `window` samples about the middle of each step, some hundreds at a time."""
    count = steps(len(wave), hop)
    before = window // 2 - hop // 2
    after = max(0, (count - 1) * hop - before + window - len(wave))
    padded = np.pad(wave.astype(np.float64), (max(0, before), after))[max(0, -before) :]
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:count]
    yield from (frames[i : i + _BLOCK] for i in range(0, count, _BLOCK))


def power_spectrum(frames: Float[np.ndarray, "n window"]) -> Float[np.ndarray, "n bins"]:
    """|X_k|² / Σ w² of frames under a Hann window w, one-sided: its sum over k is that of FFT x²
    for noise, whatever the window."""
    window = np.hanning(WINDOW + 2)[1:-1]
    power = np.abs(fft.rfft(frames * window, FFT)) ** 2 / np.sum(window**2)
    power[:, 1:-1] *= 2
    return power


def decibels(power: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """10 log10 power, from -100 up."""
    return 10 * np.log10(np.maximum(power, _FLOOR))


def share(power: Float[np.ndarray, "n bins"]) -> Float[np.ndarray, "n bins"]:
    """The spectrum as a distribution over its bins; equal shares where there is silence."""
    filled = power + _FLOOR / power.shape[1]
    return filled / filled.sum(1, keepdims=True)


def centroid_and_spread(
    p: Float[np.ndarray, "n bins"],
) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    """Σ f p, and the root of Σ (f - centroid)² p, in Hz."""
    centroid = (p * HZ).sum(1)
    return centroid, np.sqrt((p * (HZ - centroid[:, None]) ** 2).sum(1))


def rolloff(p: Float[np.ndarray, "n bins"], part: float = 0.85) -> Float[np.ndarray, "n"]:
    """The frequency, in Hz, below which this part of the power lies."""
    return HZ[np.minimum((np.cumsum(p, axis=1) < part).sum(1), len(HZ) - 1)]


def flatness(p: Float[np.ndarray, "n bins"]) -> Float[np.ndarray, "n"]:
    """Geometric over arithmetic mean: 1 for an even spectrum, e^-γ = 0.56 for white noise."""
    return np.exp(np.log(p).mean(1)) / p.mean(1)


def slope(level: Float[np.ndarray, "n bins"], low: float, high: float) -> Float[np.ndarray, "n"]:
    """Of the line through the levels (dB) above one frequency and up to another, in dB a kHz."""
    inside = (low < HZ) & (high >= HZ)
    x = HZ[inside] / 1000 - (HZ[inside] / 1000).mean()
    return (level[:, inside] * x).sum(1) / (x**2).sum()


def band(power: Float[np.ndarray, "n bins"], low: float, high: float) -> Float[np.ndarray, "n"]:
    """The power between two frequencies."""
    return power[:, (low <= HZ) & (high > HZ)].sum(1)


def loudest(level: Float[np.ndarray, "n bins"], low: float, high: float) -> Float[np.ndarray, "n"]:
    """The highest level between two frequencies."""
    return level[:, (low <= HZ) & (high > HZ)].max(1)


def mel(hz: float) -> float:
    """2595 log10(1 + f / 700) (O'Shaughnessy, as in HTK)."""
    return 2595 * math.log10(1 + hz / 700)


def mel_filters() -> sparse.csr_array:
    """(BANDS, bins): triangles, equally spaced in mel from 20 Hz up, each with its peak at 1."""
    edges = 700 * (10 ** (np.linspace(mel(20.0), mel(RATE / 2), BANDS + 2) / 2595) - 1)
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (HZ - low) / (peak - low), (high - HZ) / (high - peak)
    return sparse.csr_array(np.maximum(0.0, np.minimum(rise, fall)))


def mfcc(power: Float[np.ndarray, "n bins"], count: int) -> Float[np.ndarray, "n _"]:
    """The first coefficients of the orthonormal DCT-II of the log mel spectrum."""
    bands = (mel_filters() @ power.T).T
    return fft.dct(np.log(np.maximum(bands, _FLOOR)), type=2, norm="ortho", axis=1)[:, :count]


def deltas(values: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n width"]:
    """The slope a step: Σ_k k (v_(t+k) - v_(t-k)) / (2 Σ_k k²), k = 1, 2; ends are repeated."""
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    n = len(values)
    return sum(k * (padded[2 + k : 2 + k + n] - padded[2 - k : 2 - k + n]) for k in (1, 2)) / 10.0
