"""Arrays by split, in memory or as a file holds them, to a corpus."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.assemble import assemble
from infofuse.data.layouts.columns import check_unimodal, ids, labels, strings, videos
from infofuse.data.layouts.modalities import Part, check_count, check_widths, read_features, where
from infofuse.errors import InfofuseError, closest, listed, unknown
from infofuse.types import Clips

SPLIT_NAMES = {
    "train": "train",
    "valid": "valid",
    "dev": "valid",
    "val": "valid",
    "validation": "valid",
    "test": "test",
}
"""Our name of a split by the names that files give it."""


@dataclass(frozen=True)
class Layout:
    """What a kind of file calls its columns; `MODALITY_lengths` are the steps of a modality.

    numbered: whether clips without ids are numbered rather than refused. unimodal: the labels by
    one modality alone.
    """

    labels: str = "labels"
    texts: str = "raw_text"
    modalities: Sequence[str] = ("text", "audio", "vision")
    numbered: bool = False
    unimodal: Mapping[str, str] = field(default_factory=dict)


def from_arrays(splits: Mapping[str, Part], name: str = "arrays") -> Corpus:
    """A corpus from a dictionary of "train", "valid" and "test", each a dictionary of columns:

    "labels": (n,) or (n, k), NaN where unknown. "id" and "raw_text": n strings, if there are any.
    MODALITY, by any other name: an array (n, time, width), zero-padded at either end, or n arrays
    (steps, width). "MODALITY_lengths": (n,), the real steps of a padded array.

    Arrays are of NumPy or torch. Ids that are not given are numbers, and every clip is then its
    own group; else the group is what the id names the video of. Features are copied, as float32.

    Raises InfofuseError if columns do not fit one another.
    """
    parts = _arrays(splits_of(splits, dict, lambda _: True))
    return corpus_of(name, parts, Layout(modalities=_modalities(parts), numbered=True))


def _arrays(value: Any) -> Any:
    """The same with tensors as arrays."""
    if isinstance(value, Mapping):
        return {key: _arrays(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_arrays(item) for item in value]
    return value.numpy(force=True) if isinstance(value, Tensor) else value


def _modalities(parts: Mapping[str, Part]) -> list[str]:
    """Every column but ids, words and labels, and but the lengths of another."""
    keys = dict.fromkeys(str(key) for part in parts.values() for key in part)
    own = {"id", "raw_text", "labels", *(f"{key}_lengths" for key in keys)}
    return [key for key in keys if key not in own]


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Within this block a refusal begins with the path."""
    try:
        yield
    except InfofuseError as error:
        raise InfofuseError(f"{path}: {error}") from None


def seven_labels(outputs: int) -> list[str]:
    """A note on the order of seven label columns, which are those of CMU-MOSEI."""
    order = "sentiment, happy, sad, anger, surprise, disgust, fear"
    return [f"labels: 7 columns, as MOSEI has them: {order}"] if outputs == 7 else []


def unread(keys: Iterable[Any], known: Iterable[str]) -> list[str]:
    """A note for each key that is not known."""
    return [f"{key}: not read" for key in sorted({str(key) for key in keys} - set(known))]


def splits_of(data: Any, kind: type, is_split: Callable[[Any], bool]) -> dict[str, Any]:
    """What a dictionary holds for each split, by our names of the splits.

    Raises InfofuseError if there is none, one twice, one that is of another kind, or something
    that `is_split` by another name.
    """
    found: dict[str, str] = {}
    for key, value in data.items() if isinstance(data, dict) else ():
        split = SPLIT_NAMES.get(key) if isinstance(key, str) else None
        if split in found:
            raise InfofuseError(f"there is both a split {found[split]!r} and a split {key!r}")
        if split is not None and not isinstance(value, kind):
            raise InfofuseError(
                f"split {key!r} is a {type(value).__name__}, and a {kind.__name__} was expected"
            )
        if split is not None:
            found[split] = key
        elif is_split(value):
            raise unknown("split", str(key), SPLIT_NAMES)
    if not found:
        raise InfofuseError(f"it has none of the splits {', '.join(map(repr, SPLIT_NAMES))}")
    return {split: data[key] for split, key in found.items()}


def corpus_of(name: str, parts: Mapping[str, Part], layout: Layout) -> Corpus:
    """The corpus in the columns of a layout. Raises InfofuseError if they do not fit."""
    columns = {split: _columns(split, part, layout) for split, part in parts.items()}
    clips = {split: len(column["ids"]) for split, column in columns.items()}
    features, notes = read_features(parts, layout.modalities, clips)
    check_widths(layout.labels, {split: c["labels"].shape[1] for split, c in columns.items()})
    groups = videos({split: column["ids"] for split, column in columns.items()})
    splits = {
        split: Clips(
            features={m: ragged[split] for m, ragged in features.items()}, groups=groups[split], **c
        )
        for split, c in columns.items()
    }
    return assemble(name, splits, notes)


def _columns(split: str, part: Part, layout: Layout) -> dict[str, Any]:
    """Ids, labels and texts of a split."""
    scores = labels(where(split, layout.labels), _need(split, part, layout.labels))
    names = _ids(split, part, layout, len(scores))
    check_count(split, layout.labels, len(scores), len(names))
    texts = strings(where(split, layout.texts), part.get(layout.texts, [""] * len(names)))
    check_count(split, layout.texts, len(texts), len(names))
    return {
        "ids": names,
        "labels": scores,
        "texts": texts,
        "unimodal": _unimodal(split, part, layout, scores),
    }


def _unimodal(
    split: str, part: Part, layout: Layout, scores: Float[np.ndarray, "n k"]
) -> dict[str, Float[np.ndarray, "n k"]]:
    found = {}
    for modality, key in layout.unimodal.items():
        if part.get(key) is not None:
            column = labels(where(split, key), part[key])
            check_count(split, key, len(column), len(scores))
            check_unimodal(where(split, key), column, scores)
            found[modality] = column
    return found


def _ids(split: str, part: Part, layout: Layout, count: int) -> list[str]:
    if layout.numbered and "id" not in part:
        return [f"{split}-{i}" for i in range(count)]
    found = ids(where(split, "id"), _need(split, part, "id"))
    if not found:
        raise InfofuseError(f"split {split!r} has no clips")
    return found


def _need(split: str, part: Part, key: str) -> Any:
    if key not in part:
        near = closest(key, map(str, part))
        hint = f"found {near!r}: call it {key!r}" if near else f"it has {listed(map(str, part))}"
        raise InfofuseError(f"split {split!r} has no {key!r}; {hint}")
    return part[key]
