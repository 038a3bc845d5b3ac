"""The pickle that the field exchanges, as MMSA writes it: padded arrays by split.

{"train" | "valid" (or "dev") | "test": {
    "id": (n,) such as "VIDEO$_$CLIP", "raw_text": (n,), "regression_labels": (n,) or (n, 1),
    "text": (n, time, width) features of the words, "audio", "vision": (n, time, width),
    "audio_lengths", "vision_lengths": (n,) in files that are not aligned to words,
    "regression_labels_T", "_A", "_V": labels by one modality alone, as CH-SIMS has them,
    "text_bert", "annotations", "classification_labels": not needed, not read}}

Words and features keep both: the spec's `text` says that there are words, and its feature
modality "text" holds their features.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from infofuse.data.columns import frames, labels, lengths, scale, strings, video
from infofuse.data.corpus import Corpus
from infofuse.data.padding import unpad
from infofuse.data.spec import DataSpec
from infofuse.data.unpickle import load_pickle, looks_like_pickle
from infofuse.errors import InfofuseError, nearest, unknown
from infofuse.types import Clips, Ragged

_SPLITS = {"train": "train", "valid": "valid", "dev": "valid", "test": "test"}
_LABEL = "regression_labels"
_MODALITIES = ("text", "audio", "vision")
_UNIMODAL = {modality: f"{_LABEL}_{modality[0].upper()}" for modality in _MODALITIES}
_CLASSES = {f"classification_labels{end}" for end in ("", "_T", "_A", "_V")}
_OWN = {"raw_text", "text_bert", "annotations", _LABEL, *_UNIMODAL.values(), *_CLASSES}
_KNOWN = {"id", *_OWN, *_MODALITIES, *(f"{name}_lengths" for name in _MODALITIES)}

Part = Mapping[str, Any]


def recognises(path: Path) -> bool:
    """Whether it is a pickled dictionary of splits with keys that only this layout has."""
    if not looks_like_pickle(path):
        return False
    data = load_pickle(path)
    return isinstance(data, dict) and any(map(_is_part, data.values()))


def read(path: Path) -> Corpus:
    """The corpus in such a file; its features, unpadded, are copied into memory.

    Raises InfofuseError if a key is missing or columns do not fit one another.
    """
    data = load_pickle(path)
    try:
        return _corpus(path.stem, data)
    except InfofuseError as error:
        raise InfofuseError(f"{path}: {error}") from None


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and not _OWN.isdisjoint(value)


def _corpus(name: str, data: Any) -> Corpus:
    parts = _parts(data)
    columns = {split: _columns(split, part) for split, part in parts.items()}
    clips = {split: len(c["ids"]) for split, c in columns.items()}
    features, notes = _features(parts, clips)
    unimodal = _unimodal(parts, clips)
    scores = np.concatenate([c["labels"] for c in columns.values()])
    label_range, metrics = scale(scores)
    spec = DataSpec(
        name=name,
        features={m: next(iter(ragged.values())).width for m, ragged in features.items()},
        text=any(any(c["texts"]) for c in columns.values()),
        label_range=label_range,
        metrics=metrics,
        unimodal=tuple(unimodal),
    )
    splits = {
        split: Clips(
            features={m: ragged[split] for m, ragged in features.items()},
            unimodal={m: by_split[split] for m, by_split in unimodal.items()},
            **c,
        )
        for split, c in columns.items()
    }
    notes += _notes(columns, scores) + _unread(data, parts)
    return Corpus(spec, splits, tuple(notes))


def _parts(data: Any) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for key, value in data.items() if isinstance(data, dict) else ():
        if key in _SPLITS and isinstance(value, dict):
            if _SPLITS[key] in parts:
                raise InfofuseError("there is both a split 'valid' and a split 'dev'; keep one")
            parts[_SPLITS[key]] = value
        elif _is_part(value):
            raise unknown("split", str(key), _SPLITS)
    if not parts:
        raise InfofuseError(f"it has none of the splits {', '.join(map(repr, _SPLITS))}")
    return parts


def _columns(split: str, part: Part) -> dict[str, Any]:
    """Ids, labels, texts and groups of a split."""
    ids = strings(_where(split, "id"), _need(split, part, "id"))
    if not ids:
        raise InfofuseError(f"split {split!r} has no clips")
    scores = labels(_where(split, _LABEL), _need(split, part, _LABEL))
    texts = strings(_where(split, "raw_text"), part.get("raw_text", [""] * len(ids)))
    _check_count(split, _LABEL, len(scores), len(ids))
    _check_count(split, "raw_text", len(texts), len(ids))
    return {"ids": ids, "labels": scores, "texts": texts, "groups": [video(clip) for clip in ids]}


def _unimodal(
    parts: Mapping[str, Part], clips: Mapping[str, int]
) -> dict[str, dict[str, np.ndarray]]:
    """Labels by one modality alone, by modality and split; NaN in a split that has none."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for modality, key in _UNIMODAL.items():
        columns = _by_split(parts, key, labels, clips)
        if columns:
            unknown_labels = {s: np.full((n, 1), np.nan, np.float32) for s, n in clips.items()}
            found[modality] = unknown_labels | columns
    return found


