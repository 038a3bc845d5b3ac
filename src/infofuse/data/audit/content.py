"""What the columns hold: numbers that are none, labels out of balance, odd lengths."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from infofuse.data.audit.finding import Finding, some
from infofuse.data.corpus import Corpus
from infofuse.data.describe import Description, odd
from infofuse.types import Clips

RARE = 0.05  # of a split's labels
LONG = 8  # times the median
CUT = 0.05  # of the clips: so many at exactly the greatest length were cut to it


def content(corpus: Corpus, description: Description) -> list[Finding]:
    """Findings on features, labels and lengths."""
    return [
        *_numbers(description),
        *_presence(description),
        *_splits(corpus),
        *_labels(corpus),
        *_lengths(corpus),
    ]


def _numbers(description: Description) -> Iterator[Finding]:
    for name, column in description.features.items():
        found = odd(name, column)
        if "numbers" in found:
            yield Finding("error", "numbers", found["numbers"])
        if "constant" in found:
            which = some([str(i) for i in column.constant])
            yield Finding("note", "constant", found["constant"], which)


def _presence(description: Description) -> Iterator[Finding]:
    total = sum(description.clips.values())
    for name, column in description.columns.items():
        lacking = total - sum(column.clips.values())
        if lacking:
            what = f"{lacking:,} of {total:,} clips have no {name}"
            yield Finding("note", "presence", what, facts={"clips": column.clips})


def _splits(corpus: Corpus) -> Iterator[Finding]:
    for name in ("train", "valid", "test"):
        if name not in corpus.splits:
            what = f"there is no split {name!r}"
            yield Finding("warning" if name == "valid" else "note", "splits", what)


def _labels(corpus: Corpus) -> Iterator[Finding]:
    middle = sum(corpus.spec.label_range) / 2 if corpus.spec.label_range else None
    for name, clips in corpus.splits.items():
        unknown = int(np.isnan(clips.labels).any(1).sum())
        if unknown:
            what = f"{unknown:,} of {len(clips):,} clips of {name} have an unknown label"
            useless = name != "test" and unknown == len(clips)
            yield Finding("error" if useless else "warning", "labels", what)
        known = clips.labels[~np.isnan(clips.labels).any(1), 0]
        if len(known) and middle is not None:
            yield _balance(name, known, middle)
        if len(known) > 1 and len(np.unique(known)) == 1:
            yield Finding("error", "labels", f"every clip of {name} has the label {known[0]:g}")


def _balance(split: str, known: Float[np.ndarray, "n"], middle: float) -> Finding:
    shares = {
        "below": float((known < middle).mean()),
        "at": float((known == middle).mean()),
        "above": float((known > middle).mean()),
    }
    rare = min(shares["below"], shares["above"]) < RARE
    said = ", ".join(f"{share:.0%} {where}" for where, share in shares.items())
    what = f"labels of {split}: {said} {middle:g}"
    return Finding("warning" if rare else "note", "balance", what, facts=shares)


def _lengths(corpus: Corpus) -> Iterator[Finding]:
    for name in corpus.spec.features:
        lengths = {s: clips.features[name].lengths for s, clips in corpus.splits.items()}
        there = np.concatenate([np.zeros(0, int), *(n[n > 0] for n in lengths.values())])
        if not len(there) or there.max() == 1:
            continue
        at_most = float((there == there.max()).mean())
        if CUT < at_most < 1:
            what = f"{at_most:.0%} of {name} are exactly {there.max()} steps long: cut to that"
            yield Finding("note", "lengths", what)
        long = [i for s, n in lengths.items() for i in _longer(corpus.splits[s], n, there)]
        if long:
            what = f"{len(long)} of {name} are more than {LONG} times the median of "
            yield Finding("note", "lengths", f"{what}{np.median(there):g} steps", some(long))


def _longer(clips: Clips, lengths: np.ndarray, there: np.ndarray) -> list[str]:
    return [clips.ids[int(i)] for i in np.flatnonzero(lengths > LONG * np.median(there))]
