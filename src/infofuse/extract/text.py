"""The words of a clip, and what finds them."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from infofuse.extract.media import Media
from infofuse.types import Json


@dataclass(frozen=True)
class Word:
    """A word, and when it is said, in seconds, where that is known."""

    text: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Transcript:
    """What is said in a clip. source: "given", "subtitles", "recognised" or "aligned"."""

    text: str
    words: tuple[Word, ...] = ()
    source: str = "given"


@runtime_checkable
class TextSource(Protocol):
    """A frozen dataclass as an `Extractor` is one, in a module `infofuse.extract.text_NAME`."""

    name: ClassVar[str]

    def __call__(
        self, media: Media, text: str | None = None, transcript: Path | None = None
    ) -> Transcript | None:
        """The words of a clip; None, and a note in `media.notes` that says why, without any.

        text, transcript: what the user gives, as words or as a file of words or of subtitles.
        """
        ...

    def identity(self) -> Json:
        """All that decides the words, as `infofuse.extract.features.identity` writes it."""
        ...
