"""Faces of one picture: MediaPipe's face landmarker, and the columns that are made of a face.

The landmarker looks at each picture by itself (its image mode), so a frame's numbers depend on
that frame alone.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8

from infofuse.errors import InfofuseError

BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft",
    "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft",
    "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
    "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""Activations from 0 to 1; left and right are the person's own."""

POSE = ("pitch", "yaw", "roll")
"""Turns of the head in radians: down, to its left, and tilted to its right shoulder."""

# Pairs of points of MediaPipe's face mesh whose distance is measured.
_GAPS = {
    "mouthOpening": (13, 14),  # the middle of the inner lips
    "mouthWidth": (61, 291),  # the corners of the mouth
    "eyeOpeningLeft": (386, 374),
    "eyeOpeningRight": (159, 145),
}
_EYES = (33, 263)  # the outer corners of the eyes

COLUMNS = (*BLENDSHAPES, *POSE, *_GAPS)
OPENING = COLUMNS.index("mouthOpening")


@dataclass(frozen=True, eq=False)
class Face:
    """One face of one picture.

    box: left, top, right, bottom, as shares of the picture. row: `COLUMNS`, where the openings are
    distances in units of the distance between the outer corners of the eyes.
    """

    box: Float[np.ndarray, "4"]
    row: Float32[np.ndarray, "width"]

    @property
    def area(self) -> float:
        """The share of the picture that the box covers."""
        left, top, right, bottom = self.box
        return float((right - left) * (bottom - top))


class Landmarker:
    """MediaPipe's face landmarker with weights from a .task file; use it in a `with` block.

    faces: the most that are looked for in a picture.

    Raises InfofuseError without mediapipe, or if the file is no such task.
    """

    def __init__(self, task: Path, faces: int):
        self._mediapipe, vision = _mediapipe()
        from mediapipe.tasks.python import BaseOptions

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(task)),
            num_faces=faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        with _without_greetings():
            try:
                self._task = vision.FaceLandmarker.create_from_options(options)
            except (RuntimeError, ValueError, OSError) as error:
                raise InfofuseError(
                    f"{task} is no face landmarker ({error}); a face_landmarker.task of MediaPipe "
                    f"was expected"
                ) from None
            self(np.zeros((8, 8, 3), np.uint8))  # its threads greet until they have seen a picture

    def __enter__(self) -> "Landmarker":
        return self

    def __exit__(self, *error: object) -> None:
        self._task.close()

    def __call__(self, image: UInt8[np.ndarray, "height width 3"]) -> list[Face]:
        """The faces of a picture, in the landmarker's order."""
        picture = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        found = self._task.detect(picture)
        height, width, _ = image.shape
        parts = zip(
            found.face_landmarks,
            found.face_blendshapes,
            found.facial_transformation_matrixes,
            strict=True,
        )
        return [_face(points, shapes, pose, width, height) for points, shapes, pose in parts]


def _face(points: Any, shapes: Any, pose: np.ndarray, width: int, height: int) -> Face:
    shares = np.array([(p.x, p.y, p.z) for p in points])
    activations = [shape.score for shape in shapes]
    row = [*activations, *turns(pose), *gaps(shares * (width, height, width))]
    low, high = shares[:, :2].min(0), shares[:, :2].max(0)
    return Face(np.concatenate([low, high]), np.array(row, np.float32))


def turns(pose: Float[np.ndarray, "4 4"]) -> tuple[float, float, float]:
    """Pitch, yaw and roll of R = Rz(roll) Ry(yaw) Rx(pitch), the rotation within a head's pose."""
    r = pose[:3, :3] / np.linalg.norm(pose[:3, :3], axis=0)
    pitch, roll = np.arctan2(r[2, 1], r[2, 2]), np.arctan2(r[1, 0], r[0, 0])
    return float(pitch), float(np.arcsin(np.clip(-r[2, 0], -1, 1))), float(roll)


def gaps(points: Float[np.ndarray, "points 3"]) -> list[float]:
    """The distances of `_GAPS`, |a - b| / |outer eye corners|, in pixels of three dimensions."""
    unit = _distance(points, *_EYES)
    return [_distance(points, a, b) / max(unit, 1e-6) for a, b in _GAPS.values()]


def _distance(points: np.ndarray, a: int, b: int) -> float:
    return float(np.linalg.norm(points[a] - points[b]))


def _mediapipe() -> tuple[Any, Any]:
    try:
        import mediapipe
        from mediapipe.tasks.python import vision
    except ImportError as error:
        raise InfofuseError(
            f"faces are found by mediapipe, which is not installed or lacks a library of the "
            f"system ({error}): pip install 'infofuse[extract]'"
        ) from None
    return mediapipe, vision


@contextlib.contextmanager
def _without_greetings() -> Iterator[None]:
    """Keeps what MediaPipe's C++ says at its start, whatever one sets, out of standard error."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
