"""Subtitles as words with times."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.errors import InfofuseError
from infofuse.extract.subtitles import read_subtitles, share_out, split_words
from infofuse.extract.text import Word

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Not</i> bad {\\an8}&amp; new

2
00:01:00,5 --> 01:00:01,000 X1:1
— so
it  goes
"""
VTT = """WEBVTT - a title

NOTE never said

STYLE
::cue { color: red }

intro
00:01.000 --> 00:03.000 align:start
<v Ann>One <00:01.500>two <00:02.750><c.loud>three</c>
"""


def test_subrip() -> None:
    words = read_subtitles(Path("a.srt"), SRT)
    assert [w.text for w in words] == ["Not", "bad", "&", "new", "—", "so", "it", "goes"]
    assert words[0] == Word("Not", 1.0, 1.45)  # 3 of 10 letters, 1.5 s
    assert words[3].end == 2.5
    assert words[4].start == 60.5
    assert words[-1].end == 3601.0


def test_webvtt_keeps_times_within_a_cue() -> None:
    assert read_subtitles(Path("a.vtt"), VTT) == (
        Word("One", 1.0, 1.5),
        Word("two", 1.5, 2.75),
        Word("three", 2.75, 3.0),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no times here", "holds no subtitles"),
        ("", "holds no subtitles"),
        ("00:00:02,000 --> 00:00:01,000\nx", "ends before"),
    ],
)
def test_what_is_no_subtitle_is_refused(content: str, said: str) -> None:
    with pytest.raises(InfofuseError, match=said):
        read_subtitles(Path("a.srt"), content)


def test_words_share_a_time_by_their_letters() -> None:
    assert share_out(["a", "bcd"], 1.0, 3.0) == [Word("a", 1.0, 1.5), Word("bcd", 1.5, 3.0)]
    assert share_out([], 1.0, 3.0) == []


def test_chinese_characters_are_words() -> None:
    assert split_words("我爱 rock音乐 ok") == ["我", "爱", "rock", "音", "乐", "ok"]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789:,.-> <>/abc\n{}\\&;W", max_size=200))
def test_any_file_is_read_or_refused(content: str) -> None:
    try:
        words = read_subtitles(Path("a.srt"), content)
    except InfofuseError:
        return
    assert all(w.start is not None and w.end is not None and w.start <= w.end for w in words)
