"""Words that are given, found in the sound, or heard."""

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infofuse.errors import InfofuseError
from infofuse.extract import whisper
from infofuse.extract.face_landmarks import Landmarker
from infofuse.extract.forced_alignment import align, pronounce, spoken
from infofuse.extract.media import Media, open_media
from infofuse.extract.recipe import stage, stage_from_json
from infofuse.extract.text import Word
from infofuse.extract.text_given import TextGiven
from infofuse.extract.text_whisper import TextWhisper

KNOWN = "and sucker punch is a failer but like a really ambitious weird the interesting idiosyncratic failure"  # noqa: E501


@pytest.fixture
def clip(shared: Path) -> Media:
    return open_media(shared / "data/clips/mosi_Oz06ZWiO20M_6.mp4", fps=1.0)


@pytest.fixture
def silent() -> Media:
    return Media("silent", 1.0, np.zeros(0, np.float32), (), [])


def distance(a: list[str], b: list[str]) -> int:
    """Levenshtein's, of words."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        left = row[:]
        row[0] = i
        for j, y in enumerate(b, 1):
            row[j] = min(left[j] + 1, row[j - 1] + 1, left[j - 1] + (x != y))
    return row[-1]


def test_a_known_clip_is_heard(clip: Media) -> None:
    """At most 3 of 16 words otherwise than in the published transcript; the same every time."""
    heard = TextWhisper()(clip)
    words = [w.text.lower().strip(",.") for w in heard.words]
    assert distance(words, KNOWN.split()) <= 3
    assert heard.source == "recognised"
    times = [t for w in heard.words for t in (w.start, w.end)]
    assert times == sorted(times)
    assert times[-1] <= clip.seconds
    assert heard == TextWhisper()(clip)


def test_a_given_transcript_is_aligned(clip: Media) -> None:
    """Beside the times at which the words are heard, where both have the word."""
    given = TextGiven()(clip, KNOWN)
    assert given.text == KNOWN
    assert given.source == "aligned"
    assert [w.text for w in given.words] == KNOWN.split()
    ends = {"punch": 0.88, "really": 3.74, "ambitious": 4.52, "interesting": 6.14}
    found = {w.text: w.end for w in given.words}
    for word, end in ends.items():
        assert found[word] == pytest.approx(end, abs=0.25)


def test_words_that_no_dictionary_has_are_aligned(clip: Media) -> None:
    texts = KNOWN.replace("weird", "— wëirdly-odd").replace("failer", "failerish!").split()
    words = align(texts, clip.waveform)
    assert words is not None
    by_text = {w.text: w for w in words}
    assert by_text["—"] == Word("—")
    assert by_text["wëirdly-odd"].start == pytest.approx(4.6, abs=0.3)
    spans = [(w.start, w.end) for w in words if w.start is not None]
    assert all(a < b for a, b in spans)
    assert all(x[1] <= y[0] for x, y in pairwise(spans))


def test_words_that_do_not_fit_have_no_times(clip: Media) -> None:
    short = Media("short", 0.2, clip.waveform[:3200], (), [])
    given = TextGiven()(short, KNOWN)
    assert given.source == "given"
    assert {w.start for w in given.words} == {None}
    assert short.notes == ["the words have no times: they were not found in the sound"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Don’t", ["don't"]),
        ("café-bar", ["cafe", "bar"]),
        ("42%", ["four", "two", "percent"]),
        ("—", []),
        ("'quoted'", ["quoted"]),
        ("我", []),
    ],
)
def test_what_is_said_of_a_word(written: str, said: list[str]) -> None:
    assert spoken(written) == said


def test_guessed_pronunciations() -> None:
    assert pronounce("blorpiness") == "B L AO R P IH N EH S"
    assert pronounce("sheepish") == "SH IY P IH SH"
    assert pronounce("zune") == "Z AH N"
    assert pronounce("''") == ""


@pytest.mark.parametrize(
    ("library", "use"),
    [
        ("pocketsphinx", lambda: align(["word"], np.zeros(16_000, np.float32))),
        ("faster_whisper", lambda: whisper.load("package")),
        ("mediapipe", lambda: Landmarker(Path("any.task"), 1)),
    ],
)
def test_a_library_that_is_not_there_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, library: str, use: Callable[[], Any]
) -> None:
    whisper.load.cache_clear()
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InfofuseError, match=r"pip install 'infofuse\[extract\]'"):
        use()


def test_what_is_given_comes_first(silent: Media, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\ntwo words\n")
    (tmp_path / "a.txt").write_bytes("﻿two\r\nlines\n".encode())
    for source in (TextGiven(), TextWhisper()):
        assert source(silent, "as it  is").text == "as it is"
        read = source(silent, None, tmp_path / "a.srt")
        assert (read.text, read.source, read.words[1].end) == ("two words", "subtitles", 1.0)
        assert source(silent, None, tmp_path / "a.txt").text == "two lines"
        with pytest.raises(InfofuseError, match="give one of them"):
            source(silent, "a", tmp_path / "a.txt")


def test_nothing_given_and_nothing_heard(silent: Media) -> None:
    assert TextGiven()(silent) is None
    assert silent.notes == ["no words are given"]
    hiss = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    noise = Media("noise", 1.0, hiss, (), [])
    assert TextWhisper()(noise) is None
    assert noise.notes == ["no words are given, and none are heard"]
    assert TextWhisper()(silent) is None


@pytest.mark.parametrize("content", [b"\xff\xfe\xfd", b"\x80abc", b"a\0b"])
def test_a_file_that_is_no_text_is_refused(silent: Media, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InfofuseError, match="is no text"):
        TextGiven()(silent, None, tmp_path / "a.txt")


def test_a_missing_file_is_refused(silent: Media, tmp_path: Path) -> None:
    with pytest.raises(InfofuseError, match="cannot be read"):
        TextGiven()(silent, None, tmp_path / "no.srt")


def test_another_language_needs_another_model(clip: Media) -> None:
    with pytest.raises(InfofuseError, match="does not know the language 'zh'; it knows en"):
        TextWhisper(language="zh")(clip)
    assert TextGiven(language="zh")(clip, "我爱你").source == "given"


def test_a_model_that_is_not_there_is_refused(clip: Media, tmp_path: Path) -> None:
    with pytest.raises(InfofuseError, match="is no speech model"):
        TextWhisper(model=str(tmp_path))(clip)
    with pytest.raises(InfofuseError, match="no speech model of this name"):
        TextWhisper(model="nobody/no-such-model")(clip)


@pytest.mark.parametrize("name", ["given", "whisper"])
def test_a_recipe_keeps_it(name: str) -> None:
    made = stage("text", name, align=False)
    assert stage_from_json("text", made.identity()) == made
    assert "pocketsphinx" not in made.identity()["versions"]
    assert "pocketsphinx" in stage("text", name).identity()["versions"]
