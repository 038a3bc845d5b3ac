"""Arrays in memory become a corpus."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from infofuse.data import Corpus, from_arrays
from infofuse.errors import InfofuseError


def part(n: int = 3, prefix: str = "v") -> dict[str, Any]:
    rng = np.random.default_rng(n)
    return {
        "id": [f"{prefix}{i}_{i}" for i in range(n)],
        "labels": np.linspace(-2, 2, n),
        "raw_text": ["a word"] * n,
        "face": [rng.normal(size=(i + 1, 4)) for i in range(n)],
        "eyes": rng.normal(size=(n, 5, 2)),
        "eyes_lengths": np.full(n, 5),
    }


def test_any_modality_ragged_or_padded() -> None:
    train = part()
    corpus = from_arrays({"train": train, "dev": part(2, "w")}, "gaze")
    assert corpus.spec.to_json() == {
        "name": "gaze",
        "features": {"face": 4, "eyes": 2},
        "text": True,
        "outputs": 1,
        "label_range": (-3.0, 3.0),
        "metrics": "mosi",
        "classes": (),
        "unimodal": (),
        "extraction": None,
    }
    assert corpus.notes == ()
    clips = corpus.splits["train"]
    assert (clips.ids, clips.groups) == (train["id"], ["v0", "v1", "v2"])
    assert clips.features["face"].lengths.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(clips.features["face"][2], train["face"][2].astype(np.float32))
    assert list(corpus.splits) == ["train", "valid"]


def test_tensors_are_as_good_as_arrays() -> None:
    def tensors(value: Any) -> Any:
        if isinstance(value, list):
            return [tensors(item) for item in value]
        return torch.from_numpy(value).requires_grad_(value.dtype.kind == "f") \
            if isinstance(value, np.ndarray) else value  # fmt: skip

    made = from_arrays({"test": {key: tensors(value) for key, value in part().items()}})
    assert made.fingerprint == from_arrays({"test": part()}).fingerprint


def test_clips_without_ids_are_numbered_and_stand_alone() -> None:
    train = part()
    del train["id"]
    clips = from_arrays({"train": train}).splits["train"]
    assert clips.ids == clips.groups == ["train-0", "train-1", "train-2"]


def test_ids_that_name_one_video_for_all_name_none() -> None:
    """Such as sample_1, sample_2: clips stand alone, and no split shares a video with another."""
    train, test = part(), part(2)
    train["id"], test["id"] = ["sample_1", "sample_2", "sample_3"], ["sample_4", "sample_5"]
    corpus = from_arrays({"train": train, "test": test})
    assert [clips.groups for clips in corpus.splits.values()] == [train["id"], test["id"]]
    test["id"] = ["take_4", "take_5"]
    corpus = from_arrays({"train": train, "test": test})
    assert [set(clips.groups) for clips in corpus.splits.values()] == [{"sample"}, {"take"}]


def test_a_split_may_have_nothing_of_a_modality() -> None:
    """Such as one clip without a face."""
    test = part(1) | {"face": [np.zeros((0, 4))]}
    corpus = from_arrays({"train": part(), "test": test})
    assert corpus.spec.features["face"] == 4
    assert corpus.splits["test"].features["face"].lengths.tolist() == [0]
    nobody = part() | {"face": [np.zeros((0, 4))] * 3}
    assert "face" not in from_arrays({"train": nobody, "test": test}).spec.features


def test_what_is_given_is_not_changed_nor_shared() -> None:
    train = part()
    train["eyes"][0, 0, 0] = np.inf
    before = train["eyes"].copy()
    corpus = from_arrays({"train": train})
    np.testing.assert_array_equal(train["eyes"], before)
    assert not np.shares_memory(corpus.splits["train"].features["eyes"].values, train["eyes"])


WRONG: dict[str, Any] = {
    "unknown split 'tain'; did you mean 'train'?": {"tain": part()},
    "it has none of the splits": {},
    "both a split 'valid' and a split 'val'": {"valid": part(), "val": part()},
    "split 'train' has no 'labels'; it has id": {"train": {"id": ["a"]}},
    "has no 'labels'; found 'label': call it 'labels'": {"train": {"label": [1.0]}},
    "'labels' has shape (0,)": {"train": part() | {"labels": np.zeros(0)}},
    "split 'train' has 2 rows of 'face' for 3 ids": {"train": part() | {"face": part(2)["face"]}},
    "'face', clip 0, has shape (4,); (steps, features) was expected": {
        "train": part() | {"face": [np.ones(4)] * 3}
    },
    "'labels' has different widths by split": {
        "train": part(),
        "test": part() | {"labels": np.zeros((3, 2))},
    },
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(sentence: str) -> None:
    with pytest.raises(InfofuseError) as refusal:
        from_arrays(WRONG[sentence])
    assert sentence in str(refusal.value)


def mfn(shared: Path, name: str, splits: tuple[str, ...]) -> tuple[dict[str, Any], Corpus]:
    """A real word-aligned set of 20 steps, in the arrays that it comes in."""
    names = {"audio": "audio", "video": "vision", "text": "text"}
    with np.load(shared / "data" / "mmmo_pom" / f"{name}.npz", allow_pickle=False) as file:
        parts = {
            split: {"labels": file[f"y_{split}"]}
            | {ours: file[f"{theirs}_{split}"] for theirs, ours in names.items()
               if f"{theirs}_{split}" in file}
            for split in splits
        }  # fmt: skip
    return parts, from_arrays(parts, name)


def test_real_mmmo_is_padded_at_the_beginning_and_stays_aligned(shared: Path) -> None:
    parts, corpus = mfn(shared, "mmmo", ("valid", "test"))
    assert corpus.spec.features == {"audio": 74, "vision": 36, "text": 300}
    assert (corpus.spec.label_range, corpus.spec.metrics) == (None, "plain")
    assert "audio: padded at the beginning" in corpus.notes
    for split, arrays in parts.items():
        real = {m: arrays[m].any(axis=-1) for m in corpus.spec.features}
        together = np.any(list(real.values()), axis=0)
        steps = 20 - np.where(together.any(1), together.argmax(1), 20)
        for m, ragged in corpus.splits[split].features.items():
            np.testing.assert_array_equal(ragged.lengths, np.where(real[m].any(1), steps, 0))
            for i in range(len(steps)):
                kept = arrays[m][i, 20 - len(ragged[i]) :]
                np.testing.assert_array_equal(ragged[i], kept)


def test_in_real_mmmo_more_clips_end_than_begin_with_a_zero_frame(shared: Path) -> None:
    """So that to count clips, not frames, would take it to be padded at the end."""
    parts, _ = mfn(shared, "mmmo", ("valid", "test"))
    real = np.concatenate([p["vision"].any(axis=-1) for p in parts.values()])
    assert (real[:, 0] & ~real[:, -1]).sum() > (~real[:, 0] & real[:, -1]).sum()


def test_real_pom_has_seventeen_labels(shared: Path) -> None:
    parts, corpus = mfn(shared, "pom", ("train", "valid", "test"))
    assert corpus.spec.outputs == 17
    assert {s: len(c) for s, c in corpus.splits.items()} == {
        "train": 600,
        "valid": 100,
        "test": 203,
    }
    np.testing.assert_array_equal(corpus.splits["test"].labels, parts["test"]["labels"])
    total = sum(c.features["audio"].values.astype(float).sum() for c in corpus.splits.values())
    np.testing.assert_allclose(total, sum(p["audio"].astype(float).sum() for p in parts.values()))
