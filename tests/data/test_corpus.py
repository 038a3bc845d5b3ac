"""A corpus, its fingerprint and its spec, and how a path is opened."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infofuse.data import Corpus, DataSpec, open_corpus, write_store
from infofuse.data.corpus import formats, reader
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Ragged


def corpus(order: tuple[str, ...] = ("audio", "vision")) -> Corpus:
    widths = {"audio": 2, "vision": 3}
    rng = np.random.default_rng(0)
    steps = {m: rng.normal(size=(5, w)).astype(np.float32) for m, w in widths.items()}
    clips = Clips(
        ids=["a_1", "b_1"],
        labels=np.array([[1.0], [np.nan]], np.float32),
        features={m: Ragged(steps[m], np.array([0, 2, 5])) for m in order},
        texts=["good", "bad"],
        groups=["a", "b"],
    )
    return Corpus(DataSpec("two", {m: widths[m] for m in order}), {"train": clips})


def with_clips(change: Callable[[Clips], Clips]) -> Corpus:
    base = corpus()
    return Corpus(base.spec, {"train": change(base.splits["train"])})


def move_a_step(clips: Clips) -> Clips:
    audio = Ragged(clips.features["audio"].values, np.array([0, 3, 5]))
    return replace(clips, features={**clips.features, "audio": audio})


def add_to_a_value(clips: Clips) -> Clips:
    audio = clips.features["audio"]
    values = audio.values.copy()
    values[4, 1] = np.nextafter(values[4, 1], np.float32(9))
    return replace(clips, features={**clips.features, "audio": Ragged(values, audio.offsets)})


CHANGES: list[Callable[[Clips], Clips]] = [
    lambda clips: replace(clips, ids=["a_1", "b_2"]),
    lambda clips: replace(clips, ids=['a_1", "b', "1"]),
    lambda clips: replace(clips, texts=["good", "bad "]),
    lambda clips: replace(clips, labels=np.array([[1.0], [0.0]], np.float32)),
    move_a_step,
    add_to_a_value,
    lambda clips: clips.take([1, 0]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_the_clips_changes_the_fingerprint(change: Callable[[Clips], Clips]) -> None:
    assert with_clips(change).fingerprint != corpus().fingerprint


def test_the_name_of_a_split_is_part_of_the_fingerprint() -> None:
    base = corpus()
    assert Corpus(base.spec, {"test": base.splits["train"]}).fingerprint != base.fingerprint


def test_order_storage_and_names_do_not_change_the_fingerprint() -> None:
    base = corpus()
    assert corpus(("vision", "audio")).fingerprint == base.fingerprint
    named = Corpus(replace(base.spec, name="other"), base.splits, ("a note",))
    assert named.fingerprint == base.fingerprint

    def store_otherwise(clips: Clips) -> Clips:
        features = {
            m: Ragged(np.asfortranarray(np.vstack([r.values[:1], r.values])).astype(">f4"),
                      (r.offsets + 1).astype(np.int32))
            for m, r in clips.features.items()
        }  # fmt: skip
        nan = np.array([[1], [0]], np.float32)
        nan.view(np.uint32)[1] = 0xFFC00001  # another NaN
        return replace(clips, features=features, labels=nan, ids=tuple(clips.ids))

    assert with_clips(store_otherwise).fingerprint == base.fingerprint


def test_the_fingerprint_is_the_same_in_another_process_and_format(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    part = {
        "id": np.array(["x$_$1", "y$_$1"]),
        "raw_text": np.array(["good", "bad"]),
        "audio": rng.normal(size=(2, 3, 4)),
        "regression_labels": np.array([1.0, -1.0]),
    }
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"test": part}))
    read = open_corpus(tmp_path / "a.pkl")
    write_store(read, tmp_path / "store")
    code = (
        "import sys; from infofuse.data import open_corpus\n"
        "for path in sys.argv[1:]:\n"
        "    corpus = open_corpus(path)\n"
        "    vars(corpus).pop('fingerprint', None)  # what a store knows without reading\n"
        "    print(corpus.fingerprint)\n"
    )
    paths = [str(tmp_path / "a.pkl"), str(tmp_path / "store")]
    out = subprocess.run(
        [sys.executable, "-c", code, *paths], check=True, capture_output=True, text=True
    )
    assert out.stdout.split() == [read.fingerprint, read.fingerprint]


def test_columns_that_do_not_fit_the_spec_are_refused() -> None:
    base = corpus()
    with pytest.raises(ValueError, match="split train has features"):
        Corpus(replace(base.spec, features={"audio": 2}), base.splits)
    with pytest.raises(ValueError, match="labels of shape"):
        Corpus(replace(base.spec, outputs=2), base.splits)
    with pytest.raises(ValueError, match="differ in length"):
        with_clips(lambda clips: replace(clips, groups=["a"]))
    with pytest.raises(InfofuseError, match="unknown split 'dev'"):
        Corpus(base.spec, {"dev": base.splits["train"]})


def test_paths_that_are_not_there_are_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "mosi_official.pkl").write_bytes(b"")
    with pytest.raises(InfofuseError, match=r"did you mean .*mosi_official\.pkl\?"):
        open_corpus(tmp_path / "mosi_oficial.pkl")
    with pytest.raises(InfofuseError, match=r"there is no .*zzz$"):
        open_corpus(tmp_path / "zzz")
    with pytest.raises(InfofuseError, match="nor the folder"):
        open_corpus(tmp_path / "nowhere" / "mosi.pkl")


def test_what_no_reader_recognises_is_refused(tmp_path: Path) -> None:
    for name, content in (("a.csv", b"x,y\n"), ("a.pkl", pickle.dumps([1, 2])), ("b", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InfofuseError, match=r"in no format that is known here \(.*mmsa, .*\)"):
            open_corpus(tmp_path / name)
    with pytest.raises(InfofuseError, match="in no format that is known here"):
        open_corpus(tmp_path)


def test_a_hostile_pickle_is_refused_before_it_is_recognised(tmp_path: Path) -> None:
    hostile = tmp_path / "mosi.pkl"
    hostile.write_bytes(b"cos\nsystem\n(Vtouch " + str(tmp_path / "ran").encode() + b"\ntR.")
    with pytest.raises(InfofuseError, match=r"asks for os\.system, which is code"):
        open_corpus(hostile)
    assert not (tmp_path / "ran").exists()


def test_every_format_has_its_reader() -> None:
    assert {"clip_csv", "csd", "mag", "mmsa", "mmsa_clip", "mult", "store"} <= set(formats())
    for name in formats():
        assert callable(reader(name).recognises)
        assert callable(reader(name).read)
    with pytest.raises(InfofuseError, match="unknown format 'mmsaa'; did you mean 'mmsa'"):
        reader("mmsaa")


def test_a_spec_survives_json() -> None:
    spec = DataSpec("mosi", {"text": 300, "audio": 73}, True, 2, (-3.0, 3.0), "mosi")
    assert DataSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    made = replace(spec, extraction={"fps": 12.5, "audio": {"name": "descriptors"}})
    assert DataSpec.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert DataSpec.from_json({"name": "x", "features": {}}) == DataSpec("x", {})
    with pytest.raises(InfofuseError, match="'featurs'; did you mean 'features'"):
        DataSpec.from_json({"name": "x", "featurs": {}})
    with pytest.raises(InfofuseError, match="no 'features'"):
        DataSpec.from_json({"name": "x"})


def test_modalities_begin_with_text() -> None:
    assert DataSpec("x", {"audio": 2, "text": 3, "vision": 1}).modalities == (
        "text",
        "audio",
        "vision",
    )
    assert DataSpec("x", {"vision": 2, "audio": 3}, text=True).modalities == (
        "text",
        "vision",
        "audio",
    )
    assert DataSpec("x", {"vision": 2, "audio": 3}).modalities == ("vision", "audio")
    for wrong in ({"features": {"audio": 0}}, {"features": {}, "outputs": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            DataSpec("x", **wrong)
