"""A prediction for each of a clip's sliding windows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from infofuse.errors import InfofuseError
from infofuse.predict.prediction import Prediction
from infofuse.predict.predictor import Predictor
from infofuse.types import Clips, Json, Sample

if TYPE_CHECKING:
    from infofuse.extract.clip import Extracted
    from infofuse.extract.text import Word

WINDOW, HOP = 5.0, 2.5
"""Seconds: about as long as the utterances that the field labels, and half of that."""

LEAST_HOP = 0.1
"""Seconds: closer windows hold the same steps."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Moment:
    """A window of a clip, in seconds from its beginning, and what the model says of it."""

    start: float
    end: float
    prediction: Prediction

    def to_json(self) -> Json:
        """The fields as JSON has them."""
        return asdict(self)


def timeline(
    predictor: Predictor,
    extracted: "Extracted",
    only: Sequence[str] | None = None,
    window: float = WINDOW,
    hop: float = HOP,
) -> tuple[Moment, ...]:
    """A moment for each window; none for a clip that is no longer than one.

    A step of features and a word belong to the windows in which their middle lies. A word without
    times belongs to none. The features are those of the whole clip, cut: at a window's edges they
    have seen a little of what lies beyond.

    Raises InfofuseError for a window of no length, and for a hop that is not.
    """
    check_windows(window, hop)
    spans = windows(extracted.seconds, window, hop)
    if not spans:
        return ()
    samples = [cut(extracted, start, end) for start, end in spans]
    clips = Clips.of(samples, predictor.spec.features, predictor.spec.outputs)
    found = predictor(clips, only)
    return tuple(Moment(*span, one) for span, one in zip(spans, found, strict=True))


def check_windows(window: float = WINDOW, hop: float = HOP) -> None:
    """Raises InfofuseError for a window of no length, and for a hop that is not."""
    if not (window > 0 and hop >= LEAST_HOP):
        raise InfofuseError(
            f"a window has a length and a hop is at least {LEAST_HOP} s; found {window:g} s and "
            f"{hop:g} s"
        )


def windows(seconds: float, window: float, hop: float) -> list[tuple[float, float]]:
    """From 0 on, `hop` apart, all of one length; the last ends where the clip does."""
    last = seconds - window
    if last <= 0:
        return []
    hops = np.arange(0.0, last, hop)
    starts = [*hops[hops < last - _ROUNDING].tolist(), last]
    return [(start, start + window) for start in starts]


def cut(extracted: "Extracted", start: float, end: float) -> Sample:
    """What of a clip lies in [start, end)."""
    sample = extracted.sample
    inside = {m: _inside(times, start, end) for m, times in extracted.times.items()}
    return Sample(
        id=f"{sample.id}[{start:g}-{end:g}]",
        features={m: values[inside[m]] for m, values in sample.features.items()},
        text=" ".join(word.text.strip() for word in extracted.words if _holds(start, end, word)),
        group=sample.group,
    )


def _inside(
    times: Float[np.ndarray, "steps 2"], start: float, end: float
) -> Bool[np.ndarray, "steps"]:
    middles = times.mean(1)
    return (start <= middles) & (middles < end)


def _holds(start: float, end: float, word: "Word") -> bool:
    if word.start is None or word.end is None:
        return False
    return start <= (word.start + word.end) / 2 < end
