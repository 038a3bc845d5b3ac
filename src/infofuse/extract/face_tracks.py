"""Which face is whose from frame to frame, and which of them speaks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Float32

from infofuse.extract.face_landmarks import OPENING, Face
from infofuse.extract.sound import RATE

OVERLAP = 0.3  # of two boxes, below which they are two faces
PATIENCE = 0.5  # seconds that a face may be out of sight and still be the same
MOVES = 0.01  # of an opening, below which a mouth may be still and its points tremble
_FLOOR = 1e-4  # of the loudest interval's energy


@dataclass(eq=False)
class Track:
    """One face over time. frames: the frames that show it. faces: how it looks in each."""

    frames: list[int] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)

    @property
    def openings(self) -> Float[np.ndarray, "frames"]:
        """How far the mouth is open in each frame."""
        return np.array([face.row[OPENING] for face in self.faces], float)

    @property
    def area(self) -> float:
        """The mean share of the picture that it covers."""
        return float(np.mean([face.area for face in self.faces]))


def follow(frames: Sequence[Sequence[Face]], times: Float[np.ndarray, "frames"]) -> list[Track]:
    """The faces of each frame, joined over time.

    A face belongs to the track whose last box it overlaps most, if intersection over union is at
    least `OVERLAP` and the track was seen in the frame before or within `PATIENCE` seconds; else it
    begins a track.
    """
    tracks: list[Track] = []
    for i, faces in enumerate(frames):
        since = min(i - 1, int(np.searchsorted(times, times[i] - PATIENCE)))
        recent = [track for track in tracks if track.frames[-1] >= since]
        for face, track in _matched(faces, recent):
            if track is None:
                tracks.append(track := Track())
            track.frames.append(i)
            track.faces.append(face)
    return tracks


def _matched(faces: Sequence[Face], tracks: Sequence[Track]) -> list[tuple[Face, Track | None]]:
    """Each face with its track or none, the greatest overlap first."""
    pairs = [
        (overlap(face.box, track.faces[-1].box), f, t)
        for f, face in enumerate(faces)
        for t, track in enumerate(tracks)
    ]
    owner: dict[int, int] = {}
    for shared, f, t in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if shared >= OVERLAP and f not in owner and t not in owner.values():
            owner[f] = t
    return [(face, tracks[owner[f]] if f in owner else None) for f, face in enumerate(faces)]


def overlap(a: Float[np.ndarray, "4"], b: Float[np.ndarray, "4"]) -> float:
    """Intersection over union of two boxes, from 0 to 1."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    both = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - shared
    return shared / both if both > 0 else 0.0


def speaking(track: Track, loudness: Float[np.ndarray, "frames"]) -> float:
    """How much a mouth moves, and that with the voice: (1 + r) s.

    s is the standard deviation of its opening, r the correlation of that with the loudness: who
    speaks moves the mouth, and opens it most while it is loud; who eats does so while it is not.
    0 where s is below `MOVES`, and without a voice.
    """
    opening, voice = track.openings, loudness[track.frames]
    if opening.std() < MOVES or not voice.any():
        return 0.0
    return (1 + _correlation(opening, voice)) * float(opening.std())


def _correlation(x: Float[np.ndarray, "frames"], y: Float[np.ndarray, "frames"]) -> float:
    constant = x.std() < 1e-9 or y.std() < 1e-9
    return 0.0 if constant else float(np.corrcoef(x, y)[0, 1])


def choose(tracks: Sequence[Track], loudness: Float[np.ndarray, "frames"]) -> dict[int, Face]:
    """By frame, the face that counts: the one that speaks most, else the largest."""
    ranked = sorted(tracks, key=lambda t: (speaking(t, loudness), t.area))
    return {i: face for track in ranked for i, face in zip(track.frames, track.faces, strict=True)}


def loudness_of(
    waveform: Float32[np.ndarray, "samples"], times: Float[np.ndarray, "frames 2"]
) -> Float[np.ndarray, "frames"]:
    """The level of each interval, from 0 for silence, 40 dB below the loudest, to 1 for that."""
    power = np.cumsum(np.concatenate([[0.0], np.square(waveform, dtype=float)]))
    begin, end = np.clip(np.rint(times * RATE).astype(int), 0, len(waveform)).T
    energy = (power[end] - power[begin]) / np.maximum(end - begin, 1)
    peak = energy.max(initial=0.0)
    return 1 - np.log(np.maximum(energy / peak, _FLOOR)) / math.log(_FLOOR) if peak > 0 else energy
