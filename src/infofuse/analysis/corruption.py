"""Ways in which a modality goes wrong, each with a rate p from 0 (as it was) to 1.

A corruption takes a modality's reader, what it reads of n clips, the rate, and a generator. With
the same seed a larger rate keeps what a smaller one has done: curves over p compare like with
like. Of a text's tokens the first and the last stay, which are the encoder's own marks, and each
token's place, where a reader keeps it: frames stay beside the words that they were beside.
"""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Bool

from infofuse.encoders import Reader
from infofuse.types import Ragged

Corruption = Callable[[Reader, Ragged, float, np.random.Generator], Ragged]


def masked(reader: Reader, column: Ragged, p: float, rng: np.random.Generator) -> Ragged:
    """Each step is lost with chance p: the mean feature, or the tokenizer's [MASK], is there."""
    lost = (rng.random(len(column.values)) < p) & _free(column)
    return _with(column, lost, reader.blank())


def absent(reader: Reader, column: Ragged, p: float, rng: np.random.Generator) -> Ragged:
    """Each clip is without the modality with chance p."""
    return column.without(rng.random(len(column)) < p)


def noised(reader: Reader, column: Ragged, p: float, rng: np.random.Generator) -> Ragged:
    """Features x to m + sqrt(1 - p) (x - m) + sqrt(p) s n, n ~ N(0, 1): a signal-to-noise ratio
    of (1 - p) / p, m and s the features' mean and deviation over these clips. A token becomes
    one drawn from all tokens of these clips with chance p.
    """
    values = column.values
    if np.issubdtype(values.dtype, np.integer):
        hit = (rng.random(len(values)) < p) & _free(column)
        return _with(column, hit, rng.permutation(values)[hit])
    mean, deviation = values.mean(0, dtype=np.float64), values.std(0, dtype=np.float64)
    noise = rng.standard_normal(values.shape)
    found = mean + np.sqrt(1 - p) * (values - mean) + np.sqrt(p) * deviation * noise
    return Ragged(found.astype(values.dtype), column.offsets)


def delayed(reader: Reader, column: Ragged, p: float, rng: np.random.Generator) -> Ragged:
    """Every clip's steps come later by p times its length; what falls off its end is lost."""
    shifts = np.round(p * column.lengths).astype(np.int64)
    found = np.empty_like(column.values)
    for i, shift in enumerate(shifts):
        start, end = column.offsets[i], column.offsets[i + 1]
        found[start : start + shift] = reader.blank()
        found[start + shift : end] = column.values[start : end - shift]
    fixed = ~_free(column)
    found[fixed] = column.values[fixed]
    return _placed(found, column)


def swapped(reader: Reader, column: Ragged, p: float, rng: np.random.Generator) -> Ragged:
    """Each clip has the modality of another clip with chance p, of any other one alike."""
    n = len(column)
    if n < 2:
        return column
    hit = rng.random(n) < p
    other = (np.arange(n) + rng.integers(1, n, n)) % n
    return column.take(np.where(hit, other, np.arange(n)))


CORRUPTIONS: Mapping[str, Corruption] = {
    "masked": masked,
    "absent": absent,
    "noised": noised,
    "delayed": delayed,
    "swapped": swapped,
}


def _free(column: Ragged) -> Bool[np.ndarray, "steps"]:
    """Steps that may change: all, but for the marks at both ends of a sequence of tokens."""
    free = np.ones(len(column.values), bool)
    if np.issubdtype(column.values.dtype, np.integer):
        present = column.lengths > 0
        free[column.offsets[:-1][present]] = False
        free[column.offsets[1:][present] - 1] = False
    return free


def _with(column: Ragged, steps: Bool[np.ndarray, "steps"], values: np.ndarray) -> Ragged:
    found = column.values.copy()
    found[steps] = values
    return _placed(found, column)


def _placed(values: np.ndarray, column: Ragged) -> Ragged:
    """These steps instead of the column's; of pairs (token, place) the places stay."""
    if np.issubdtype(values.dtype, np.integer) and values.ndim > 1:
        values[:, 1:] = column.values[:, 1:]
    return Ragged(values, column.offsets)
