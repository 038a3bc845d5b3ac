"""The pickled layouts: variants that are known, what is wrong with a file, hostile files."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers
from writers import edited, make, places, put

from helpers import refused
from infofuse.data import open_corpus
from infofuse.data.corpus import reader
from infofuse.errors import InfofuseError

TRUTH = make({"train": [(2, 3, 4), (1, 5, 2)], "valid": [(3, 2, 1)], "test": [(2, 2, 2)]})


def mult(**columns: Any) -> dict[str, Any]:
    """A file of MulT's, with these columns in its training split; None takes one out."""
    data = writers.mult(TRUTH)
    data["train"] = {k: v for k, v in (data["train"] | columns).items() if v is not None}
    return data


def mag(change: Callable[[tuple], Any]) -> dict[str, Any]:
    """A file of MAG's, with the second clip of its training split changed."""
    data = writers.mag(TRUTH)
    data["train"][1] = change(data["train"][1])
    return data


def clip(**columns: Any) -> dict[str, Any]:
    return writers.one_clip(TRUTH) | columns


CLIP = "((words, visual, acoustic), label, segment) was expected"
WRONG = {
    "split 'train' has no 'labels'": mult(labels=None),
    "split 'train' has no 'audio', and another split has it": mult(audio=None),
    "split 'train' has 3 rows of 'audio' for 2 ids": mult(audio=np.ones((3, 8, 5))),
    "'labels' has shape (2, 4, 2)": mult(labels=np.ones((2, 4, 2))),
    "'labels' has different widths by split": mult(labels=np.ones((2, 1, 7))),
    "split 'train' has 2 rows of 'labels' for 3 ids": mult(id=["a", "b", "c"]),
    "'id' holds a NoneType, not a string": mult(id=[None, "a"]),
    "'id' has an id without a part, or with more than 1000": mult(id=[["a" * 999, "bb"], ["c"]]),
    "unknown split 'tran'; did you mean 'train'?": mult() | {"tran": mult()["train"]},
    "split 'train' has no clips": mag(lambda c: c) | {"train": []},
    f"split 'train', clip 1, has 1 fields; {CLIP}": mag(lambda c: c[:1]),
    f"split 'train', clip 1, has 5 fields; {CLIP}": mag(lambda c: (*c, 1, 2)),
    f"split 'train', clip 1, begins with 2 fields; {CLIP}": mag(lambda c: (c[0][:2], *c[1:])),
    f"split 'train', clip 1, begins with no tuple; {CLIP}": mag(lambda c: ("words", *c[1:])),
    f"split 'train', clip 1, is a dict; {CLIP}": mag(lambda c: {"words": c[0]}),
    f"clip 1: words are numbers of shape (2, 3), no words; {CLIP}": mag(
        lambda c: ((np.ones((2, 3)), *c[0][1:]), *c[1:])
    ),
    "clip 1: words is a str, not a list": mag(lambda c: (("a", *c[0][1:]), *c[1:])),
    "'vision', clip 1 is of type NoneType": mag(lambda c: ((c[0][0], None, c[0][2]), *c[1:])),
    "'vision', clip 1, has shape (4, 21); (steps, 20) was": mag(
        lambda c: ((c[0][0], np.ones((4, 21)), c[0][2]), *c[1:])
    ),
    "labels of 1 and of 2 numbers": mag(lambda c: (c[0], np.ones((1, 2)), c[2])),
    "clip 1: label is of 2,000 numbers": mag(lambda c: (c[0], np.ones(2000), c[2])),
    "clip 1: label holds a str where a number": mag(lambda c: (c[0], "good", c[2])),
    "'id' holds a NoneType": mag(lambda c: c[:2]),
    "'audio', clip 0, has shape (3, 2, 2); (steps, features)": clip(audio=np.ones((3, 2, 2))),
    "'text' holds a str where a number": clip(text="words"),
    "'id' holds a float, not a string": clip(id=1.5),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(sentence: str, tmp_path: Path) -> None:
    refused(put(tmp_path / "a.pkl", WRONG[sentence]), sentence)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 1, 1), (2, 7), (2, 1, 7)])
def test_labels_of_any_of_these_shapes(shape: tuple[int, ...], tmp_path: Path) -> None:
    data = writers.mult({"train": TRUTH["train"]})
    data["train"]["labels"] = np.linspace(-3, 3, int(np.prod(shape))).reshape(shape)
    corpus = open_corpus(put(tmp_path / "a.pkl", data))
    expected = data["train"]["labels"].reshape(2, -1).astype(np.float32)
    np.testing.assert_array_equal(corpus.splits["train"].labels, expected)
    assert corpus.spec.outputs == expected.shape[1]


def test_mult_without_ids_numbers_its_clips(tmp_path: Path) -> None:
    corpus = open_corpus(put(tmp_path / "a.pkl", writers.mult(TRUTH, "none")))
    assert corpus.splits["train"].ids == ["train-0", "train-1"]


def test_what_mult_has_beside_is_noted(tmp_path: Path) -> None:
    data = mult(context=np.ones(2)) | {"about": "x"}
    assert open_corpus(put(tmp_path / "a.pkl", data)).notes[-2:] == (
        "about: not read",
        "context: not read",
    )


