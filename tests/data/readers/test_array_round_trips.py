"""What was written in a layout comes back: values, lengths, ids, labels, words and splits."""

import json
from pathlib import Path

import numpy as np
import pytest
import writers
from hypothesis import given
from hypothesis import strategies as st
from writers import Clip, Truth, check, put, truths

from helpers import examples
from infofuse.data import open_corpus, read_store, write_store

QUICK = examples(25)
ALL = {"text": "text", "audio": "audio", "vision": "vision"}
HEARD = {"audio": "audio", "vision": "vision"}


def bracketed(clip: Clip) -> str:
    return f"{clip.video}[{clip.number}]"


@QUICK
@given(truth=truths(), left=st.booleans())
def test_mmsa(truth: Truth, left: bool, tmp_path: Path) -> None:
    corpus = open_corpus(put(tmp_path / "a.pkl", writers.mmsa(truth, left=left)))
    check(corpus, truth, ALL, lambda c: f"{c.video}$_${c.number}")
    assert "layout: MMSA unaligned" in corpus.notes


def alike(truth: Truth) -> Truth:
    """The same clips with as many steps in every modality, as the text has."""
    lengths = {s: [(len(c.words),) * 3 for c in clips] for s, clips in truth.items()}
    outputs = next(iter(truth.values()))[0].labels.size
    return writers.make(lengths, outputs=outputs)


@QUICK
@given(truth=truths().map(alike), left=st.booleans())
def test_mmsa_aligned(truth: Truth, left: bool, tmp_path: Path) -> None:
    corpus = open_corpus(put(tmp_path / "a.pkl", writers.mmsa(truth, True, left)))
    check(corpus, truth, ALL, lambda c: f"{c.video}$_${c.number}")
    assert corpus.notes[0] == "layout: MMSA aligned"
    assert any("equally many steps and no lengths" in note for note in corpus.notes)


IDS = {
    "rows": lambda c: f"{c.video}$_${c.number}.5_{c.number + 1}.25",
    "bytes": bracketed,
    "strings": bracketed,
}


@pytest.mark.parametrize("ids", IDS)
@QUICK
@given(truth=truths(), left=st.booleans())
def test_mult(truth: Truth, left: bool, ids: str, tmp_path: Path) -> None:
    corpus = open_corpus(put(tmp_path / "a.pkl", writers.mult(truth, ids, left)))
    check(corpus, truth, ALL, IDS[ids], words=False)
    assert corpus.notes[0] == "layout: MulT noalign"
    assert any("sentiment, happy" in note for note in corpus.notes) == (corpus.spec.outputs == 7)


@pytest.mark.parametrize("fields", [3, 4, 6])
@QUICK
@given(truth=truths(), outer=st.sampled_from([3, 4]), folder=st.booleans())
def test_mag(truth: Truth, fields: int, outer: int, folder: bool, tmp_path: Path) -> None:
    data = writers.mag(truth, fields, outer)
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    if folder:
        path.mkdir()
        for name, clips in data.items():
            put(path / f"{name}.pkl", clips)
    else:
        put(path, data)
    corpus = open_corpus(path)
    check(corpus, truth, HEARD, bracketed)
    steps = [(c.words, *map(c.features.get, HEARD)) for clips in truth.values() for c in clips]
    loose = sum(len(set(map(len, clip))) > 1 for clip in steps)
    assert any(n == f"{loose} of {len(steps)} clips have not one step a word" for n in corpus.notes)


@QUICK
@given(truth=truths())
def test_one_clip(truth: Truth, tmp_path: Path) -> None:
    corpus = open_corpus(put(tmp_path / "video_3.pkl", writers.one_clip(truth)))
    clip = next(iter(truth.values()))[0]
    assert corpus.spec.features == writers.WIDTHS
    assert list(corpus.splits) == ["test"]
    clips = corpus.splits["test"]
    assert (clips.ids, clips.groups, clips.texts) == (["video_3"], ["video"], [""])
    assert np.isnan(clips.labels).all()
    assert (corpus.spec.label_range, corpus.spec.metrics) == (None, "plain")
    for modality, values in clip.features.items():
        np.testing.assert_array_equal(clips.features[modality][0], values)


@pytest.mark.parametrize("pieces", [False, True])
@QUICK
@given(truth=truths())
def test_csd(truth: Truth, pieces: bool, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    writers.put_csd(folder, writers.csd(truth, pieces))
    lists = {s: sorted({c.video for c in clips}) for s, clips in truth.items()}
    (folder / "splits.json").write_text(json.dumps(lists))
    corpus = open_corpus(folder)
    check(corpus, truth, ALL, bracketed)


@QUICK
@given(truth=truths())
def test_through_the_store(truth: Truth, tmp_path: Path) -> None:
    corpus = open_corpus(put(tmp_path / "a.pkl", writers.mult(truth)))
    write_store(corpus, tmp_path / "store", overwrite=True)
    stored = read_store(tmp_path / "store", verify=True)
    assert (stored.spec, stored.notes) == (corpus.spec, corpus.notes)
    check(stored, truth, ALL, IDS["rows"], words=False)
