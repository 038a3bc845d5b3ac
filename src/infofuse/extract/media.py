"""Decoding: sound as one waveform, pictures one at a time, both from the clip's beginning.

Time is the clip's own: a sound that begins late is preceded by silence, and a frame is what the
clip shows at a moment, whatever its frame rate and however that varies. What a file can ask for is
bounded by `Limits`, and a file can name no other file to read.
"""

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from infofuse.errors import InfofuseError, not_yours
from infofuse.extract.installed import installed
from infofuse.extract.sound import Sound

# Containers that hold one clip. FFmpeg also "plays" text, still pictures and lists of other files.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,wav,w64,mp3,flac,ogg,aac,aiff,au,caf,amr,ac3,"
    "mpegts,mpeg,flv,asf,mxf"
)
_DECLARING = ("mov", "matroska", "flac", "flv", "asf")
_EPSILON = 1e-6
# Whoever writes a .wav to a pipe does not know its length, and writes a great one: 0x7FFFF024
# (SoX), 0x80000024 (arecord), 0xFFFFFFFF (FFmpeg) and the like.
_UNKNOWN = 0x7FFF0000
_MOST_TRACKS = 8


@dataclass(frozen=True)
class Limits:
    """What a file may ask for. Beyond `seconds` it is cut, with a note; beyond others, refused.

    pixels: of a frame as it is stored. side: a frame is scaled down until no side is longer.
    """

    bytes: int = 2**32
    seconds: float = 600.0
    packets: int = 10**6
    pixels: int = 2**24
    side: int = 1280


@dataclass(frozen=True, eq=False)
class Frame:
    """What a clip shows at a time, in seconds: RGB, upright, pixels square."""

    time: float
    image: UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, eq=False)
class Media:
    """A decoded clip.

    waveform: mono, 16,000 samples a second from the clip's beginning; none where there is no sound
    or only silence. frames: decoded anew whenever they are gone through; none without a video
    stream. notes: what was noticed, here and by the extractors.
    """

    name: str
    seconds: float
    waveform: Float32[np.ndarray, "samples"]
    frames: Iterable[Frame]
    notes: list[str]


def open_media(path: Path | str, limits: Limits | None = None, *, fps: float) -> Media:
    """Read a media file: all of its sound now, its frames when they are asked for.

    fps: the frames are those shown at 0, 1 / fps, 2 / fps, … seconds.

    Raises InfofuseError for what is no media file, is damaged or cut short, or is too large.
    Frames that cannot be decoded raise it when they are come upon.
    """
    installed("av")
    path, limits = Path(path), limits or Limits()
    _check_file(path, limits)
    scan = _scan(path, limits)
    notes = scan.notes()
    waveform = scan.waveform(notes)
    frames = _Frames(path, limits, fps, scan.origin, scan.end) if scan.times else ()
    return Media(path.stem, min(scan.seconds, limits.seconds), waveform, frames, notes)


@dataclass(eq=False)
class _Scan:
    """What going once through the packets tells: the sound, and when frames are shown."""

    limit: float
    sounds: dict[int, Sound] = field(default_factory=dict)  # by the index of the stream
    origin: float = 0.0
    streams: tuple[str, ...] = ()
    times: list[float] = field(default_factory=list)
    end: float = 0.0

    def frame(self, time: float, duration: float) -> None:
        if time < self.limit:
            self.times.append(time)
        self.end = max(self.end, time + duration)

    @property
    def seconds(self) -> float:
        return max([self.end, *(sound.end for sound in self.sounds.values())])

    def waveform(self, notes: list[str]) -> Float32[np.ndarray, "samples"]:
        """The sound of the first track that has content, and notes on it and on the others."""
        tracks = len(self.sounds)
        wave, said = np.zeros(0, np.float32), list[str]()
        for number, sound in enumerate(self.sounds.values(), 1):
            noticed: list[str] = []
            wave = sound.waveform(noticed)
            said = said if number > 1 and not len(wave) else noticed
            if len(wave):
                break
        if tracks > 1 and len(wave):
            said = [f"{tracks} audio tracks: the first with sound, track {number}, is read", *said]
        notes += said
        return wave

    def notes(self) -> list[str]:
        lacking = [kind for kind in ("audio", "video") if kind not in self.streams]
        notes = [f"no {kind} stream" for kind in lacking]
        if "video" in self.streams and not self.times:
            notes.append("the video stream has no frames")
        if self._varies():
            notes.append("variable frame rate")
        if self.seconds > self.limit + _EPSILON:
            notes.append(f"cut at {self.limit:g} s of {self.seconds:.0f} s")
        return notes

    def _varies(self) -> bool:
        steps = [b - a for a, b in pairwise(sorted(self.times))]
        return bool(steps) and max(steps) > 1.5 * float(np.median(steps)) + _EPSILON


