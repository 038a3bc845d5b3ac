"""The sound of a clip: packets in, one waveform out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from infofuse.errors import InfofuseError

RATE = 16_000
"""Samples a second of every waveform here."""
_JUMP = 0.1  # seconds by which time stamps may be off before silence is put in
_SILENCE = 1e-4
_MOST_CHANNELS = 8  # that are kept apart until it is known whether they cancel
_CANCELS = 0.1  # of the power; two channels of equal power are then correlated below -0.9


class Sound:
    """Collects decoded sound by its time stamps, resampled, as the mean of its channels.

    Channels that cancel each other, as those of a microphone that was wired wrongly, have a mean of
    next to nothing: the loudest of them is then read instead.
    """

    def __init__(self, limit: float):
        self.limit, self.end, self.samples = limit, 0.0, 0
        self.packets = self.damaged = 0
        self.chunks: list[np.ndarray] = []
        self.resampler: Any = None
        self.shape: tuple[Any, ...] = ()

    def add(self, packet: Any, origin: float) -> None:
        """Decode a packet. One that cannot be decoded is counted and left out."""
        import av

        self.packets += 1
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            self._place(frame, self.end if frame.pts is None else frame.time - origin)

    def _place(self, frame: Any, time: float) -> None:
        if time > self.end + _JUMP:
            self._silence(time)
        self.end += frame.samples / frame.sample_rate
        if self.samples < self.limit * RATE:
            self._resample(frame)

    def _silence(self, until: float) -> None:
        """What no packet tells of is silent: what comes after keeps its time."""
        self._flush()
        count = round(min(until, self.limit) * RATE) - self.samples
        self._keep(np.zeros((1, max(0, count)), np.float32))
        self.end = until

    def _resample(self, frame: Any) -> None:
        from av.audio.resampler import AudioResampler

        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self.shape:  # some files change it midway
            self._flush()
            self.resampler, self.shape = AudioResampler("fltp", frame.layout, RATE), shape
        frame.pts = None  # its place is known, and the resampler must not have its own ideas
        self._take(self.resampler.resample(frame))

    def _flush(self) -> None:
        if self.resampler is not None:
            self._take(self.resampler.resample(None))
        self.resampler, self.shape = None, ()

    def _take(self, frames: list[Any]) -> None:
        for frame in frames:
            self._keep(frame.to_ndarray())

    def _keep(self, chunk: Float32[np.ndarray, "channels _"]) -> None:
        if len(chunk) > _MOST_CHANNELS:
            chunk = chunk.mean(0, keepdims=True)
        self.chunks.append(chunk)
        self.samples += chunk.shape[1]

    def finish(self) -> None:
        """Take what the resampler still holds."""
        self._flush()

    def check(self, path: Path) -> None:
        """Raises InfofuseError if more than a tenth of the packets could not be decoded."""
        if self.damaged > self.packets / 10:
            raise InfofuseError(
                f"{path} is damaged: {self.damaged} of {self.packets} packets of sound cannot be "
                f"decoded"
            )

    def waveform(self, notes: list[str]) -> Float32[np.ndarray, "samples"]:
        """The whole; nothing if it is silent. What is noticed is noted."""
        wave = np.concatenate([np.zeros(0, np.float32), *self._mixed(notes)])
        wave = wave[: round(self.limit * RATE)]
        if self.damaged:
            notes.append(f"{self.damaged} damaged packets of sound left out")
        if not np.isfinite(wave).all():
            notes.append("samples that are no numbers count as silence")
            wave = np.nan_to_num(wave, nan=0.0, posinf=0.0, neginf=0.0)
        if len(wave) and np.abs(wave).max() < _SILENCE:
            notes.append("the sound is silent, which counts as none")
            return wave[:0]
        return wave

    def _mixed(self, notes: list[str]) -> list[Float32[np.ndarray, "_"]]:
        """The chunks, each as one channel."""
        loudest = {}
        for count in {len(chunk) for chunk in self.chunks} - {1}:
            found = _loudest_if_cancelling([c for c in self.chunks if len(c) == count])
            if found is not None:
                loudest[count] = found
                cancel = f"the {count} channels of the sound cancel each other"
                notes.append(f"{cancel}: channel {found + 1} is read")
        return [c[loudest[len(c)]] if len(c) in loudest else c.mean(0) for c in self.chunks]


def _loudest_if_cancelling(chunks: Sequence[Float32[np.ndarray, "channels _"]]) -> int | None:
    """The loudest channel if the mean of all has far less power than that of unlike channels."""
    power = np.zeros(len(chunks[0]))
    of_mean = 0.0
    for chunk in chunks:
        plain = np.nan_to_num(chunk.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        power += (plain**2).sum(1)
        of_mean += float((plain.mean(0) ** 2).sum())
    unlike = power.sum() / len(power) ** 2
    return int(power.argmax()) if of_mean < _CANCELS * unlike else None
