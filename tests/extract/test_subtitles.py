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


ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.100 --> 00:00:01.300 align:start position:0%
\x20
honestly<00:00:00.400><c> the</c><00:00:00.600><c> ending</c>

00:00:01.300 --> 00:00:01.310 align:start position:0%
honestly the ending
\x20

00:00:01.310 --> 00:00:02.400 align:start position:0%
honestly the ending
was<00:00:01.900><c> bad</c>
"""
ROLLING_SRT = """1
00:00:00,100 --> 00:00:01,300
honestly the ending

2
00:00:01,300 --> 00:00:01,310
honestly the ending

3
00:00:01,310 --> 00:00:02,400
honestly the ending
was bad

4
00:00:02,400 --> 00:00:03,400
was bad
so bad
"""


def test_what_rolling_captions_repeat_is_read_once() -> None:
    assert read_subtitles(Path("a.vtt"), ROLLING) == (
        Word("honestly", 0.1, 0.4),
        Word("the", 0.4, 0.6),
        Word("ending", 0.6, 1.3),
        Word("was", 1.31, 1.9),
        Word("bad", 1.9, 2.4),
    )
    words = read_subtitles(Path("a.srt"), ROLLING_SRT)
    assert [w.text for w in words] == ["honestly", "the", "ending", "was", "bad", "so", "bad"]
    assert words[3].start == 1.31
    assert words[5].start == 2.4


def test_captions_that_grow_word_by_word_are_read_once() -> None:
    cues = ["I", "I hated", "I hated it", "I hated it\nall"]
    lines = [f"00:0{i}.000 --> 00:0{i + 1}.000\n{text}\n" for i, text in enumerate(cues)]
    words = read_subtitles(Path("a.vtt"), "WEBVTT\n\n" + "\n".join(lines))
    assert words == tuple(
        Word(w, float(i), i + 1.0) for i, w in enumerate(["I", "hated", "it", "all"])
    )


def test_who_says_a_thing_twice_is_heard_twice() -> None:
    cues = ["No.", "No.", "Never.", "Never.", "Never. I said", "so."]
    lines = [f"00:0{i}.000 --> 00:0{i + 1}.000\n{text}\n" for i, text in enumerate(cues)]
    words = read_subtitles(Path("a.vtt"), "WEBVTT\n\n" + "\n".join([*lines[:2], lines[2]]))
    assert [w.text for w in words] == ["No.", "No.", "Never."]
    apart = [line.replace(".000 -->", ".500 -->") for line in lines]
    words = read_subtitles(Path("a.vtt"), "WEBVTT\n\n" + "\n".join(apart))
    assert [w.text for w in words] == " ".join(cues).split()


def test_a_cue_is_what_follows_its_times() -> None:
    """Whatever lines are blank; names of cues and comments are not said."""
    srt = (
        "1\n00:00:00,000 --> 00:00:01,000\n\nI hated it\n\nall\n2\n00:00:01,000 --> 00:00:02,000\n3"
    )
    assert [w.text for w in read_subtitles(Path("a.srt"), srt)] == ["I", "hated", "it", "all", "3"]
    vtt = (
        "WEBVTT\n\nfirst\n00:00.000 --> 00:01.000\n \nI hated it\n\nNOTE this\nand that\n\n"
        "second\n00:01.000 --> 00:02.000\nso\n"
    )
    assert [w.text for w in read_subtitles(Path("a.vtt"), vtt)] == ["I", "hated", "it", "so"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("I give it 3 < 5 stars and 7 > 2", "I give it 3 < 5 stars and 7 > 2"),
        ("I <3 it, a<b and c>d", "I <3 it, a<b and c>d"),
        ("<i>no</i> <FONT color='red'>way</FONT><br/>out", "no way out"),
        ("<v.loud Ann B.>yes <c.y.z>sir</c><lang en>!</lang>", "yes sir!"),
    ],
)
def test_a_sign_is_a_tag_only_if_a_name_follows_at_once(line: str, words: str) -> None:
    content = f"00:00:00,000 --> 00:00:02,000\n{line}\n"
    assert [w.text for w in read_subtitles(Path("a.srt"), content)] == words.split()


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
