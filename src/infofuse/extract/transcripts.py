"""Words that the user gives: as a string, as a text, or as subtitles; with times if they can be."""

from pathlib import Path

from infofuse.errors import InfofuseError
from infofuse.extract.forced_alignment import align
from infofuse.extract.media import Media
from infofuse.extract.subtitles import read_subtitles, split_words
from infofuse.extract.text import Transcript, Word

SUBTITLES = (".srt", ".vtt")
_MOST = 2**23  # bytes


def given(
    media: Media, text: str | None, transcript: Path | None, aligned: bool
) -> Transcript | None:
    """What the user says is said; None if the user says nothing.

    aligned: whether words that come without times are looked for in the sound.

    Raises InfofuseError if both a text and a file are given, and for a file that is no transcript.
    """
    if text is not None and transcript is not None:
        raise InfofuseError("words and a file of words are given; give one of them")
    if transcript is not None:
        text = read_transcript(transcript)
        if transcript.suffix.lower() in SUBTITLES:
            words = read_subtitles(transcript, text)
            return Transcript(" ".join(word.text for word in words), words, "subtitles")
    if text is None:
        return None
    text = " ".join(text.split())
    return (aligned and _aligned(media, text)) or Transcript(text, _plain(text), "given")


def aligner(language: str, align: bool) -> list[str]:
    """The package that aligns words of this language; none where they are not aligned."""
    return ["pocketsphinx"] if align and language == "en" else []


def _plain(text: str) -> tuple[Word, ...]:
    return tuple(Word(word) for word in split_words(text))


def _aligned(media: Media, text: str) -> Transcript | None:
    """The words with times, None, and a note, if they are not found in the sound."""
    if not len(media.waveform) or not text:
        return None
    words = align(split_words(text), media.waveform)
    if words is None:
        media.notes.append("the words have no times: they were not found in the sound")
        return None
    return Transcript(text, words, "aligned")


def read_transcript(path: Path) -> str:
    """The content of a text file. Raises InfofuseError if it is missing, too large or no text."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= _MOST else b""
    except OSError as error:
        raise InfofuseError(f"{path} cannot be read: {error.strerror}") from None
    if size > _MOST:
        raise InfofuseError(f"{path} has {size:,} bytes, and up to {_MOST:,} are read")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        decoded = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise InfofuseError(f"{path} is no text in UTF-8; save it as that") from None
    if "\0" in decoded:
        raise InfofuseError(f"{path} is no text; a .txt, .srt or .vtt file was expected")
    return decoded.replace("\r\n", "\n").replace("\r", "\n")
