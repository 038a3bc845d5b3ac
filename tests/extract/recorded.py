"""Media files made by PyAV, so that what is in them is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np

from infofuse.extract.features import Features, identity
from infofuse.extract.media import Media
from infofuse.types import Json

RATE = 16_000
CODECS = {".wav": "pcm_s16le", ".mp3": "mp3", ".flac": "flac", ".ogg": "libopus", ".avi": "mp3"}

MakeClip = Callable[..., Path]


def tone(hz: float, seconds: float, rate: int = RATE) -> np.ndarray:
    """A sine of amplitude a half."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def flat(level: int, height: int = 32, width: int = 48) -> np.ndarray:
    """A picture of one grey."""
    return np.full((height, width, 3), level, np.uint8)


def write_clip(
    path: Path,
    *,
    sound: np.ndarray | None = None,
    rate: int = RATE,
    begins: float = 0.0,
    pictures: Sequence[np.ndarray] = (),
    fps: float = 10.0,
    times: Sequence[float] | None = None,
    rotation: float | None = None,
    aspect: Fraction | None = None,
) -> None:
    """Write sound (n,) or (channels, n) and pictures; the ending says the container.

    begins: when the sound does. times: when each picture is shown, in place of fps. rotation:
    degrees by which a player turns the pictures, counterclockwise. aspect: of a pixel.
    """
    import av

    with av.open(str(path), "w") as out:
        video, audio = None, None
        if len(pictures):
            video = out.add_stream("mpeg4", rate=Fraction(fps).limit_denominator(1000))
            video.height, video.width = pictures[0].shape[:2]
            video.pix_fmt, video.bit_rate = "yuv420p", 4_000_000
            video.codec_context.time_base = Fraction(1, 1000)
            if rotation is not None:
                video.set_display_rotation(rotation)
            if aspect is not None:
                video.codec_context.sample_aspect_ratio = aspect
        if sound is not None:
            layout = "stereo" if sound.ndim == 2 else "mono"
            audio = out.add_stream(CODECS.get(path.suffix, "aac"), rate=rate, layout=layout)
        if video is not None:
            shown = [i / fps for i in range(len(pictures))] if times is None else times
            for time, picture in zip(shown, pictures, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
        if audio is not None:
            frame = av.AudioFrame.from_ndarray(
                np.atleast_2d(sound).astype("f4"), format="fltp", layout=layout
            )
            frame.rate, frame.pts = rate, round(begins * rate)
            frame.time_base = Fraction(1, rate)
            resampler = av.AudioResampler(audio.codec_context.format, layout, rate)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                out.mux(audio.encode(part))
            out.mux(audio.encode(None))


@dataclass(frozen=True)
class Brightness:
    """An extractor of one's own: the mean of each colour of each frame."""

    name: ClassVar[str] = "brightness"

    def __call__(self, media: Media) -> Features | None:
        frames = [(frame.time, frame.image.mean((0, 1))) for frame in media.frames]
        if not frames:
            return None
        begin = np.array([time for time, _ in frames])
        values = np.array([mean for _, mean in frames], np.float32)
        return Features(values, np.stack([begin, begin + 0.1], 1))

    def identity(self) -> Json:
        return identity(self, ("numpy",))
