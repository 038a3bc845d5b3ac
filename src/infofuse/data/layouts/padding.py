"""From padded arrays and lists of arrays, as the field keeps them, to ragged sequences."""

import mmap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from infofuse.data.layouts.steps import plain_counts, plain_notes
from infofuse.errors import InfofuseError
from infofuse.types import Ragged


def unpad(
    name: str,
    padded: Mapping[str, Shaped[np.ndarray, "_ time width"]],
    lengths: Mapping[str, Int[np.ndarray, "_"]],
) -> tuple[dict[str, Ragged], list[str]]:
    """The sequences of one modality by split, and what was noticed.

    padded: (n, time, width) by split. lengths: (n,) for the splits where they are given.

    Padding lies before or after all of a modality's sequences, whichever end has more zero frames.
    A sequence is as long as its length says; without one, or where frames lie outside it, zero
    frames at the padded end are cut. A sequence of zeros or NaN only is absent: it has no steps.
    Numbers that are not finite become 0 in the others.

    Raises InfofuseError for a length that is negative or beyond `time`.
    """
    real = _real(padded)
    return _unpad(name, padded, real, lengths, _padded_left(real.values()))


def unpad_aligned(
    padded: Mapping[str, Mapping[str, Shaped[np.ndarray, "_ time width"]]],
) -> dict[str, tuple[dict[str, Ragged], list[str]]]:
    """`unpad` for modalities that share their steps: step i of one belongs to step i of the others.

    padded: (n, time, width) by modality and split. A clip is as long as the longest of its
    modalities, so that a zero frame of one, such as a word without a face, does not shift it.
    """
    real = {modality: _real(by_split) for modality, by_split in padded.items()}
    left = _padded_left(steps for by_split in real.values() for steps in by_split.values())
    splits = next(iter(padded.values())).keys()
    lengths = {
        split: np.max([_lengths(by_split[split], left) for by_split in real.values()], axis=0)
        for split in splits
    }
    return {m: _unpad(m, padded[m], real[m], lengths, left) for m in padded}


def join(
    name: str, sequences: Mapping[str, Sequence[Shaped[np.ndarray, "_ width"]]]
) -> tuple[dict[str, Ragged], list[str]]:
    """The sequences of one modality by split, given one by one, and what was noticed.

    Nothing is cut. Otherwise as `unpad`.
    """
    joined, not_finite = {}, 0
    for split, arrays in sequences.items():
        joined[split], _, bad = plain_counts(_as_float32(Ragged.of(arrays)))
        not_finite += bad
    return joined, _notes(name, joined, False, 0, not_finite)


def _real(
    padded: Mapping[str, Shaped[np.ndarray, "_ time width"]],
) -> dict[str, Bool[np.ndarray, "_ time"]]:
    return {split: _nonzero(frames) for split, frames in padded.items()}


def _nonzero(frames: Shaped[np.ndarray, "n time width"]) -> Bool[np.ndarray, "n time"]:
    found = np.any(frames, axis=-1)
    _let_go(frames)
    return found


def _let_go(frames: np.ndarray) -> None:
    """Take the pages of the pickle that they are a view of, if any, from this process's memory."""
    base: Any = frames
    while isinstance(base, np.ndarray | memoryview):
        base = base.obj if isinstance(base, memoryview) else base.base
    if isinstance(base, mmap.mmap) and hasattr(base, "madvise"):
        base.madvise(mmap.MADV_DONTNEED)


def _unpad(
    name: str,
    padded: Mapping[str, Shaped[np.ndarray, "_ time width"]],
    real: Mapping[str, Bool[np.ndarray, "_ time"]],
    lengths: Mapping[str, Int[np.ndarray, "_"]],
    left: bool,
) -> tuple[dict[str, Ragged], list[str]]:
    sequences, outside, not_finite = {}, 0, 0
    for split, frames in padded.items():
        begin, end, wrong = _extent(name, real[split], lengths.get(split), left)
        sequences[split], _, bad = plain_counts(_cut(frames, begin, end))
        outside, not_finite = outside + wrong, not_finite + bad
    return sequences, _notes(name, sequences, left, outside, not_finite)


def _padded_left(real: Iterable[Bool[np.ndarray, "_ time"]]) -> bool:
    """Whether the sequences begin with more zero frames in all than they end with.

    A count of frames, not of sequences: files aligned to BERT's tokens begin with a zero frame of
    audio in every clip, that of [CLS], and are padded at the end.
    """
    surplus = 0
    for steps in real:
        present = steps[steps.any(axis=1)]
        surplus += int(_lengths(present, left=False).sum() - _lengths(present, left=True).sum())
    return surplus > 0


def _lengths(real: Bool[np.ndarray, "n time"], left: bool) -> Int[np.ndarray, "n"]:
    """Steps up to the last real one, counted from the end that is not padded."""
    steps = real[:, ::-1] if left else real
    return np.where(steps, np.arange(1, steps.shape[1] + 1), 0).max(axis=1, initial=0)


def _extent(
    name: str, real: Bool[np.ndarray, "n time"], lengths: Int[np.ndarray, "n"] | None, left: bool
) -> tuple[Int[np.ndarray, "n"], Int[np.ndarray, "n"], int]:
    """First and last-plus-one step of each sequence, and how many lengths leave out real frames."""
    time = real.shape[1]
    if left:
        begin, end, wrong = _extent(name, real[:, ::-1], lengths, False)
        return time - end, time - begin, wrong
    last = _lengths(real, left=False)
    if lengths is None:
        return np.zeros_like(last), last, 0
    if not ((lengths >= 0) & (lengths <= time)).all():
        worst = int(lengths[np.argmax(np.abs(lengths - time / 2))])
        raise InfofuseError(f"{name}_lengths holds {worst}, and {name} has {time} steps")
    end = np.where(last == 0, 0, np.maximum(lengths, last))
    return np.zeros_like(end), end, int((last > lengths).sum())


def _cut(frames: Shaped[np.ndarray, "n time width"], begin: np.ndarray, end: np.ndarray) -> Ragged:
    """The steps between begin and end, copied."""
    steps = np.arange(frames.shape[1])
    inside = (steps >= begin[:, None]) & (steps < end[:, None])
    ragged = _as_float32(Ragged.laid(frames[inside], end - begin))
    _let_go(frames)
    return ragged


def _as_float32(ragged: Ragged) -> Ragged:
    with np.errstate(over="ignore"):
        return Ragged(ragged.values.astype(np.float32, copy=False), ragged.offsets)


def _notes(
    name: str, sequences: Mapping[str, Ragged], left: bool, outside: int, not_finite: int
) -> list[str]:
    count = sum(len(ragged) for ragged in sequences.values())
    absent = sum(int((ragged.lengths == 0).sum()) for ragged in sequences.values())
    notes = [f"{name}: padded at the beginning"] if left else []
    if outside:
        notes.append(f"{name}: {outside} of {count} lengths leave out frames, which were kept")
    if absent == count:
        return [*notes, f"{name}: every clip is zero or NaN, left out"]
    return [*notes, *plain_notes(name, absent, count, not_finite)]
