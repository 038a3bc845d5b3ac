"""From texts and feature sequences to the arrays that an exported model reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from infofuse_runtime.refusal import Refusal

Column = list[np.ndarray]
"""A modality of n clips: a sequence (steps, ...) each, of no steps where a clip lacks it."""


def read_tokens(tokenizer: Any, texts: Sequence[str | None]) -> Column:
    """Token ids, (steps,), of each text."""
    column = [np.zeros(0, np.int64)] * len(texts)
    spoken = {i: text for i, text in enumerate(_strings(texts)) if text.strip()}
    for i, encoding in zip(spoken, tokenizer.encode_batch([*spoken.values()]), strict=True):
        column[i] = np.array(encoding.ids, np.int64)
    return column


def read_word_tokens(tokenizer: Any, texts: Sequence[str | None]) -> Column:
    """Pairs (token id, place of its word), (steps, 2), of each text, its words split at blanks.

    A token that is no part of a word has minus the number of words as its place.
    """
    column = [np.zeros((0, 2), np.int64)] * len(texts)
    spoken = {i: text.split() for i, text in enumerate(_strings(texts)) if text.strip()}
    found = tokenizer.encode_batch([*spoken.values()], is_pretokenized=True)
    for (i, words), encoding in zip(spoken.items(), found, strict=True):
        places = [-len(words) if word is None else word for word in encoding.word_ids]
        column[i] = np.array([encoding.ids, places], np.int64).T
    return column


def _strings(texts: Sequence[str | None]) -> list[str]:
    """The texts, "" where there is none."""
    if isinstance(texts, str) or any(not (text is None or isinstance(text, str)) for text in texts):
        raise Refusal("texts is a list with a text a clip, or None where a clip has none")
    return [text or "" for text in texts]


def read_features(name: str, width: int, sequences: Sequence[Any]) -> Column:
    """Sequences of numbers, (steps, width), of each clip; None where a clip lacks the modality.

    Raises Refusal for another shape, and for numbers that are not finite.
    """
    nothing = np.zeros((0, width), np.float32)
    try:
        arrays = [nothing if s is None else np.asarray(s, np.float32) for s in sequences]
    except (TypeError, ValueError) as error:
        raise Refusal(f"{name} is a sequence of numbers a clip, or None: {error}") from None
    column = [array if array.size else nothing for array in arrays]
    for i, sequence in enumerate(column):
        if sequence.ndim != 2 or sequence.shape[1] != width:
            raise Refusal(
                f"{name} of clip {i} has the shape {sequence.shape}; the model reads (steps, "
                f"{width})"
            )
        if not np.isfinite(sequence).all():
            raise Refusal(f"{name} of clip {i} has numbers that are not finite: set them to 0")
    return column


def pad(column: Column, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Values (batch, time, ...), zero beyond each sequence, and lengths (batch,) of these clips."""
    lengths = np.array([len(column[i]) for i in rows], np.int64)
    like = column[rows[0]]
    values = np.zeros((len(rows), max(1, int(lengths.max())), *like.shape[1:]), like.dtype)
    for place, i in zip(values, rows, strict=True):
        place[: len(column[i])] = column[i]
    return values, lengths
