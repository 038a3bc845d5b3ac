"""Twins of known data sets: their true counts, widths and padding, with generated content.

Lengths are distributed as those of CMU-MOSI's segments: of log-normal duration, median 3.33 s and
deviation 0.67 of the logarithm; 10 words in the median; the longest segment, of 38.75 s, fills the
file's padding. Words are English whatever the data set's language. Dense text features are one
random vector per word. The label comes from the generated corpus, on the data set's scale; where
there are several, each is it and as much noise of its own.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from infofuse.data import known
from infofuse.data.corpus import SPLITS, Corpus
from infofuse.data.known import Known, Labels
from infofuse.data.synthetic.config import LABEL_END, SyntheticConfig
from infofuse.data.synthetic.make import make
from infofuse.errors import InfofuseError, unknown
from infofuse.types import Clips, Ragged

SECONDS, SPREAD, LONGEST, WORDS_RATE = 3.33, 0.67, 38.75, 3.0
_STEPS = 50  # the padding of a modality of which none is recorded
_CONVENTIONS = {(-3.0, 3.0): "mosi", (-1.0, 1.0): "sims"}
_GRID = 1024  # features are multiples of 1 / _GRID, as in the generated corpora


def twins() -> list[str]:
    """The variants that have one: with published counts and a scale of labels."""
    return sorted(v.name for v in known.variants() if v.clips and v.dataset.labels[0].scale)


def twin(name: str, scale: float = 1.0, seed: int = 0) -> Corpus:
    """A twin by name, such as "mosi-unaligned". scale: the share of its clips that are made.

    Raises InfofuseError for a name that is not known, and for a scale that is not in (0, 1].
    """
    if name not in twins():
        raise unknown("variant of a data set", name, twins())
    if not 0 < scale <= 1:
        raise InfofuseError(f"the scale of a twin is more than 0 and at most 1; found {scale}")
    like = next(v for v in known.variants() if v.name == name)
    made = make(_config(like, scale), seed)
    labels = like.dataset.labels[0]
    rng = np.random.default_rng([seed, 1])
    splits = {s: _like(like, labels, made.splits[s], rng) for s in like.clips}
    span = labels.scale or (-LABEL_END, LABEL_END)
    spec = replace(
        made.spec,
        name=f"{name}-twin",
        features=dict(like.variant.features),
        text="text" in like.variant.features,
        outputs=labels.outputs,
        label_range=span,
        metrics=_CONVENTIONS.get(span, "plain"),
    )
    return Corpus(
        spec, splits, (f"{made.notes[0]}: a twin of {like.dataset.title}, no real clips",)
    )


def _config(like: Known, scale: float) -> SyntheticConfig:
    widths, most = like.variant.features, like.variant.most_steps
    train, valid, test = (max(1, round(scale * like.clips.get(s, 1))) for s in SPLITS)
    return SyntheticConfig(
        train=train,
        valid=valid,
        test=test,
        seconds=SECONDS,
        seconds_spread=SPREAD,
        audio_width=widths["audio"],
        audio_rate=most.get("audio", _STEPS) / LONGEST,
        vision_width=widths["vision"],
        vision_rate=most.get("vision", _STEPS) / LONGEST,
        words_rate=WORDS_RATE,
        words_max=max(4, most.get("text", _STEPS)),
    )


def _like(like: Known, labels: Labels, clips: Clips, rng: np.random.Generator) -> Clips:
    """The clips with the variant's columns."""
    words = [text.split() for text in clips.texts]
    features = dict(clips.features)
    if like.variant.aligned:
        counts = np.array([len(w) for w in words])
        features = {m: _resampled(r, counts) for m, r in features.items()}
    if "text" in like.variant.features:
        features["text"] = _vectors(words, like.variant.features["text"])
    features = {
        m: _cut(features[m], like.variant.most_steps.get(m, _STEPS)) for m in like.variant.features
    }
    texts = clips.texts if "text" in features else [""] * len(clips)
    return replace(clips, features=features, texts=texts, labels=_labels(labels, clips, rng))


def _resampled(ragged: Ragged, counts: Int[np.ndarray, "n"]) -> Ragged:
    """As many steps a clip as `counts` says, taken at even distances."""
    starts, clip = np.cumsum(counts) - counts, np.repeat(np.arange(len(counts)), counts)
    place = (np.arange(len(clip)) - starts[clip]) * ragged.lengths[clip] // counts[clip]
    return Ragged.laid(ragged.values[ragged.offsets[clip] + place], counts)


def _cut(ragged: Ragged, most: int) -> Ragged:
    """The first `most` steps of each sequence."""
    kept = np.arange(len(ragged.values)) - np.repeat(ragged.offsets[:-1], ragged.lengths) < most
    return Ragged.laid(ragged.values[kept], np.minimum(ragged.lengths, most))


def _vectors(texts: Sequence[Sequence[str]], width: int) -> Ragged:
    table = {w: _vector(w, width) for w in sorted({w for text in texts for w in text})}
    return Ragged.of([np.stack([table[w] for w in text]) for text in texts])


def _vector(word: str, width: int) -> Float[np.ndarray, "width"]:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
    values = np.random.default_rng(seed).standard_normal(width)
    return (np.round(values * _GRID) / _GRID).astype(np.float32)


def _labels(labels: Labels, clips: Clips, rng: np.random.Generator) -> Float[np.ndarray, "n k"]:
    low, high = labels.scale or (-LABEL_END, LABEL_END)
    share = clips.labels.astype(float) / LABEL_END
    if labels.outputs > 1:
        noise = share.std() * rng.standard_normal((len(share), labels.outputs))
        share = np.clip((share + noise) / np.sqrt(2), -1, 1)
    return (low + (share + 1) / 2 * (high - low)).astype(np.float32)
