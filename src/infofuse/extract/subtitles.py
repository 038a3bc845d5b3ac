"""Subtitles: SubRip (.srt) and WebVTT (.vtt) files as words with times.

    CUE:  [IDENTIFIER] / [H:]MM:SS,mmm --> [H:]MM:SS,mmm [SETTINGS] / LINES / empty line

Both are read by the same rules: a comma or a point before milliseconds, hours or none, tags and
entities. What is no cue (the head of a file, NOTE, STYLE, numbers) is passed over.
"""

import html
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from infofuse.errors import InfofuseError
from infofuse.extract.text import Word

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_STAMP = re.compile(rf"<{_TIME}>")
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def split_words(text: str) -> list[str]:
    """What white space separates; of Chinese and Japanese, each character."""
    return _WORD.findall(text)


def read_subtitles(path: Path, content: str) -> tuple[Word, ...]:
    """The words of a file of subtitles, in order.

    A cue's time is shared out among its words by their length; where WebVTT says within a cue when
    its words begin, that is kept.

    Raises InfofuseError if there is no cue, or one ends before it begins.
    """
    words: list[Word] = []
    found = False
    for start, end, text in _cues(content):
        found = True
        if end < start:
            raise InfofuseError(f"{path}: the subtitle at {start:g} s ends before, at {end:g} s")
        words += _words(start, end, text)
    if not found:
        raise InfofuseError(
            f"{path} holds no subtitles: a line such as '00:00:01,000 --> 00:00:02,500' was "
            f"expected; words without times belong in a .txt file"
        )
    return tuple(words)


def _cues(content: str) -> Iterator[tuple[float, float, str]]:
    """Start, end and text of each cue."""
    for block in re.split(r"\n\s*\n", content):
        lines = block.splitlines()
        for i, line in enumerate(lines[:3]):
            if match := _CUE.fullmatch(line):
                times = match.groups()
                yield _seconds(*times[:4]), _seconds(*times[4:]), "\n".join(lines[i + 1 :])
                break


def _seconds(hours: str | None, minutes: str, seconds: str, milli: str) -> float:
    whole = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return whole + int(milli.ljust(3, "0")) / 1000


def _words(start: float, end: float, text: str) -> list[Word]:
    """The words of a cue, and of each part of it that has a time of its own."""
    marks = list(_STAMP.finditer(text))
    times = [start, *(min(max(_seconds(*m.groups()), start), end) for m in marks), end]
    begins, ends = [0, *(m.end() for m in marks)], [*(m.start() for m in marks), len(text)]
    words: list[Word] = []
    for (a, b), i, j in zip(itertools.pairwise(times), begins, ends, strict=True):
        words += share_out(split_words(_plain(text[i:j])), a, max(a, b))
    return words


def _plain(text: str) -> str:
    """Without tags, and with entities resolved."""
    return html.unescape(_MARKUP.sub("", text))


def share_out(texts: list[str], start: float, end: float) -> list[Word]:
    """Words one after the other from start to end, each as long as its share of the letters."""
    edges = [0, *itertools.accumulate(len(text) for text in texts)]
    times = [start + (end - start) * edge / max(edges[-1], 1) for edge in edges]
    return [Word(text, a, b) for text, a, b in zip(texts, times, times[1:], strict=False)]
