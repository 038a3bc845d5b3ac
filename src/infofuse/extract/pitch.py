"""Pitch of a voice, how periodic it is, and how much its cycles differ from one to the next.

The pitch tracker is the autocorrelation method of Boersma, "Accurate short-term analysis of the
fundamental frequency and the harmonics-to-noise ratio of a sampled sound", Proceedings of the
Institute of Phonetic Sciences 17, Amsterdam, 1993.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import fft

from infofuse.extract.sound import RATE
from infofuse.extract.spectrum import blocks

LOWEST, HIGHEST = 60.0, 500.0  # Hz
WINDOW = round(3 * RATE / LOWEST)  # three periods of the lowest pitch
_FFT = 2048
_CANDIDATES = 6
# Boersma's section 4 and, where Praat has since changed them, Praat's defaults.
_SILENT, _VOICED, _OCTAVE, _JUMP, _SWITCH, _STEP = 0.03, 0.45, 0.01, 0.35, 0.14, 0.01
_NEAR = 0.05  # seconds to either side of a step in which its cycles are compared

Numbers = Float[np.ndarray, "*n"] | float


@dataclass(frozen=True, eq=False)
class Pitch:
    """A step each. hz: 0 where there is no voice. strength: autocorrelation at the period."""

    hz: Float[np.ndarray, "steps"]
    strength: Float[np.ndarray, "steps"]


def pitch_of(wave: Float[np.ndarray, "samples"], hop: int) -> Pitch:
    """The pitch at the middle of every `hop` samples.

        r(τ) = r_a(τ) / r_w(τ),   R = r(τ) - 0.01 log2(60 Hz τ)

    r_a is the autocorrelation of the windowed frame, r_w that of the Hann window. Of up to six
    maxima R a frame, and of "no voice", a path is chosen that changes little (Viterbi).
    """
    peak = float(np.abs(wave).max(initial=0.0))
    found = [_candidates(frames, peak) for frames in blocks(wave, WINDOW, hop)]
    hz, strength, score = (np.concatenate(part) for part in zip(*found, strict=True))
    rows = np.arange(len(hz))
    path = _best_path(hz, score, hop / RATE)
    best = np.where(path == 0, strength[:, 1:].max(1), strength[rows, path])
    return Pitch(hz[rows, path], np.clip(best, 0.0, 1.0))


def _candidates(
    frames: Float[np.ndarray, "n window"], peak: float
) -> tuple[
    Float[np.ndarray, "n states"], Float[np.ndarray, "n states"], Float[np.ndarray, "n states"]
]:
    """Frequency, autocorrelation and score of "no voice" (first) and of the best maxima."""
    r = _autocorrelation(frames)
    left, middle, right = r[:, :-2], r[:, 1:-1], r[:, 2:]
    is_peak = (middle > left) & (middle >= right) & (middle > _VOICED / 2)
    lags = np.arange(1, r.shape[1] - 1)
    is_peak &= (lags >= RATE / HIGHEST) & (lags <= RATE / LOWEST)
    rank = np.where(is_peak, middle - _OCTAVE * np.log2(LOWEST * lags / RATE), -np.inf)
    best = np.argsort(-rank, axis=1, kind="stable")[:, :_CANDIDATES]
    a, b, c = (np.take_along_axis(part, best, 1) for part in (left, middle, right))
    lag, height = _parabola(a, b, c)
    there = np.isfinite(np.take_along_axis(rank, best, 1))
    period = np.where(there, best + 1 + lag, 1.0)
    score = np.where(there, height - _OCTAVE * np.log2(LOWEST * period / RATE), -np.inf)
    none = np.zeros((len(frames), 1))
    return (
        np.hstack([none, np.where(there, RATE / period, 1.0)]),
        np.hstack([none, np.where(there, height, 0.0)]),
        np.hstack([_unvoiced(frames, peak)[:, None], score]),
    )


def _unvoiced(frames: Float[np.ndarray, "n window"], peak: float) -> Float[np.ndarray, "n"]:
    """The score of "no voice": the higher, the more silent the frame is beside the clip's peak."""
    centred = frames - frames.mean(1, keepdims=True)
    loud = np.abs(centred).max(1) / max(peak, 1e-12)
    return _VOICED + np.maximum(0.0, 2 - loud * (1 + _VOICED) / _SILENT)


def _autocorrelation(frames: Float[np.ndarray, "n window"]) -> Float[np.ndarray, "n lags"]:
    """r(τ) for τ = 0, 1, … samples, up to a little more than the longest period."""
    window = np.hanning(WINDOW + 2)[1:-1]
    raw = _raw((frames - frames.mean(1, keepdims=True)) * window)
    return raw / np.maximum(raw[:, :1], 1e-12) / (_raw(window) / np.sum(window**2))


def _raw(frames: Float[np.ndarray, "*n window"]) -> Float[np.ndarray, "*n lags"]:
    power = np.abs(fft.rfft(frames, _FFT)) ** 2
    return fft.irfft(power, _FFT)[..., : round(RATE / LOWEST) + 3]


