"""Frames in which a modality's view shows for a moment, under noise."""

import numpy as np
from jaxtyping import Float, Int

from infofuse.types import Ragged

_BURST = 0.12  # sd of the expressive moment's course, as a share of the clip
_SMOOTH = 0.7  # AR(1) coefficient of the noise
_GRID = 1024  # features are multiples of 1 / _GRID


def frames(
    burst: Float[np.ndarray, "n width"],
    distraction: Float[np.ndarray, "n width"],
    always: Float[np.ndarray, "n width"],
    lengths: Int[np.ndarray, "n"],
    noise: float,
    rng: np.random.Generator,
) -> Ragged:
    """Sequences of `lengths` frames (each >= 1), AR(1) a process of variance 1:

        always_i + e_i(t) burst_i + e_i(1 - t) distraction_i + noise · AR(1).

    e_i is a Gaussian bump around a random moment in one half of the clip, of mean 1 over its
    frames: the mean over time is always + burst + distraction under noise.
    """
    clip = np.repeat(np.arange(len(lengths)), lengths)
    early, moment = rng.random(len(lengths)) < 0.5, rng.uniform(0.15, 0.35, len(lengths))
    moment = np.where(early, moment, 1 - moment)
    values = always[clip] + noise * _noise(lengths, burst.shape[1], rng)
    for when, what in [(moment, burst), (1 - moment, distraction)]:
        values += _course(lengths, clip, when)[:, None] * what[clip]
    values = (np.round(values * _GRID) / _GRID).astype(np.float32)
    return Ragged.laid(values, lengths)


def _course(
    lengths: Int[np.ndarray, "n"], clip: Int[np.ndarray, "steps"], moment: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "steps"]:
    """e_i(t) around these moments, as shares of the clip, in every frame, the clips end to end."""
    starts = np.cumsum(lengths) - lengths
    time = (np.arange(len(clip)) - starts[clip] + 0.5) / lengths[clip]
    bump = np.exp(-(((time - moment[clip]) / _BURST) ** 2) / 2)
    return bump / (np.add.reduceat(bump, starts) / lengths)[clip]


def _noise(
    lengths: Int[np.ndarray, "n"], width: int, rng: np.random.Generator
) -> Float[np.ndarray, "steps width"]:
    """A stationary AR(1) process of variance 1 in each feature of each clip, end to end."""
    noise = rng.standard_normal((int(lengths.sum()), width))
    starts = np.cumsum(lengths) - lengths
    for t in range(1, int(lengths.max())):
        now = starts[lengths > t] + t
        noise[now] = _SMOOTH * noise[now - 1] + np.sqrt(1 - _SMOOTH**2) * noise[now]
    return noise
