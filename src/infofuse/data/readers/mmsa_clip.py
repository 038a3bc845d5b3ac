"""One clip, as MMSA-FET's `run_single` pickles it: its features by modality, and no label.

{"text", "audio", "vision": (steps, width), any of them; "text_bert": not read;
 "raw_text": a string, "id": a string, where somebody added them}

Source: Mao et al. (2022, arXiv 2203.12441), src/MSA_FET/single.py of their release.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import Layout, corpus_of, naming, unread
from infofuse.data.readers import Sureness
from infofuse.data.unpickle import load_pickle, looks_like_pickle

_LAYOUT = Layout()
_KNOWN = {"id", "raw_text", "text_bert", *_LAYOUT.modalities}


def recognises(path: Path) -> Sureness:
    """Likely for a pickled dictionary with an array of (steps, width) for a modality."""
    if not looks_like_pickle(path):
        return Sureness.NO
    data = load_pickle(path)
    found = isinstance(data, dict) and any(_is_sequence(data.get(m)) for m in _LAYOUT.modalities)
    return Sureness.LIKELY if found else Sureness.NO


def read(path: Path) -> Corpus:
    """A corpus of one clip in the split "test", its label unknown, named after the file.

    Raises InfofuseError if a modality is no array of (steps, width).
    """
    data = load_pickle(path)
    with naming(path):
        corpus = corpus_of(path.stem, {"test": _part(path.stem, data)}, _LAYOUT)
    return replace(corpus, notes=(*corpus.notes, *unread(data, _KNOWN)))


def _is_sequence(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 2


def _part(name: str, data: dict[Any, Any]) -> dict[str, Any]:
    """The same as a split of one clip."""
    part = {m: [data[m]] for m in _LAYOUT.modalities if data.get(m) is not None}
    ids, texts = [data.get("id", name)], [data.get("raw_text", "")]
    return {"id": ids, "raw_text": texts, "labels": [float("nan")], **part}