def _where(split: str, key: str) -> str:
    return f"split {split!r}: {key!r}"


def _need(split: str, part: Part, key: str) -> Any:
    if key not in part:
        raise InfofuseError(f"split {split!r} has no {key!r}; {nearest(key, map(str, part))}")
    return part[key]


def _check_count(split: str, key: str, found: int, expected: int) -> None:
    if found != expected:
        raise InfofuseError(f"split {split!r} has {found} rows of {key!r} for {expected} ids")


def _features(
    parts: Mapping[str, Part], clips: Mapping[str, int]
) -> tuple[dict[str, dict[str, Ragged]], list[str]]:
    """The sequences, by modality and split, of each modality that any clip has."""
    features: dict[str, dict[str, Ragged]] = {}
    notes: list[str] = []
    for modality in _MODALITIES:
        padded = _by_split(parts, modality, frames, clips)
        if not padded:
            notes.append(f"{modality}: no features")
            continue
        _check_alike(modality, padded, parts)
        lengths_of = _by_split(parts, f"{modality}_lengths", lengths, clips)
        sequences, noticed = unpad(modality, padded, lengths_of)
        notes += noticed
        if any(ragged.offsets[-1] > 0 for ragged in sequences.values()):
            features[modality] = sequences
    return features, notes


def _by_split(
    parts: Mapping[str, Part],
    key: str,
    read_column: Callable[[str, Any], np.ndarray],
    clips: Mapping[str, int],
) -> dict[str, np.ndarray]:
    """A column of the splits that have it, one row a clip."""
    columns = {
        split: read_column(_where(split, key), part[key])
        for split, part in parts.items()
        if part.get(key) is not None
    }
    for split, column in columns.items():
        _check_count(split, key, len(column), clips[split])
    return columns


def _check_alike(
    modality: str, padded: Mapping[str, np.ndarray], parts: Mapping[str, Part]
) -> None:
    missing = [split for split in parts if split not in padded]
    if missing:
        raise InfofuseError(f"split {missing[0]!r} has no {modality!r}, and another split has it")
    widths = {split: column.shape[2] for split, column in padded.items()}
    if len(set(widths.values())) > 1:
        raise InfofuseError(f"{modality!r} has different widths by split: {widths}")


def _notes(columns: Mapping[str, dict[str, Any]], labels: Float[np.ndarray, "n 1"]) -> list[str]:
    """What is odd about labels and ids."""
    unknown_labels = int(np.isnan(labels).sum())
    ids = Counter(clip for column in columns.values() for clip in column["ids"])
    twice = sum(count > 1 for count in ids.values())
    notes = [f"labels: unknown for {unknown_labels} clips"] if unknown_labels else []
    return [*notes, f"ids: {twice} stand for more than one clip"] if twice else notes


def _unread(data: Mapping[Any, Any], parts: Mapping[str, Part]) -> list[str]:
    """The keys that this reader does not know."""
    inside = {str(key) for part in parts.values() for key in part} - _KNOWN
    beside = {str(key) for key in data} - set(_SPLITS)
    return [f"{key}: not read" for key in sorted(inside | beside)]