def _parabola(a: Numbers, b: Numbers, c: Numbers) -> tuple[Numbers, Numbers]:
    """Where the parabola through (-1, a), (0, b), (1, c) has its maximum, and how high it is."""
    curve = np.maximum(2 * b - a - c, 1e-12)
    shift = np.clip((c - a) / (2 * curve), -1.0, 1.0)
    return shift, b + (c - a) * shift / 4


def _best_path(
    hz: Float[np.ndarray, "n states"], score: Float[np.ndarray, "n states"], hop: float
) -> Int[np.ndarray, "n"]:
    """The states whose scores, less the costs of changes, add up to most (Viterbi)."""
    octaves, voiced = np.log2(np.maximum(hz, 1.0)), np.arange(hz.shape[1]) > 0
    switch = np.where(voiced[:, None] != voiced, _SWITCH, 0.0)
    both = voiced[:, None] & voiced
    total, came = score[0], np.zeros(hz.shape, int)
    for i in range(1, len(hz)):
        jump = np.abs(octaves[i - 1][:, None] - octaves[i]) * both * _JUMP
        reached = total[:, None] - (switch + jump) * (_STEP / hop)
        came[i] = reached.argmax(0)
        total = score[i] + reached.max(0)
    path = [int(total.argmax())]
    for i in range(len(hz) - 1, 0, -1):
        path.append(int(came[i, path[-1]]))
    return np.array(path[::-1])


def perturbation(
    wave: Float[np.ndarray, "samples"], hz: Float[np.ndarray, "steps"], hop: int
) -> tuple[Float[np.ndarray, "steps"], Float[np.ndarray, "steps"]]:
    """Jitter and shimmer about each voiced step, 0 elsewhere.

        jitter  = mean |T_i - T_(i-1)| / mean T_i
        shimmer = mean |A_i - A_(i-1)| / mean A_i

    over the cycles within 0.05 s: T_i is a cycle's period, by the cross-correlation of it with the
    next one, and A_i its height from the lowest to the highest sample.
    """
    runs = [_cycles(wave, hz, hop, first, last) for first, last in _runs(hz > 0)]
    ends = [np.zeros((1, 3)), *(run for run in runs if len(run) > 1)]
    cycles = np.vstack(ends)  # time, period, height; a first row, so that there is one
    new = np.cumsum([0, *(len(run) for run in ends)])[:-1]
    change = np.abs(np.diff(cycles[:, 1:], axis=0, prepend=cycles[:1, 1:]))
    change[new] = 0.0
    counts = np.ones(len(cycles))
    counts[new] = 0.0
    middle = (np.arange(len(hz)) + 0.5) * hop
    low, high = (np.searchsorted(cycles[1:, 0], middle + s * _NEAR * RATE) + 1 for s in (-1, 1))
    sums = np.vstack([np.zeros(5), np.cumsum(np.c_[change, cycles[:, 1:], counts], axis=0)])
    within = sums[high] - sums[low]
    mean = within[:, 2:4] / np.maximum(high - low, 1)[:, None]
    differ = within[:, :2] / np.maximum(within[:, 4:], 1.0)
    ratio = np.where((hz > 0)[:, None] & (mean > 0), differ / np.maximum(mean, 1e-9), 0.0)
    return ratio[:, 0], ratio[:, 1]


def _runs(voiced: np.ndarray) -> list[tuple[int, int]]:
    """First step of each voiced stretch, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.r_[False, voiced, False]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _cycles(
    wave: Float[np.ndarray, "samples"],
    hz: Float[np.ndarray, "steps"],
    hop: int,
    first: int,
    last: int,
) -> Float[np.ndarray, "cycles 3"]:
    """Time, period (both in samples) and height of the cycles of a voiced stretch.

    A cycle has its highest peak in its middle, so that what is compared is not cut there.
    """
    at, end = _peak(wave, first * hop, RATE / hz[first]), min(last * hop, len(wave))
    found: list[tuple[float, float, float]] = []
    while True:
        period = RATE / hz[min(at // hop, last - 1)]
        half, room = round(period / 2), round(0.2 * period) + 1
        if at < half or at + half + round(period) + room >= end:  # a cycle and the next must fit
            return np.array(found).reshape(-1, 3)
        cycle, begin = wave[at - half : at + half], round(period) - room
        match = _correlation(cycle, wave[at - half + begin : at + half + begin + 2 * room + 1])
        best = int(match[1:-1].argmax()) + 1
        shift, _ = _parabola(*(match[best - 1 : best + 2]))
        found.append((at, begin + best + float(shift), cycle.max() - cycle.min()))
        at += begin + best


def _peak(wave: Float[np.ndarray, "samples"], begin: int, period: float) -> int:
    """Where the highest peak of the first period is that has half of one before it."""
    begin = max(begin, round(period / 2) + 1)
    ahead = np.abs(wave[begin : begin + round(period)])
    return begin + (int(ahead.argmax()) if len(ahead) else 0)


def _correlation(
    cycle: Float[np.ndarray, "n"], ahead: Float[np.ndarray, "m"]
) -> Float[np.ndarray, "_"]:
    """Normalised cross-correlation of a cycle with every stretch ahead of its length."""
    energy = np.cumsum(np.r_[0.0, ahead**2])
    energy = energy[len(cycle) :] - energy[: -len(cycle)]
    return np.correlate(ahead, cycle) / np.sqrt(np.maximum(energy, 1e-12))
