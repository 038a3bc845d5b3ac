"""Subtitles: SubRip (.srt) and WebVTT (.vtt) files as words with times.

    CUE:  [IDENTIFIER] / [H:]MM:SS,mmm --> [H:]MM:SS,mmm [SETTINGS] / LINES

Both are read by the same rules: a comma or a point before milliseconds, hours or none, tags and
entities. A cue begins with its line of times and ends where the next one does, whatever lines are
blank in between; the head of a file, numbers, NOTE and STYLE are passed over.

Rolling captions show each line twice, first as the newest line and then above the next one, as
those that YouTube makes by itself: what a cue repeats of the one before is read once.
"""

import html
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infofuse.errors import InfofuseError
from infofuse.extract.text import Word

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_STAMP = re.compile(rf"<{_TIME}>")
# A tag's name follows at once: "3 < 5" and "<3" are words. Only some tags say more than a name, so
# that "a<b and c>d" is none of them.
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MARKUP = re.compile(
    rf"<{_TIME}>|</?[a-z]+\d*(?:\.[^\s<>]*)*\s*/?>|"
    r"<(?:c|v|lang|font|span)(?:\.[^\s<>]*)*\s[^<>]*>|\{\\[^{}]*\}",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_AT_ONCE = 0.1  # seconds between two cues of which the second takes the place of the first


@dataclass(frozen=True)
class _Cue:
    """What is shown from one time to another, in seconds, with its tags."""

    start: float
    end: float
    text: str

    @property
    def lines(self) -> list[list[str]]:
        """The words of each line that has any."""
        lines = (split_words(_plain(line)) for line in self.text.split("\n"))
        return [line for line in lines if line]


def split_words(text: str) -> list[str]:
    """What white space separates; of Chinese and Japanese, each character."""
    return _WORD.findall(text)


def read_subtitles(path: Path, content: str) -> tuple[Word, ...]:
    """The words of a file of subtitles, in order.

    A cue's time is shared out among its words by their length; where WebVTT says within a cue when
    its words begin, that is kept.

    Raises InfofuseError if there is no cue, or one ends before it begins.
    """
    cues = _cues(content)
    if not cues:
        raise InfofuseError(
            f"{path} holds no subtitles: a line such as '00:00:01,000 --> 00:00:02,500' was "
            f"expected; words without times belong in a .txt file"
        )
    for cue in cues:
        if cue.end < cue.start:
            raise InfofuseError(
                f"{path}: the subtitle at {cue.start:g} s ends before, at {cue.end:g} s"
            )
    words: list[Word] = []
    for cue, known in zip(cues, _repeated(cues), strict=True):
        words += _words(cue, known)
    return tuple(words)


def _cues(content: str) -> list[_Cue]:
    lines = content.split("\n")
    matches = [(i, m) for i, line in enumerate(lines) if (m := _CUE.fullmatch(line))]
    ends = [*(i for i, _ in matches[1:]), len(lines)]
    webvtt = content.lstrip("\ufeff \n").startswith("WEBVTT")
    cues = []
    for (i, match), end in zip(matches, ends, strict=False):
        times, body = match.groups(), lines[i + 1 : end]
        if end < len(lines):
            body = _without_identifier(body, webvtt)
        text = "\n".join(_without_comments(body) if webvtt else body)
        cues.append(_Cue(_seconds(*times[:4]), _seconds(*times[4:]), text))
    return cues


def _without_identifier(body: list[str], webvtt: bool) -> list[str]:
    """The lines before the next cue's times without that cue's name: a number, or any in WebVTT."""
    if len(body) < 2:
        return body
    name, before = body[-1].strip(), body[-2].strip()
    return body[:-1] if name.isdigit() or (webvtt and not before) else body


def _without_comments(body: list[str]) -> list[str]:
    """The lines without blocks that WebVTT does not show; such a block follows a blank line."""
    kept: list[str] = []
    for i, (filled, block) in enumerate(itertools.groupby(body, lambda line: bool(line.strip()))):
        lines = list(block)
        if filled and (i == 0 or not _COMMENT.match(lines[0])):
            kept += lines
    return kept


def _repeated(cues: Sequence[_Cue]) -> list[int]:
    """How many words at each cue's beginning were shown by the cue before; 0 unless captions roll.

    Somebody may well say "No." twice. Captions roll if at least half of the cues that follow at
    once begin with the last lines of the one before, and one of them goes on from there.
    """
    known = [0]
    following, goes_on = 0, False
    for before, after in itertools.pairwise(cues):
        at_once = after.start - before.end <= _AT_ONCE
        shared = _shared(before.lines, after.lines) if at_once else 0
        following += at_once
        goes_on |= 0 < shared < sum(map(len, after.lines))
        known.append(shared)
    repeats = sum(shared > 0 for shared in known)
    return known if goes_on and 2 * repeats >= following else [0] * len(cues)


def _shared(before: Sequence[list[str]], after: Sequence[list[str]]) -> int:
    """Words of the longest run of last lines of one cue with which the other begins."""
    words = list(itertools.chain.from_iterable(after))
    for i in range(len(before)):
        last = list(itertools.chain.from_iterable(before[i:]))
        if words[: len(last)] == last:
            return len(last)
    return 0


def _seconds(hours: str | None, minutes: str, seconds: str, milli: str) -> float:
    whole = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return whole + int(milli.ljust(3, "0")) / 1000


def _words(cue: _Cue, known: int) -> list[Word]:
    """The words of a cue after those that are known, by parts that have a time of their own."""
    marks = list(_STAMP.finditer(cue.text))
    stamps = (min(max(_seconds(*m.groups()), cue.start), cue.end) for m in marks)
    times = [cue.start, *stamps, cue.end]
    begins, ends = [0, *(m.end() for m in marks)], [*(m.start() for m in marks), len(cue.text)]
    words: list[Word] = []
    for (a, b), i, j in zip(itertools.pairwise(times), begins, ends, strict=True):
        texts = split_words(_plain(cue.text[i:j]))
        words += share_out(texts[known:], a, max(a, b))
        known = max(0, known - len(texts))
    return words


def _plain(text: str) -> str:
    """Without tags, and with entities resolved."""
    return html.unescape(_MARKUP.sub("", _BREAK.sub(" ", text)))


def share_out(texts: list[str], start: float, end: float) -> list[Word]:
    """Words one after the other from start to end, each as long as its share of the letters."""
    edges = [0, *itertools.accumulate(len(text) for text in texts)]
    times = [start + (end - start) * edge / max(edges[-1], 1) for edge in edges]
    return [Word(text, a, b) for text, a, b in zip(texts, times, times[1:], strict=False)]