def _check_file(path: Path, limits: Limits) -> None:
    if not path.exists():
        raise InfofuseError(f"there is no file {path}")
    if not path.is_file():
        raise InfofuseError(f"{path} is no file; name a media file")
    if not os.access(path, os.R_OK):
        raise not_yours(path)
    size = path.stat().st_size
    if size == 0:
        raise InfofuseError(f"{path} is empty")
    if size > limits.bytes:
        raise InfofuseError(f"{path} has {size:,} bytes, and up to {limits.bytes:,} are read")
    if size < 0.9 * _riff_bytes(path):
        raise InfofuseError(f"{path} is cut short: it has {size:,} bytes, and says it has more")


def _riff_bytes(path: Path) -> int:
    """How long a .wav or .avi says that it is; FFmpeg believes the file's length instead."""
    with path.open("rb") as file:
        head = file.read(8)
    declared = int.from_bytes(head[4:8], "little") if head[:4] == b"RIFF" else 0
    return 0 if declared >= _UNKNOWN else declared


def _scan(path: Path, limits: Limits) -> _Scan:
    """Go through the packets of a file once. Raises InfofuseError if it is no good."""
    import av

    with _open(path) as container:
        chosen = _streams(container)
        if not chosen:
            raise InfofuseError(f"{path} holds neither sound nor pictures")
        scan = _Scan(limits.seconds, origin=(container.start_time or 0) / 1e6)
        scan.streams = tuple(dict.fromkeys(stream.type for stream in chosen))
        sounding = [stream.index for stream in chosen if stream.type == "audio"]
        scan.sounds = {index: Sound(limits.seconds) for index in sounding}
        try:
            for packet in _packets(container, chosen, limits):
                _take(packet, scan)
            for sound in scan.sounds.values():
                sound.finish()
        except av.FFmpegError as error:
            raise InfofuseError(f"{path} is damaged: {_reason(error)}") from None
        _check_whole(path, container, scan)
        return scan


def _take(packet: Any, scan: _Scan) -> None:
    if packet.stream.type == "audio":
        scan.sounds[packet.stream.index].add(packet, scan.origin)
    elif packet.pts is not None:
        time = float(packet.pts * packet.time_base) - scan.origin
        scan.frame(time, float((packet.duration or 0) * packet.time_base))


def _check_whole(path: Path, container: Any, scan: _Scan) -> None:
    """Raises InfofuseError if there is less than the header says, or little can be decoded."""
    for sound in scan.sounds.values():
        sound.check(path)
    declares = container.format.name.startswith(_DECLARING) and container.duration
    declared = (container.duration or 0) / 1e6 if declares else 0.0
    if scan.seconds < 0.9 * declared - 0.25:
        raise InfofuseError(
            f"{path} is cut short: it says it has {declared:.1f} s, and {scan.seconds:.1f} s are "
            f"there; copy or record it again"
        )


