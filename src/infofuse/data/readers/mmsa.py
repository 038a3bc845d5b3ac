"""The pickle that the field exchanges, as MMSA writes it: padded arrays by split.

{"train" | "valid" (or "dev") | "test": {
    "id": (n,) such as "VIDEO$_$CLIP", "raw_text": (n,), "regression_labels": (n,) or (n, 1),
    "text": (n, time, width) features of the words, "audio", "vision": (n, time, width),
    "audio_lengths", "vision_lengths": (n,) in files that are not aligned to words,
    "regression_labels_T", "_A", "_V": labels by one modality alone, as CH-SIMS has them,
    "text_bert", "annotations", "classification_labels": not needed, not read}}

In an aligned file the modalities share their steps, and step i belongs to token i in all of them.
Words and features keep both: the spec's `text` says that there are words, and its feature
modality "text" holds their features.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import SPLIT_NAMES, Layout, corpus_of, naming, splits_of, unread
from infofuse.data.layouts.modalities import aligned
from infofuse.data.readers import Sureness
from infofuse.data.unpickle import load_pickle, looks_like_pickle

_LABELS = "regression_labels"
_UNIMODAL = {"text": f"{_LABELS}_T", "audio": f"{_LABELS}_A", "vision": f"{_LABELS}_V"}
_LAYOUT = Layout(labels=_LABELS, unimodal=_UNIMODAL)
_CLASSES = {f"classification_labels{end}" for end in ("", "_T", "_A", "_V")}
_OWN = {"raw_text", "text_bert", "annotations", *_CLASSES, _LABELS, *_UNIMODAL.values()}
_LENGTHS = {f"{modality}_lengths" for modality in _LAYOUT.modalities}
_KNOWN = {*SPLIT_NAMES, "id", *_OWN, *_LAYOUT.modalities, *_LENGTHS}


def recognises(path: Path) -> Sureness:
    """Likely for a pickled dictionary of splits with keys that only this layout has."""
    if not looks_like_pickle(path):
        return Sureness.NO
    data = load_pickle(path)
    found = isinstance(data, dict) and any(map(_is_split, data.values()))
    return Sureness.LIKELY if found else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a file; its features, unpadded, are copied into memory.

    Raises InfofuseError if a key is missing or columns do not fit one another.
    """
    data = load_pickle(path)
    with naming(path):
        parts = splits_of(data, dict, _is_split)
        corpus = corpus_of(path.stem, parts, _LAYOUT)
    kind = "aligned" if aligned(parts, _LAYOUT.modalities) else "unaligned"
    keys = [*data, *(key for part in parts.values() for key in part)]
    return replace(corpus, notes=(f"layout: MMSA {kind}", *corpus.notes, *unread(keys, _KNOWN)))


def _is_split(value: Any) -> bool:
    return isinstance(value, dict) and not _OWN.isdisjoint(value)
