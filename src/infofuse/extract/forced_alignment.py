"""When the words of an English transcript are said: forced alignment by pocketsphinx.

Pocketsphinx ships the acoustic model en-us and its dictionary. Words that the dictionary lacks get
a pronunciation guessed from their letters: it need not be right, only about as long.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32

from infofuse.errors import missing
from infofuse.extract.sound import RATE
from infofuse.extract.text import Word

_FRAMES = 100  # a second, of pocketsphinx
# Next to nothing is given up on the way: the words of a clip are few, and a transcript is inexact.
_BEAMS = {"beam": 1e-200, "pbeam": 1e-200, "wbeam": 1e-200, "maxhmmpf": -1}
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SIGNS = {"&": " and ", "%": " percent ", "+": " plus ", "@": " at ", "’": "'", "‘": "'"}

# Letters to phones of the ARPAbet, tried in this order at each place.
_SOUNDS = {
    "tion": "SH AH N", "igh": "AY", "tch": "CH", "sch": "SH", "ch": "CH", "sh": "SH", "th": "TH",
    "ph": "F", "wh": "W", "ck": "K", "ng": "NG", "qu": "K W", "gh": "G", "kn": "N", "wr": "R",
    "ee": "IY", "ea": "IY", "ie": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY",
    "ay": "EY", "ey": "IY", "oa": "OW", "oi": "OY", "oy": "OY", "au": "AO", "aw": "AO",
    "er": "ER", "ir": "ER", "ur": "ER", "ar": "AA R", "or": "AO R",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH",
    "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R",
    "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LETTERS = re.compile("|".join(_SOUNDS))


def align(
    texts: Sequence[str], waveform: Float32[np.ndarray, "samples"]
) -> tuple[Word, ...] | None:
    """Each word with the time it is said at; None if they do not fit the sound.

    A word without a letter or a digit, such as a dash, is not said and has no time. Silences and
    noises between words belong to no word.

    Raises InfofuseError without pocketsphinx.
    """
    said = [spoken(text) for text in texts]
    pieces = [piece for parts in said for piece in parts]
    found = _segments(pieces, waveform) if pieces else None
    if found is None:
        return None
    words, at = [], 0
    for text, parts in zip(texts, said, strict=True):
        times = found[at : at + len(parts)]
        at += len(parts)
        words.append(Word(text, times[0][0], times[-1][1]) if times else Word(text))
    return tuple(words)


def spoken(text: str) -> list[str]:
    """What is said of a word: lower case, without accents and marks, digits one by one."""
    for sign, said in _SIGNS.items():
        text = text.replace(sign, said)
    text = unicodedata.normalize("NFKD", text).lower()
    text = re.sub(r"[0-9]", lambda digit: f" {_DIGITS[int(digit[0])]} ", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    parts = (part.strip("'") for part in re.findall(r"[a-z']+", text))
    return [part for part in parts if part]


def pronounce(word: str) -> str:
    """Phones guessed from the letters of a word: doubled letters count once, a last e is silent."""
    letters = re.sub(r"(?!ee|oo)(.)\1", r"\1", word)
    if len(letters) > 3 and letters.endswith("e") and not letters.endswith("ee"):
        letters = letters[:-1]
    return " ".join(_SOUNDS[sound] for sound in _LETTERS.findall(letters))


def _segments(
    pieces: Sequence[str], waveform: Float32[np.ndarray, "samples"]
) -> list[tuple[float, float]] | None:
    """Start and end of each word in seconds, None if the search fails."""
    decoder = _decoder(pieces)
    pcm = (np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()
    try:
        decoder.set_align_text(" ".join(pieces))
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
    except RuntimeError:
        return None
    if decoder.hyp() is None:
        return None
    words = [s for s in decoder.seg() if not s.word.startswith(("<", "[", "(", "+"))]
    if [re.sub(r"\(\d+\)$", "", s.word) for s in words] != list(pieces):
        return None
    return [(s.start_frame / _FRAMES, (s.end_frame + 1) / _FRAMES) for s in words]


def _decoder(pieces: Sequence[str]) -> Any:
    """A decoder that knows these words. Each clip has its own: it adapts to what it has heard."""
    try:
        from pocketsphinx import Decoder
    except ImportError:
        instead = ", or extract with the text option align=false"
        raise missing("words are found in the sound by pocketsphinx", "extract", instead) from None
    decoder = Decoder(lm=None, samprate=RATE, loglevel="FATAL", bestpath=False, **_BEAMS)
    for piece in dict.fromkeys(pieces):
        if decoder.lookup_word(piece) is None:
            decoder.add_word(piece, pronounce(piece) or "AH", True)
    return decoder
