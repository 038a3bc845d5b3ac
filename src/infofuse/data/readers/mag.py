"""The pickle of MAG-BERT, and those of MISA and MMIM: a list of tuples for each split.

{"train": [clip, ...], "dev" (or "valid"): [...], "test": [...]}, or a folder of train.pkl, dev.pkl
and test.pkl with a list each. A clip is

    ((words, visual, acoustic), label, segment)

with visual and acoustic of shape (steps, width), one step per word, label of shape (1, 1) or
(1, k), and segment an id such as "VIDEO[3]". In MISA's files words are numbers of a vocabulary,
and a fourth field beside acoustic has the words themselves; MMIM's have two lengths after it. Some
lack the segment, and some have another id after it.

Sources: Rahman et al. (2020, arXiv 1908.05787), Hazarika et al. (2020, arXiv 2005.03545) and Han
et al. (2021, arXiv 2109.00412), and the readers of their releases.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

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
from infofuse.data.layouts.columns import numbers, strings
from infofuse.data.readers import Sureness
from infofuse.data.unpickle import load_pickle, looks_like_pickle
from infofuse.errors import InfofuseError

_LAYOUT = Layout(modalities=("audio", "vision"), numbered=True)
_FILES = ("train.pkl", "valid.pkl", "dev.pkl", "test.pkl")
_MOST_LABELS = 1000
_CLIP = "((words, visual, acoustic), label, segment)"

Clip = tuple[tuple[Any, ...], Any, Any]
"""Words, visual, acoustic and what else there is; label; segment, None where there is none."""


def recognises(path: Path) -> Sureness:
    """Certain of a pickled dictionary, or a folder of pickles, of lists that begin with a clip as
    above; lists of other tuples may be anything."""
    if not path.is_dir() and not looks_like_pickle(path):
        return Sureness.NO
    data = _load(path)
    splits = [*filter(_is_split, data.values())] if isinstance(data, dict) else []
    if any(_is_clip(items[0]) for items in splits):
        return Sureness.CERTAIN
    return Sureness.POSSIBLE if splits else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a file or folder; its features are copied into memory.

    Raises InfofuseError if a clip has other fields, or those of two clips do not fit.
    """
    data = _load(path)
    with naming(path):
        lists = splits_of(data, list, _is_split)
        parts = {split: _part(split, items) for split, items in lists.items()}
        corpus = corpus_of(path.stem, parts, _LAYOUT)
    columns = seven_labels(corpus.spec.outputs)
    notes = ["layout: MAG", *columns, *corpus.notes, *_loose(parts), *unread(data, SPLIT_NAMES)]
    return replace(corpus, notes=tuple(notes))


def _load(path: Path) -> Any:
    if not path.is_dir():
        return load_pickle(path)
    files = [path / name for name in _FILES if (path / name).is_file()]
    return {file.stem: load_pickle(file) for file in files}


def _is_split(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and isinstance(value[0], tuple)


def _is_clip(item: tuple[Any, ...]) -> bool:
    return bool(item) and isinstance(item[0], tuple | list) and len(item[0]) >= 3


def _clip(place: str, item: Any) -> Clip:
    """A clip of two, three or four fields, the first of which has three or more."""
    if not isinstance(item, tuple | list):
        raise InfofuseError(f"{place} is a {type(item).__name__}; {_CLIP} was expected")
    if not 2 <= len(item) <= 4:
        raise InfofuseError(f"{place} has {len(item)} fields; {_CLIP} was expected")
    fields = item[0]
    if not isinstance(fields, tuple | list) or len(fields) < 3:
        found = f"{len(fields)} fields" if isinstance(fields, tuple | list) else "no tuple"
        raise InfofuseError(f"{place} begins with {found}; {_CLIP} was expected")
    return tuple(fields), item[1], item[2] if len(item) > 2 else None


def _part(split: str, items: list[Any]) -> dict[str, Any]:
    """The same as columns; "words" counts the words of each clip, None where unknown."""
    place = f"split {split!r}"
    if not items:
        raise InfofuseError(f"{place} has no clips")
    clips = [_clip(f"{place}, clip {i},", item) for i, item in enumerate(items)]
    texts = _texts(place, [fields[3] if len(fields) > 3 else fields[0] for fields, _, _ in clips])
    part = {
        "labels": _labels(place, [label for _, label, _ in clips]),
        "raw_text": [text for text, _ in texts],
        "words": [count for _, count in texts],
        "audio": [fields[2] for fields, _, _ in clips],
        "vision": [fields[1] for fields, _, _ in clips],
    }
    segments = [segment for _, _, segment in clips]
    if any(segment is not None for segment in segments):
        part["id"] = segments
    return part


def _texts(place: str, column: list[Any]) -> list[tuple[str, int | None]]:
    """Each clip's words in one string and their number; none if they are a vocabulary's numbers."""
    known: dict[int, tuple[str, int | None]] = {}  # so that what stands twice is made once
    for i, words in enumerate(column):
        if id(words) not in known:
            at = f"{place}, clip {i}: words"
            texts = None if _is_coded(at, words) else strings(at, words)
            known[id(words)] = ("", None) if texts is None else (" ".join(texts), len(texts))
    return [known[id(words)] for words in column]


def _is_coded(place: str, words: Any) -> bool:
    """Whether they are numbers of a vocabulary. Features in their place are refused."""
    if isinstance(words, np.ndarray) and words.dtype.kind == "f" and words.size:
        raise InfofuseError(f"{place} are numbers of shape {words.shape}, no words; {_CLIP} was "
                            f"expected")  # fmt: skip
    items = words.ravel().tolist() if isinstance(words, np.ndarray) else words
    return isinstance(items, list | tuple) and any(isinstance(x, int | float) for x in items)


def _labels(place: str, column: list[Any]) -> np.ndarray:
    rows = [_label(f"{place}, clip {i}: label", label) for i, label in enumerate(column)]
    sizes = sorted({row.size for row in rows})
    if len(sizes) > 1:
        raise InfofuseError(f"{place} has labels of {sizes[0]} and of {sizes[-1]} numbers")
    return np.stack(rows)


def _label(place: str, label: Any) -> np.ndarray:
    several = isinstance(label, list | tuple | np.ndarray)
    size = np.size(label) if isinstance(label, np.ndarray) else len(label) if several else 1
    if size > _MOST_LABELS:
        raise InfofuseError(f"{place} is of {size:,} numbers; at most {_MOST_LABELS} are read")
    return numbers(place, label if several else [label]).ravel()


def _loose(parts: Mapping[str, dict[str, Any]]) -> list[str]:
    """Notes on the clips that have not one step a word, and on words that are not there."""
    keys = ("words", "audio", "vision")
    clips = [clip for p in parts.values() for clip in zip(*(p[k] for k in keys), strict=True)]
    coded = sum(words is None for words, _, _ in clips)
    loose = sum(len(a) != len(v) or words not in (None, len(a)) for words, a, v in clips)
    notes = [f"words: numbers of a vocabulary in {coded} clips, not read"] if coded else []
    return [*notes, f"{loose} of {len(clips)} clips have not one step a word"] if loose else notes
