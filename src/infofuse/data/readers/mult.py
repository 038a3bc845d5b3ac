"""The pickle of MulT and of MultiBench: padded arrays by split, without words.

{"train" | "valid" | "test": {
    "text", "audio", "vision": (n, time, width), zero-padded at the beginning as a rule,
    "labels": (n, 1, 1), (n, 1), or (n, 1, 7): sentiment and six emotions, as MOSEI has them,
    "id": n strings, or (n, 3) of video, start and end; bytes in MOSI's; missing in some}}

Sources: Tsai et al. (2019, arXiv 1906.00295), src/dataset.py of their release; Liang et al.
(2021, arXiv 2107.07502), datasets/affect of theirs.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import (
    SPLIT_NAMES,
    Layout,
    corpus_of,
    naming,
    seven_labels,
    splits_of,
    unread,
)
from infofuse.data.layouts.modalities import aligned
from infofuse.data.readers import Sureness
from infofuse.data.unpickle import load_pickle, looks_like_pickle

_MODALITIES = ("text", "audio", "vision")
_KNOWN = {*SPLIT_NAMES, "id", "labels", *_MODALITIES}


def recognises(path: Path) -> Sureness:
    """Possible for a pickled dictionary of splits with labels and a modality."""
    if not looks_like_pickle(path):
        return Sureness.NO
    data = load_pickle(path)
    found = isinstance(data, dict) and any(map(_is_split, data.values()))
    return Sureness.POSSIBLE if found else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a file; its features, unpadded, are copied into memory.

    An id of three parts becomes "VIDEO$_$START_END". Raises InfofuseError if a key is missing or
    columns do not fit one another.
    """
    data = load_pickle(path)
    with naming(path):
        parts = splits_of(data, dict, _is_split)
        corpus = corpus_of(path.stem, parts, Layout(numbered=True))
    kind = "aligned" if aligned(parts, _MODALITIES) else "noalign"
    keys = [*data, *(key for part in parts.values() for key in part)]
    columns = seven_labels(corpus.spec.outputs)
    return replace(
        corpus, notes=(f"layout: MulT {kind}", *columns, *corpus.notes, *unread(keys, _KNOWN))
    )


def _is_split(value: Any) -> bool:
    return isinstance(value, dict) and "labels" in value and any(m in value for m in _MODALITIES)
