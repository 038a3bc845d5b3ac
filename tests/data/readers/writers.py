"""Clips that are known, and small writers of them in the layouts of the field."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from infofuse.data import Corpus

WIDTHS = {"text": 3, "audio": 5, "vision": 20}


@dataclass
class Clip:
    """What was put in. features: (steps, width) by modality, of no steps where absent."""

    video: str
    number: int
    labels: np.ndarray
    words: list[str]
    features: dict[str, np.ndarray] = field(default_factory=dict)


Truth = dict[str, list[Clip]]


def frames(rng: np.random.Generator, steps: int, width: int) -> np.ndarray:
    """Frames of which some within are zero, and never the first or the last."""
    values = rng.normal(size=(steps, width)).astype(np.float32)
    values[1:-1][rng.random(max(0, steps - 2)) < 0.3] = 0
    return values


def make(lengths: dict[str, list[tuple[int, int, int]]], seed: int = 0, outputs: int = 1) -> Truth:
    """Clips with so many steps of text, audio and vision; each has as many words as text steps."""
    rng = np.random.default_rng(seed)

    def clip(split: str, i: int, steps: tuple[int, int, int]) -> Clip:
        features = {m: frames(rng, n, WIDTHS[m]) for m, n in zip(WIDTHS, steps, strict=True)}
        words = [f"wörd{k}" for k in rng.integers(0, 9, steps[0])]
        labels = (rng.integers(-15, 16, outputs) / 5).astype(np.float32)
        return Clip(f"{split}_vid{i // 2}", i % 2, labels, words, features)

    return {s: [clip(s, i, steps) for i, steps in enumerate(rows)] for s, rows in lengths.items()}


STEPS = st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(0, 7))
ANCHOR = (2, 3, 4)  # a clip that has all and fills nothing, so that widths and sides show


@st.composite
def truths(draw: st.DrawFn, outputs: int | None = None) -> Truth:
    """Ragged clips in one to three splits, of any lengths, some without a modality."""
    splits = draw(st.lists(st.sampled_from(["train", "valid", "test"]), min_size=1, unique=True))
    lengths = {s: [ANCHOR, *draw(st.lists(STEPS, max_size=4))] for s in splits}
    k = outputs or draw(st.sampled_from([1, 7]))
    return make(lengths, draw(st.integers(0, 99)), k)


def check(corpus: Corpus, truth: Truth, modalities: dict[str, str], ids: Callable[[Clip], str],
          words: bool = True) -> None:  # fmt: skip
    """The corpus is what was put in. modalities: its names for them, by ours."""
    assert set(corpus.splits) == set(truth)
    assert corpus.spec.features == {theirs: WIDTHS[m] for m, theirs in modalities.items()}
    for split, clips in truth.items():
        found = corpus.splits[split]
        assert list(found.ids) == [ids(c) for c in clips]
        assert list(found.groups) == [c.video for c in clips]
        assert list(found.texts) == [" ".join(c.words) if words else "" for c in clips]
        np.testing.assert_array_equal(found.labels, np.stack([c.labels for c in clips]))
        assert found.labels.dtype == np.float32
        for ours, theirs in modalities.items():
            for i, c in enumerate(clips):
                np.testing.assert_array_equal(found.features[theirs][i], c.features[ours])


def padded(clips: list[Clip], modality: str, time: int, left: bool = False) -> np.ndarray:
    out = np.zeros((len(clips), time, WIDTHS[modality]), np.float32)
    for row, clip in zip(out, clips, strict=True):
        x = clip.features[modality]
        row[time - len(x) if left else 0 : time if left else len(x)] = x
    return out


def put(path: Path, data: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(data, protocol=protocol))
    return path


TIMES = {"text": 6, "audio": 8, "vision": 9}


def mmsa(truth: Truth, aligned: bool = False, left: bool = False) -> dict[str, Any]:
    """MMSA's dictionary: with lengths of audio and vision, or aligned and without."""
    return {split: _mmsa_split(clips, aligned, left) for split, clips in truth.items()}


def _mmsa_split(clips: list[Clip], aligned: bool, left: bool) -> dict[str, Any]:
    labels = np.stack([c.labels for c in clips])
    part: dict[str, Any] = {
        "id": np.array([f"{c.video}$_${c.number}" for c in clips]),
        "raw_text": np.array([" ".join(c.words) for c in clips]),
        "regression_labels": labels[:, 0] if labels.shape[1] == 1 else labels,
        "text_bert": np.zeros((len(clips), 3, 9), np.float32),
    }
    for m, time in TIMES.items():
        part[m] = padded(clips, m, 9 if aligned else time, left)
        if m != "text" and not aligned:
            part[f"{m}_lengths"] = [len(c.features[m]) for c in clips]
    return part


