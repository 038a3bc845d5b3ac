"""What a corpus holds, in numbers: splits, lengths, labels, what is missing or odd."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain

import numpy as np
from jaxtyping import Float, Int

from infofuse.data.corpus import Corpus
from infofuse.data.recognise import Likeness, likeness
from infofuse.types import Json, Ragged

BINS = 13
_IDEOGRAPHS = 0x2E80  # from here on, a sign is a word's worth


@dataclass(frozen=True)
class Lengths:
    """Steps of the clips that have a modality; quantiles are lengths that occur."""

    min: int
    median: int
    p95: int
    max: int


@dataclass(frozen=True)
class Column:
    """A modality over all splits. clips: those that have it, by split. constant: the features
    that have one value throughout. nan, infinite: numbers that are no numbers."""

    width: int
    clips: dict[str, int]
    lengths: Lengths | None
    nan: int
    infinite: int
    constant: tuple[int, ...]


@dataclass(frozen=True)
class LabelColumn:
    """One label over all splits; counts[i] labels lie from edges[i] to edges[i + 1]."""

    known: int
    min: float
    max: float
    mean: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Description:
    """What `describe` found. words: words of the clips that have any, and which clips do."""

    name: str
    fingerprint: str
    clips: dict[str, int]
    groups: dict[str, int]
    features: dict[str, Column]
    words: Column | None
    labels: tuple[LabelColumn, ...]
    likeness: Likeness
    notes: tuple[str, ...]

    @property
    def columns(self) -> dict[str, Column]:
        """Every modality by name, "words" among them if there are any."""
        return {**self.features, **({"words": self.words} if self.words else {})}

    def to_json(self) -> Json:
        """The fields as JSON has them."""
        return asdict(self)


def odd(name: str, column: Column) -> dict[str, str]:
    """What is odd in a modality's numbers, as sentences by what is checked."""
    found = {}
    if column.nan or column.infinite:
        what = f"{name} has {column.nan:,} NaN and {column.infinite:,} infinite numbers"
        found["numbers"] = what
    if column.constant:
        what = f"{len(column.constant)} of {column.width} features of {name} are constant"
        found["constant"] = what
    return found


def describe(corpus: Corpus) -> Description:
    """Look at every clip once. The features of a mapped store are read in pieces."""
    splits = corpus.splits
    return Description(
        name=corpus.spec.name,
        fingerprint=corpus.fingerprint,
        clips={name: len(clips) for name, clips in splits.items()},
        groups={name: len(set(clips.groups)) for name, clips in splits.items()},
        features={
            m: _column({s: clips.features[m] for s, clips in splits.items()}, width)
            for m, width in corpus.spec.features.items()
        },
        words=_words({s: clips.texts for s, clips in splits.items()}),
        labels=_labels([clips.labels for clips in splits.values()]),
        likeness=likeness(corpus),
        notes=corpus.notes,
    )


def _column(parts: dict[str, Ragged], width: int) -> Column:
    nan = infinite = 0
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    for values in chain.from_iterable(ragged.blocks() for ragged in parts.values()):
        nan += int(np.isnan(values).sum())
        infinite += int(np.isinf(values).sum())
        low = np.fmin(low, values.min(0))
        high = np.fmax(high, values.max(0))
    return Column(
        width,
        {s: int((ragged.lengths > 0).sum()) for s, ragged in parts.items()},
        _lengths(np.concatenate([ragged.lengths for ragged in parts.values()] or [np.zeros(0)])),
        nan,
        infinite,
        tuple(np.flatnonzero(low == high).tolist()),
    )


def _lengths(lengths: Int[np.ndarray, "n"] | Float[np.ndarray, "n"]) -> Lengths | None:
    real = lengths[lengths > 0]
    if not len(real):
        return None
    quantiles = np.quantile(real, [0, 0.5, 0.95, 1], method="inverted_cdf")
    return Lengths(*(int(q) for q in quantiles))


def _words(texts: dict[str, Sequence[str]]) -> Column | None:
    counts = {s: np.array([_count(t) for t in split], int) for s, split in texts.items()}
    lengths = _lengths(np.concatenate([*counts.values(), np.zeros(0)]))
    if lengths is None:
        return None
    return Column(1, {s: int((n > 0).sum()) for s, n in counts.items()}, lengths, 0, 0, ())


def _count(text: str) -> int:
    """Words, or signs where a writing has no spaces."""
    words = text.split()
    signs = "".join(words)
    ideographs = sum(ord(sign) >= _IDEOGRAPHS for sign in signs)
    return len(words) if 2 * ideographs < len(signs) else len(signs)


def _labels(parts: Sequence[Float[np.ndarray, "_ k"]]) -> tuple[LabelColumn, ...]:
    every = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
    return tuple(_label(column[~np.isnan(column)]) for column in every.T)


def _label(known: Float[np.ndarray, "n"]) -> LabelColumn:
    if not len(known):
        return LabelColumn(0, float("nan"), float("nan"), float("nan"), (), ())
    counts, edges = np.histogram(known.astype(float), BINS)
    return LabelColumn(
        len(known),
        float(known.min()),
        float(known.max()),
        float(known.mean()),
        tuple(edges.tolist()),
        tuple(counts.tolist()),
    )
