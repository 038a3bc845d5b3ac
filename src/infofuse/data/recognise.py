"""Which known data set, split and variant a corpus looks like.

The split is recognised by its counts, the variant by its widths and by lengths that its padding
allows. Neither is proof; `infofuse audit` compares more.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from infofuse.data import known
from infofuse.data.corpus import Corpus
from infofuse.data.known import Known, Split

_ROUNDING = 1e-4


@dataclass(frozen=True)
class Likeness:
    """What a corpus looks like, by name.

    dataset, split: of which the counts are, None where of none. variants: whose widths the
    features have, in words; the first is the likeliest.
    """

    dataset: str | None
    split: str | None
    variants: tuple[str, ...]

    def sentence(self) -> str:
        """Such as "looks like CMU-MOSI, official split; MulT noalign: audio 5, vision 20"."""
        if not self.dataset and not self.variants:
            return "looks like nothing known here: neither its counts nor its widths are published"
        parts = [f"{self.dataset}, {self.split} split"] if self.dataset else []
        parts += [self.variants[0]] if self.variants else ["widths of no known variant"]
        return "looks like " + "; ".join(parts)


def likeness(corpus: Corpus) -> Likeness:
    """Compare with everything that is known."""
    dataset, split = published_split(corpus) or (None, None)
    found = [k for k in known.variants() if _fits(k, corpus)]
    found.sort(key=lambda k: _distance(k, dataset, corpus))
    return Likeness(
        dataset.title if dataset else None,
        split.name if split else None,
        tuple(_say(k, corpus) for k in found),
    )


def published_split(corpus: Corpus) -> tuple[known.Dataset, Split] | None:
    """The published split that has these counts, and whose labels' scale holds these labels."""
    counts = {name: len(clips) for name, clips in corpus.splits.items()}
    for name in known.names():
        dataset = known.get(name)
        for split in dataset.splits:
            if split.clips == counts and _within(dataset, corpus):
                return dataset, split
    return None


def _within(dataset: known.Dataset, corpus: Corpus) -> bool:
    """Whether some set of labels could hold these; classes are not compared."""
    span = label_span(corpus)
    return span is None or any(
        labels.scale is None or lies_within(span, labels.scale) for labels in dataset.labels
    )


def label_span(corpus: Corpus) -> tuple[float, float] | None:
    """The least and the greatest known label, None if none is known."""
    values = np.concatenate([np.zeros(0), *(c.labels.ravel() for c in corpus.splits.values())])
    known_ones = values[~np.isnan(values)]
    return (float(known_ones.min()), float(known_ones.max())) if len(known_ones) else None


def lies_within(span: tuple[float, float], scale: tuple[float, float]) -> bool:
    """Whether labels are on a scale, but for the rounding of 32-bit floats."""
    return scale[0] - _ROUNDING <= span[0] and span[1] <= scale[1] + _ROUNDING


def _fits(one: Known, corpus: Corpus) -> bool:
    """Audio and vision are as wide, labels within the scale, lengths within the padding.

    The width of the text says which encoder ran, and a file may hold the words alone.
    """
    widths = {m: w for m, w in corpus.spec.features.items() if m != "text"}
    same = _same(one, corpus)
    if not widths or not same.issuperset(widths) or not _within(one.dataset, corpus):
        return False
    return all(_longest(corpus, m) <= one.variant.most_steps.get(m, np.inf) for m in same)


def _distance(one: Known, dataset: known.Dataset | None, corpus: Corpus) -> tuple[bool, int, bool]:
    """Less for the data set of these counts, more equal widths, and as it is aligned."""
    modalities = sorted(set(corpus.spec.features) - {"text"})
    unlike = one.variant.aligned != _aligned(corpus, modalities)
    return one.dataset != dataset, -len(_same(one, corpus)), unlike


def _same(one: Known, corpus: Corpus) -> set[str]:
    """The modalities that are as wide in both."""
    return {m for m, w in one.variant.features.items() if corpus.spec.features.get(m) == w}


def _longest(corpus: Corpus, modality: str) -> int:
    columns = [clips.features[modality] for clips in corpus.splits.values()]
    return max((int(c.lengths.max(initial=0)) for c in columns), default=0)


def _aligned(corpus: Corpus, modalities: list[str]) -> bool:
    """Whether nine clips of ten that have two modalities have as many steps of either."""
    same = both = 0
    for clips in corpus.splits.values():
        for one, other in pairwise(modalities):
            a, b = clips.features[one].lengths, clips.features[other].lengths
            there = (a > 0) & (b > 0)
            both += int(there.sum())
            same += int((a == b)[there].sum())
    return same >= 0.9 * both


def _say(one: Known, corpus: Corpus) -> str:
    widths = ", ".join(f"{m} {one.variant.features[m]}" for m in sorted(_same(one, corpus)))
    return f"{one.variant.title} of {one.dataset.title} ({one.name}): {widths}"