def mult(truth: Truth, ids: str = "rows", left: bool = True) -> dict[str, Any]:
    """MulT's dictionary. ids: "rows" of bytes, as MOSI's; "bytes"; "strings"; or "none"."""
    return {split: _mult_split(clips, ids, left) for split, clips in truth.items()}


def _mult_split(clips: list[Clip], ids: str, left: bool) -> dict[str, Any]:
    part: dict[str, Any] = {m: padded(clips, m, time, left) for m, time in TIMES.items()}
    part["labels"] = np.stack([c.labels for c in clips])[:, None]
    rows = [(c.video, f"{c.number}.5", f"{c.number + 1}.25") for c in clips]
    names = [f"{c.video}[{c.number}]" for c in clips]
    forms = {"rows": np.array(rows).astype("S"), "bytes": [n.encode() for n in names],
             "strings": np.array(names)}  # fmt: skip
    return part if ids == "none" else part | {"id": forms[ids]}


def mag(truth: Truth, fields: int = 3, outer: int = 3) -> dict[str, Any]:
    """MAG-BERT's lists. fields: 3 (words), 4 (numbers and words, MISA's) or 6 (MMIM's)."""
    names = {"train": "train", "valid": "dev", "test": "test"}
    return {names[s]: [_mag_clip(c, fields, outer) for c in clips] for s, clips in truth.items()}


def _mag_clip(clip: Clip, fields: int, outer: int) -> tuple[Any, ...]:
    coded = np.arange(len(clip.words))
    inner = [clip.words if fields == 3 else coded, clip.features["vision"], clip.features["audio"]]
    inner += [clip.words, len(clip.features["vision"]), len(clip.features["audio"])][: fields - 3]
    return (tuple(inner), clip.labels[None], f"{clip.video}[{clip.number}]", 7)[:outer]


def one_clip(truth: Truth) -> dict[str, Any]:
    """The dictionary of MMSA's extractor, of the first clip."""
    clip = next(iter(truth.values()))[0]
    return {**clip.features, "text_bert": np.zeros((3, 5))}


def csd(truth: Truth, pieces: bool = False) -> dict[str, Any]:
    """The sequences of a folder by file name: whole videos, or a key a clip as after alignment.

    Clip k of a video lasts from second k to k + 1, and its frames share that second evenly.
    """
    clips = [c for part in truth.values() for c in part]
    files = {
        "CMU_TimestampedWords": "words",
        "CMU_TimestampedWordVectors": "text",
        "CMU_COVAREP": "audio",
        "CMU_VisualFacet42": "vision",
        "CMU_Labels": "labels",
    }
    made = {}
    for file, what in files.items():
        rows = [(c, *_timed(c, what)) for c in clips]
        keyed: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        for clip, intervals, features in rows:
            key = f"{clip.video}[{clip.number}]" if pieces else clip.video
            if len(features):
                keyed.setdefault(key, []).append((intervals, features))
        data = {key: {"intervals": np.concatenate([i for i, _ in parts]),
                      "features": np.concatenate([f for _, f in parts])}
                for key, parts in keyed.items()}  # fmt: skip
        made[file] = {f"root of {what}": {"data": data, "metadata": {"md5": np.zeros(1)}}}
    return made


def _timed(clip: Clip, what: str) -> tuple[np.ndarray, np.ndarray]:
    if what == "labels":
        return np.array([[clip.number, clip.number + 1.0]]), clip.labels[None]
    words = np.array([w.encode() for w in clip.words], "S9")[:, None]
    features = words if what == "words" else clip.features[what]
    at = np.linspace(clip.number, clip.number + 1, len(features) + 1)
    return np.stack([at[:-1], at[1:]], axis=1), features


def put_csd(folder: Path, files: dict[str, Any]) -> Path:
    """Write nested dictionaries as HDF5, one file each."""
    import h5py

    def fill(group: Any, content: dict[str, Any]) -> None:
        for name, value in content.items():
            if isinstance(value, dict):
                fill(group.create_group(name), value)
            else:
                group[name] = value

    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        with h5py.File(folder / f"{name}.csd", "w") as file:
            fill(file, content)
    return folder


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in nested containers, without arrays of objects."""
    keys = data if isinstance(data, dict) else range(len(data)) \
        if isinstance(data, list | tuple) else ()  # fmt: skip
    return [path, *(found for key in keys for found in places(data[key], (*path, key)))]


def edited(data: Any, path: tuple[Any, ...], edit: Callable[[Any], Any]) -> Any:
    """The same data with what stands at this place edited."""
    if not path:
        return edit(data)
    new = edited(data[path[0]], path[1:], edit)
    if isinstance(data, dict):
        return {**data, path[0]: new}
    return type(data)(new if i == path[0] else item for i, item in enumerate(data))
