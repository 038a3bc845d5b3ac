"""Whisper by CTranslate2: what is said in a clip, and what its encoder makes of the sound.

The package faster-whisper runs it; weights come in a package, or from a folder or hub name that the
user gives. One thread and no random fallback, so that the same sound gives the same words.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from infofuse.environment import one_thread
from infofuse.errors import InfofuseError, missing
from infofuse.extract.sound import RATE
from infofuse.extract.text import Transcript, Word
from infofuse.extract.weights import PACKAGE, WHISPER
from infofuse.weights import digest

PACKAGES = ("faster-whisper", "ctranslate2")
WINDOW = 30 * RATE  # samples that the encoder hears at once
HOP = 0.02  # seconds from one of its states to the next
_SURE = -0.5  # mean log probability of a word, below which it counts if there is speech for sure
_SHORTEST = 400  # samples: a window of the spectrum
_HOP = 160  # samples from one frame of the spectrum to the next; two make a state


def transcribe(
    model: str, waveform: Float32[np.ndarray, "samples"], language: str
) -> Transcript | None:
    """The words that are heard, each with its time; None if none are.

    model: "package", a folder, or a hub name. language: a code such as "en" or "zh".

    Raises InfofuseError if there is no such model, or it does not know the language.
    """
    whisper = load(model)
    if language not in whisper.supported_languages:
        raise InfofuseError(
            f"the speech model {model!r} does not know the language {language!r}; it knows "
            f"{', '.join(whisper.supported_languages[:8])}: name a folder with a multilingual one"
        )
    if len(waveform) < _SHORTEST:
        return None
    segments, _ = whisper.transcribe(
        waveform,
        language=language,
        temperature=0.0,
        condition_on_previous_text=False,
        log_prob_threshold=_SURE,
        word_timestamps=True,
    )
    words = tuple(
        Word(word.word.strip(), float(word.start), float(word.end))
        for segment in segments
        for word in segment.words or ()
        if word.word.strip()
    )
    return Transcript(_joined(words, language), words, "recognised") if words else None


def _joined(words: tuple[Word, ...], language: str) -> str:
    return ("" if language in ("zh", "ja", "th", "yue") else " ").join(w.text for w in words)


def encode(
    model: str, waveform: Float32[np.ndarray, "samples"]
) -> Iterator[Float32[np.ndarray, "steps width"]]:
    """The encoder's states, 50 a second, of each 30 seconds by themselves."""
    whisper = load(model)
    for begin in range(0, len(waveform), WINDOW):
        piece = waveform[begin : begin + WINDOW]
        if len(piece) >= _SHORTEST:
            yield np.array(
                whisper.encode(whisper.feature_extractor(piece)[:, : len(piece) // _HOP])
            )[0]


def checksum(model: str) -> dict[str, str]:
    """The SHA-256 of the weights."""
    return {"model.bin": digest(folder(model) / "model.bin")}


@lru_cache(maxsize=2)
def load(model: str) -> Any:
    """The model, once a process. Raises InfofuseError if there is none that can be loaded."""
    faster_whisper, place = _faster_whisper(), folder(model)
    try:
        with one_thread():  # CTranslate2 sets one for the whole process
            return faster_whisper.WhisperModel(
                str(place), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
            )
    except (RuntimeError, ValueError, OSError) as error:
        raise InfofuseError(f"no speech model can be loaded from {place}: {error}") from None


def folder(model: str) -> Path:
    """Where the weights are.

    Raises InfofuseError if the package or folder is not there, or the hub name cannot be had.
    """
    if model == PACKAGE:
        return WHISPER.find()
    place = Path(model)
    if place.is_dir() and not (place / "model.bin").is_file():
        raise InfofuseError(
            f"{place} is no speech model: a folder with model.bin, config.json, tokenizer.json and "
            f"vocabulary, as CTranslate2 converts whisper, was expected"
        )
    return place if place.is_dir() else _downloaded(model)


@lru_cache(maxsize=4)
def _downloaded(name: str) -> Path:
    try:
        return Path(_faster_whisper().download_model(name))
    except (OSError, ValueError) as error:
        raise InfofuseError(
            f"there is no folder {name!r}, and no speech model of this name could be had from the "
            f"hub: give 'package', a folder, or a hub name ({str(error).splitlines()[0]})"
        ) from None


def _faster_whisper() -> Any:
    try:
        import faster_whisper
    except ImportError:
        instead = ", or extract with the text 'given'"
        raise missing("speech is recognised by faster-whisper", "extract", instead) from None
    return faster_whisper
