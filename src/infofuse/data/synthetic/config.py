"""The dials of the generated corpus, and settings of them by name."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from infofuse.config import assignment
from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError, unknown

T = TypeVar("T", int, float, str)

MODALITIES = ("text", "audio", "vision")
LABEL_END = 3.0


@dataclass(frozen=True)
class PerModality:
    """One number for each modality."""

    text: float = 0.0
    audio: float = 0.0
    vision: float = 0.0

    def __iter__(self) -> Iterator[float]:
        return iter((self.text, self.audio, self.vision))


_LEAST = {
    **dict.fromkeys(("train", "valid", "test", "audio_width", "vision_width"), 1),
    **dict.fromkeys(("redundant", "unique", "synergy", "label_noise"), 0),
    "noise": 1e-3,  # without any, views have infinite mutual information
    **dict.fromkeys(("private", "private_sd", "distraction"), 0),
    **dict.fromkeys(("frame_noise", "seconds_spread", "conflict", "missing"), 0),
    **dict.fromkeys(("seconds", "audio_rate", "vision_rate", "words_rate"), 1e-3),
    "words_min": 4,
}
"""The least value of each dial."""

_MOST = {
    **dict.fromkeys(("train", "valid", "test"), 10_000_000),
    **dict.fromkeys(("audio_width", "vision_width", "private", "words_max"), 100_000),
    **dict.fromkeys(("seconds", "audio_rate", "vision_rate", "words_rate"), 100_000),
}
"""The greatest value of each dial that costs memory."""


@dataclass(frozen=True)
class SyntheticConfig:
    """The dials. Imbalance between modalities is unequal `unique`, `noise` or `missing`.

    train, valid, test: clips.
    redundant, unique, synergy, label_noise: shares of the label score's variance, by where it is
        seen. Only their proportions count; they are scaled to sum to one.
    noise: sd τ of the noise in a modality's view, where the label score has an sd of 1.
    private, private_sd: channels of audio and of vision without label information, and their sd.
    distraction: sd of what the view's channels show at a moment that does not count.
    frame_noise: sd of each feature's noise from frame to frame.
    skew: what is added to the label score, in its sd: the share of positive labels is Φ(skew).
    conflict: the share of clips whose text contradicts the label.
    missing: the share of clips that lack a modality; none lacks all.
    seconds, seconds_spread: median duration of a clip, and the sd of its logarithm.
    audio_rate, vision_rate, words_rate: frames and words a second. words_min, words_max: the ends
        of a sentence's length.
    """

    name: str = "synthetic"
    train: int = 600
    valid: int = 100
    test: int = 200
    redundant: float = 0.3
    unique: PerModality = field(default_factory=lambda: PerModality(0.2, 0.2, 0.2))
    synergy: float = 0.0
    label_noise: float = 0.1
    noise: PerModality = field(default_factory=lambda: PerModality(0.3, 0.3, 0.3))
    private: int = 4
    private_sd: float = 0.5
    distraction: float = 0.3
    frame_noise: float = 1.0
    skew: float = 0.0
    conflict: float = 0.0
    missing: PerModality = field(default_factory=PerModality)
    seconds: float = 4.0
    seconds_spread: float = 0.35
    audio_width: int = 24
    audio_rate: float = 10.0
    vision_width: int = 32
    vision_rate: float = 6.0
    words_rate: float = 2.5
    words_min: int = 4
    words_max: int = 20

    def __post_init__(self) -> None:
        for dial, least in _LEAST.items():
            value = getattr(self, dial)
            each = list(value) if isinstance(value, PerModality) else [value]
            if not all(least <= v < math.inf for v in each):
                raise InfofuseError(
                    f"{dial} of a synthetic corpus is at least {least}; found {value}"
                )
        for dial, value in [("conflict", self.conflict), ("missing", max(self.missing))]:
            if value > 1:
                raise InfofuseError(f"{dial} is a share of the clips, at most 1; found {value}")
        for dial, most in _MOST.items():
            if getattr(self, dial) > most:
                raise InfofuseError(
                    f"{dial} of a synthetic corpus is at most {most:,}; found {getattr(self, dial)}"
                )
        if sum(self._parts) == 0 or not math.isfinite(self.skew):
            raise InfofuseError(
                f"the shares of the label are all 0, or its skew is not finite; found {self}"
            )
        if self.words_max < self.words_min:
            raise InfofuseError(
                f"words_max is at least words_min; found {self.words_max} and {self.words_min}"
            )

    @property
    def _parts(self) -> list[float]:
        return [self.redundant, *self.unique, self.synergy, self.label_noise]

    @property
    def shares(self) -> dict[str, float]:
        """The shares R, U_m, S and N of the label score's variance, summing to one."""
        names = ["redundant", *MODALITIES, "synergy", "noise"]
        return {n: part / sum(self._parts) for n, part in zip(names, self._parts, strict=True)}

    @property
    def spec(self) -> DataSpec:
        """What the corpus is, before any clip is made."""
        widths = {"audio": self.audio_width, "vision": self.vision_width}
        ends = (-LABEL_END, LABEL_END)
        return DataSpec(self.name, widths, text=True, label_range=ends, metrics="mosi")


