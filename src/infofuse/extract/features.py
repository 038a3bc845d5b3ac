"""What an extractor makes of a clip, and what one must be to stand in a recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32

from infofuse.extract.installed import installed
from infofuse.extract.media import Media
from infofuse.types import Json


@dataclass(frozen=True, eq=False)
class Features:
    """Steps of one clip in one modality. times: where each begins and ends, in seconds."""

    values: Float32[np.ndarray, "steps width"]
    times: Float[np.ndarray, "steps 2"]


def spans(begins: list[float], seconds: float) -> Float[np.ndarray, "frames 2"]:
    """When each frame begins and ends: when the next one does; the last is as long as the others.

    seconds: of the clip, for a frame that is alone.
    """
    if not begins:
        return np.zeros((0, 2))
    last = begins[-1] + (begins[-1] - begins[-2]) if len(begins) > 1 else seconds
    return np.array([begins, [*begins[1:], last]]).T


@runtime_checkable
class Extractor(Protocol):
    """A frozen dataclass whose fields, plain JSON values, are the options.

    It is the name `EXTRACTOR` of a module of its own, `infofuse.extract.MODALITY_NAME`, where
    MODALITY is "audio" or "vision" and NAME is its `name`: nothing else lists it. What it needs
    to load is loaded when it is first called, and not kept in the instance, which is sent to
    other processes.
    """

    name: ClassVar[str]

    def __call__(self, media: Media) -> Features | None:
        """The features of a clip; None, and a note in `media.notes` that says why, without any."""
        ...

    def identity(self) -> Json:
        """All that decides the numbers, as `identity` below writes it."""
        ...


def identity(stage: Any, packages: Sequence[str] = (), weights: Mapping[str, str] = {}) -> Json:
    """What makes the same numbers: name, options, versions of packages, SHA-256 of weight files.

    Raises InfofuseError if a package is not installed.
    """
    return {
        "name": stage.name,
        "options": asdict(stage),
        "versions": {package: installed(package) for package in packages},
        "weights": dict(weights),
    }