def test_minus_infinity_as_mults_audio_has_it_is_read_as_zero(tmp_path: Path) -> None:
    data = writers.mult(TRUTH)
    data["train"]["audio"][0, -1, 2] = -np.inf
    corpus = open_corpus(put(tmp_path / "a.pkl", data))
    assert corpus.splits["train"].features["audio"][0][-1, 2] == 0
    assert "audio: 1 numbers are not finite, read as 0" in corpus.notes


def test_numbers_of_a_vocabulary_are_no_words(tmp_path: Path) -> None:
    data = writers.mag(TRUTH, 4)
    for clips in data.values():
        clips[:] = [(c[0][:3], *c[1:]) for c in clips]
    corpus = open_corpus(put(tmp_path / "a.pkl", data))
    assert not corpus.spec.text
    assert "words: numbers of a vocabulary in 4 clips, not read" in corpus.notes


def test_clips_of_two_fields_are_numbered(tmp_path: Path) -> None:
    corpus = open_corpus(put(tmp_path / "a.pkl", writers.mag(TRUTH, outer=2)))
    assert corpus.splits["valid"].ids == ["valid-0"]


def test_the_words_of_one_clip_where_somebody_added_them(tmp_path: Path) -> None:
    path = put(tmp_path / "x.pkl", clip(raw_text="so good", id="vid$_$4", extra=1))
    corpus = open_corpus(path)
    clips = corpus.splits["test"]
    assert (clips.ids, clips.groups, clips.texts) == (["vid$_$4"], ["vid"], ["so good"])
    assert corpus.notes == ("labels: unknown for 1 clips", "extra: not read")


def test_real_mosi_as_mag_has_it(shared: Path, tmp_path: Path) -> None:
    """The 229 validation clips with COVAREP and FACET by word."""
    with np.load(shared / "data" / "mosi" / "mosi_val_wordaligned.npz") as file:
        z = {name: file[name] for name in file}
    ends = np.cumsum(z["length"])
    rows = [slice(end - n, end) for end, n in zip(ends, z["length"], strict=True)]
    clips = [
        ((z["word"][r].tolist(), z["facet47"][r], z["covarep74"][r]), label[None, None], clip)
        for r, label, clip in zip(rows, z["label"], z["id"].tolist(), strict=True)
    ]
    corpus = open_corpus(put(tmp_path / "mosi.pkl", {"dev": clips}))
    assert corpus.spec.features == {"audio": 74, "vision": 47}
    assert corpus.notes[0] == "layout: MAG"
    assert not any("one step a word" in note for note in corpus.notes)
    valid = corpus.splits["valid"]
    np.testing.assert_array_equal(valid.labels[:, 0], z["label"])
    present = np.array([z["facet47"][r].any() for r in rows])
    assert (valid.features["vision"].lengths == np.where(present, z["length"], 0)).all()
    np.testing.assert_array_equal(valid.features["audio"].values.sum(0), z["covarep74"].sum(0))
    assert len(set(valid.groups)) == 10


READERS = {
    "mmsa": lambda: writers.mmsa(TRUTH),
    "mult": lambda: writers.mult(TRUTH),
    "mag": lambda: writers.mag(TRUTH),
    "mmsa_clip": lambda: writers.one_clip(TRUTH),
}


@pytest.mark.parametrize("name", READERS)
def test_each_layout_is_recognised_by_one_reader(name: str, tmp_path: Path) -> None:
    path = put(tmp_path / "a.pkl", READERS[name]())
    assert [r for r in READERS if reader(r).recognises(path)] == [name]


class Runs:
    """What leaves a file behind where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("name", READERS)
def test_a_program_at_any_place_is_refused_by_name_and_does_not_run(
    name: str, tmp_path: Path
) -> None:
    data, marker = READERS[name](), tmp_path / "ran"
    everywhere = places(data)
    for place in everywhere[:: max(1, len(everywhere) // 25)]:
        path = put(tmp_path / "a.pkl", edited(data, place, lambda _: Runs(marker)))
        for ask in (open_corpus, reader(name).recognises, reader(name).read):
            with pytest.raises(InfofuseError, match=r"asks for pathlib.*, which is code"):
                ask(path)
        assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists()  # so that it would have


@pytest.mark.parametrize("name", READERS)
def test_tensors_are_refused_by_name(name: str, tmp_path: Path) -> None:
    import torch

    path = put(tmp_path / "a.pkl", {"train": {"labels": torch.ones(2)}, "layout": READERS[name]()})
    with pytest.raises(InfofuseError, match=r"asks for torch\._utils\._rebuild_tensor_v2"):
        open_corpus(path)


def test_one_array_in_many_clips_does_not_fill_the_memory(tmp_path: Path) -> None:
    data = writers.mag(TRUTH)
    (words, _, audio), label, _ = data["train"][0]
    one = ((words, np.ones((1000, 100)), audio), label, "a_1")
    path = put(tmp_path / "a.pkl", {"train": [one] * 3000})
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InfofuseError, match="holds a few arrays over and over"):
        open_corpus(path)