PRESETS = {
    "demo": SyntheticConfig(
        name="demo",
        redundant=0.25,
        unique=PerModality(text=0.4, audio=0.17, vision=0.13),
        label_noise=0.05,
        noise=PerModality(text=0.2, audio=0.3, vision=0.3),
        distraction=0.0,
        frame_noise=0.5,
        seconds_spread=0.2,
        audio_rate=7.5,
        vision_rate=5.5,
        words_min=6,
        words_max=14,
    ),
    "redundant": SyntheticConfig(
        name="redundant", redundant=0.85, unique=PerModality(), label_noise=0.15
    ),
    "unique": SyntheticConfig(name="unique", redundant=0.0, unique=PerModality(0.3, 0.3, 0.3)),
    "synergy": SyntheticConfig(
        name="synergy",
        redundant=0.15,
        unique=PerModality(0.1, 0.0, 0.0),
        synergy=0.65,
        noise=PerModality(0.2, 0.2, 0.2),
        distraction=0.0,
    ),
    "conflict": SyntheticConfig(name="conflict", conflict=0.25),
}
"""Corpora by what they show: what fusion is for, one kind of information, or a text that lies."""


def preset(name: str, overrides: Iterable[str] = ()) -> SyntheticConfig:
    """The config of that name, with dials changed: "synergy=0.3", "noise.audio=1", "noise=1".

    Raises InfofuseError for an unknown preset or dial, with the nearest name, and for a value
    that a dial does not take.
    """
    if name not in PRESETS:
        raise unknown("synthetic corpus", name, PRESETS)
    config = PRESETS[name]
    for override in overrides:
        config = _turned(config, override)
    return config


def _turned(config: SyntheticConfig, override: str) -> SyntheticConfig:
    dial, value = assignment(override, "noise=2.0")
    name, _, modality = dial.partition(".")
    known = [f.name for f in fields(config)]
    if name not in known:
        raise unknown("dial of a synthetic corpus", name, known)
    old = getattr(config, name)
    new: Any
    if isinstance(old, PerModality):
        if modality and modality not in MODALITIES:
            raise unknown("modality", modality, MODALITIES)
        number = _read(override, value, float)
        new = replace(old, **dict.fromkeys([modality] if modality else MODALITIES, number))
    elif modality:
        raise InfofuseError(f"{override!r}: {name} is one dial for all modalities, so {name}=…")
    else:
        new = _read(override, value, type(old))
    return replace(config, **{name: new})


def _read(override: str, value: str, kind: type[T]) -> T:
    try:
        return kind(value.strip())
    except ValueError:
        wanted = {int: "a whole number", float: "a number"}[kind]
        raise InfofuseError(f"{override!r}: this dial takes {wanted}") from None
