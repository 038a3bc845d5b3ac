"""Words that are given with a clip, and found in its sound."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from infofuse.extract.features import identity
from infofuse.extract.media import Media
from infofuse.extract.text import Transcript
from infofuse.extract.transcripts import aligner, given
from infofuse.types import Json


@dataclass(frozen=True)
class TextGiven:
    """A transcript (a string or a .txt file) or subtitles (.srt, .vtt), given with each clip.

    language: of the words, as a code; "en" is the one that can be aligned.
    align: whether the words of a transcript get times by forced alignment.
    """

    language: str = "en"
    align: bool = True

    name: ClassVar[str] = "given"

    def identity(self) -> Json:
        return identity(self, aligner(self.language, self.align))

    def __call__(
        self, media: Media, text: str | None = None, transcript: Path | None = None
    ) -> Transcript | None:
        found = given(media, text, transcript, bool(aligner(self.language, self.align)))
        if found is None:
            media.notes.append("no words are given")
        return found


EXTRACTOR = TextGiven