def _open(path: Path) -> Any:
    """An FFmpeg container of this very file: no playlist, no address, no other protocol."""
    import av

    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        return av.open(f"file:{path.absolute()}", options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError, UnicodeError) as error:
        raise InfofuseError(
            f"{path} cannot be read as sound or video ({_reason(error)}); a whole file such as "
            f".mp4, .mov, .mkv, .webm, .avi, .wav, .mp3, .flac or .ogg was expected"
        ) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _streams(container: Any) -> list[Any]:
    """The audio streams and the first video stream that can be decoded; no cover pictures."""
    chosen: dict[str, list[Any]] = {"audio": [], "video": []}
    most = {"audio": _MOST_TRACKS, "video": 1}
    for stream in container.streams:
        decodes = getattr(stream, "codec_context", None) is not None
        picture = decodes and "attached_pic" in str(stream.disposition)
        if decodes and not picture and len(chosen.get(stream.type, ())) < most.get(stream.type, 0):
            chosen[stream.type].append(stream)
    return [*chosen["audio"], *chosen["video"]]


def _packets(container: Any, streams: Iterable[Any], limits: Limits) -> Iterator[Any]:
    for i, packet in enumerate(container.demux(*streams)):
        if i >= limits.packets:
            raise InfofuseError(f"{container.name}: more than {limits.packets:,} packets")
        yield packet


@dataclass(frozen=True, eq=False)
class _Frames:
    """The frames shown at 0, 1 / fps, 2 / fps, … seconds, from the first one to `end`."""

    path: Path
    limits: Limits
    fps: float
    origin: float
    end: float

    def __iter__(self) -> Iterator[Frame]:
        slots = self._slot(min(self.end, self.limits.seconds))
        shown, slot = None, 0
        for time, image in self._shown():
            begin = min(self._slot(time), slots)
            if shown is not None:
                yield from (Frame(i / self.fps, shown.upright) for i in range(slot, begin))
            shown, slot = image, max(slot, begin)
            if begin == slots:
                return
        if shown is not None:
            yield from (Frame(i / self.fps, shown.upright) for i in range(slot, slots))

    def _slot(self, time: float) -> int:
        """The first one at or after a time."""
        return max(0, math.ceil((time - _EPSILON) * self.fps))

    def _shown(self) -> Iterator[tuple[float, "_Lazy"]]:
        """Every frame and when it begins to be shown. Raises InfofuseError if many are damaged."""
        import av

        with _open(self.path) as container:
            stream = _streams(container)[-1]  # video, for there are frames
            stream.codec_context.thread_count = 1  # clips, not frames, are what goes in parallel
            aspect = float(stream.sample_aspect_ratio or 1)
            packets = damaged = 0
            for packet in _packets(container, [stream], self.limits):
                packets += 1
                try:
                    for frame in packet.decode():
                        if frame.pts is not None:
                            image = _Lazy(frame, aspect, self.path, self.limits)
                            yield frame.time - self.origin, image
                except av.FFmpegError:
                    damaged += 1
            if damaged > packets / 10:
                raise InfofuseError(
                    f"{self.path} is damaged: {damaged} of {packets} frames cannot be decoded"
                )


class _Lazy:
    """A frame that is turned into an image when it is first looked at."""

    def __init__(self, frame: Any, aspect: float, path: Path, limits: Limits):
        self.frame, self.aspect, self.path, self.limits = frame, aspect, path, limits
        self.image: UInt8[np.ndarray, "height width 3"] | None = None

    @property
    def upright(self) -> UInt8[np.ndarray, "height width 3"]:
        if self.image is None:
            width, height = self._size()
            image = self.frame.to_ndarray(format="rgb24", width=width, height=height)
            turns = round(self.frame.rotation / 90)
            self.image = np.ascontiguousarray(np.rot90(image, turns))
        return self.image

    def _size(self) -> tuple[int, int]:
        """Width and height with square pixels and no side too long. Raises if it is too large."""
        width, height = self.frame.width, self.frame.height
        if width * height > self.limits.pixels:
            raise InfofuseError(
                f"{self.path} has frames of {width} x {height} pixels, and up to "
                f"{self.limits.pixels:,} pixels are read"
            )
        wide = width * (self.aspect or 1.0)  # pixels that are not square, as on a DVD
        scale = min(1.0, self.limits.side / max(wide, height))
        return max(1, round(wide * scale)), max(1, round(height * scale))
