"""The store: what is written comes back, mapped, whole or refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers import examples
from infofuse.data import Corpus, DataSpec, open_corpus, read_store, write_store
from infofuse.data.corpus import combine
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Ragged

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
FLOATS = st.floats(width=32, allow_nan=True)


@st.composite
def splits(draw: st.DrawFn, spec: dict[str, Any]) -> dict[str, Any]:
    """The columns of a split, as the fields of `Clips`."""
    n = draw(st.integers(0, 5))
    column = st.lists(WORDS, min_size=n, max_size=n)
    features = {}
    for name, width in spec["features"].items():
        lengths = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
        values = draw(hnp.arrays(np.float32, (sum(lengths), width), elements=FLOATS))
        features[name] = (values, np.cumsum([0, *lengths]))
    scores = hnp.arrays(np.float32, (n, spec["outputs"]), elements=FLOATS)
    unimodal = {name: draw(scores) for name in spec["unimodal"]}
    words = {"ids": draw(column), "texts": draw(column), "groups": draw(column)}
    return {"features": features, "labels": draw(scores), "unimodal": unimodal, **words}


@st.composite
def corpora(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]:
    """The fields of a spec, of the clips of some splits, and notes."""
    names = draw(st.lists(st.sampled_from(["text", "audio", "vision"]), unique=True))
    spec = {
        "name": draw(WORDS),
        "features": {name: draw(st.integers(1, 4)) for name in names},
        "text": draw(st.booleans()),
        "outputs": draw(st.integers(1, 3)),
        "label_range": draw(st.none() | st.just((-3.0, 3.0))),
        "metrics": draw(st.sampled_from(["mosi", "sims", "plain"])),
        "unimodal": tuple(draw(st.lists(st.sampled_from(["text", "audio"]), unique=True))),
    }
    present = draw(st.sets(st.sampled_from(["train", "valid", "test"])))
    parts = {name: draw(splits(spec)) for name in sorted(present)}
    return spec, parts, tuple(draw(st.lists(WORDS, max_size=2)))


def build(drawn: tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]) -> Corpus:
    spec, parts, notes = drawn
    clips = {}
    for split, columns in parts.items():
        ragged = {name: Ragged(*pair) for name, pair in columns["features"].items()}
        features = {name: r.without(r.contentless) for name, r in ragged.items()}
        clips[split] = Clips(**{**columns, "features": features})
    return Corpus(DataSpec(**spec), clips, notes)


def assert_same(a: Clips, b: Clips) -> None:
    assert [*a.ids] == [*b.ids]
    assert [*a.texts] == [*b.texts]
    assert [*a.groups] == [*b.groups]
    np.testing.assert_array_equal(a.labels, b.labels)
    assert list(a.unimodal) == list(b.unimodal)
    for x, y in zip(a.unimodal.values(), b.unimodal.values(), strict=True):
        np.testing.assert_array_equal(x, y)
    assert list(a.features) == list(b.features)
    for x, y in zip(a.features.values(), b.features.values(), strict=True):
        np.testing.assert_array_equal(x.values, y.values)
        np.testing.assert_array_equal(x.offsets, y.offsets)
        assert (x.values.dtype, x.offsets.dtype) == (y.values.dtype, y.offsets.dtype)


QUICK = examples(60)


@QUICK
@given(drawn=corpora())
def test_what_is_written_comes_back(drawn: Any, tmp_path: Path) -> None:
    corpus, path = build(drawn), tmp_path / "store"
    write_store(corpus, path, overwrite=True)
    found = read_store(path, verify=True)
    assert found.spec == corpus.spec
    assert found.notes == corpus.notes
    assert found.fingerprint == corpus.fingerprint
    assert set(found.splits) == set(corpus.splits)
    for split, written in corpus.splits.items():
        assert_same(found.splits[split], written)
    assert [entry.name for entry in tmp_path.iterdir()] == ["store"]


def test_a_clip_without_content_is_written_as_one_that_lacks_the_modality(tmp_path: Path) -> None:
    values = np.array([[np.nan, np.inf], [0, 0], [0, np.nan], [0, 3]], np.float32)
    clips = Clips(
        ids=["a", "b", "c"],
        labels=np.zeros((3, 1), np.float32),
        features={"vision": Ragged(values, np.array([0, 1, 2, 4]))},
        texts=["", "", ""],
        groups=["a", "b", "c"],
    )
    write_store(Corpus(DataSpec("faces", {"vision": 2}), {"train": clips}), tmp_path / "store")
    vision = read_store(tmp_path / "store").splits["train"].features["vision"]
    assert vision.lengths.tolist() == [0, 0, 2]
    np.testing.assert_array_equal(vision[2], values[2:])


def small(seed: int = 0, steps: int = 40) -> Corpus:
    rng = np.random.default_rng(seed)
    spec = DataSpec("small", {"audio": 5, "text": 3}, text=True, label_range=(-3.0, 3.0))

    def split(n: int) -> Clips:
        lengths = {name: rng.integers(0, steps, n) for name in spec.features}
        return Clips(
            ids=[f"v{i // 2}_{i}" for i in range(n)],
            labels=rng.normal(size=(n, 1)).astype(np.float32),
            features={
                name: Ragged.of(
                    [rng.normal(size=(k, width)).astype(np.float32) for k in lengths[name]]
                )
                for name, width in spec.features.items()
            },
            texts=[f"word {i}" for i in range(n)],
            groups=[f"v{i // 2}" for i in range(n)],
        )

    return Corpus(spec, {"test": split(4), "train": split(9)}, ("made up",))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    write_store(small(), tmp_path / "store")
    return tmp_path / "store"


def edit(manifest: Path, change: Any) -> None:
    content = json.loads(manifest.read_text())
    change(content)
    manifest.write_text(json.dumps(content))


def test_values_are_views_of_the_mapped_file(tmp_path: Path) -> None:
    write_store(small(steps=4000), tmp_path / "store")
    before = pa.total_allocated_bytes()
    values = read_store(tmp_path / "store").splits["train"].features["audio"].values
    assert values.nbytes > 100_000
    assert pa.total_allocated_bytes() == before
    assert not values.flags.owndata
    assert not values.flags.writeable
    mapped = Path("/proc/self/maps")
    if mapped.exists():
        assert any(_holds(line, values.ctypes.data) for line in mapped.read_text().splitlines())


def _holds(line: str, address: int) -> bool:
    """Whether the mapping of this line is of the store's file and holds the address."""
    begin, end = (int(bound, 16) for bound in line.split()[0].split("-"))
    return line.endswith(".arrow") and begin <= address < end


def shard(store: Path, split: str = "train", number: int = 0) -> Path:
    """The file of a shard."""
    (file,) = store.glob(f"{split}-{number:05d}-*.arrow")
    return file


def test_a_taken_part_writes_as_what_it_is(stored: Path, tmp_path: Path) -> None:
    corpus = read_store(stored)
    whole = corpus.splits["train"].features["audio"]
    tail = Ragged(whole.values, whole.offsets[3:])
    spec = DataSpec("tail", {"audio": 5})
    rows = range(3, 9)
    taken = corpus.splits["train"].take(rows)
    part = Clips(taken.ids, taken.labels, {"audio": tail}, taken.texts, taken.groups)
    write_store(Corpus(spec, {"train": part}), tmp_path / "tail")
    found = read_store(tmp_path / "tail", verify=True).splits["train"].features["audio"]
    np.testing.assert_array_equal(found.values, taken.features["audio"].values)
    np.testing.assert_array_equal(found.offsets, taken.features["audio"].offsets)


def test_the_same_content_gives_the_same_bytes(stored: Path, tmp_path: Path) -> None:
    again = small()
    splits = dict(reversed(again.splits.items()))
    splits["train"] = Clips(
        splits["train"].ids,
        splits["train"].labels,
        dict(reversed(splits["train"].features.items())),
        splits["train"].texts,
        splits["train"].groups,
    )
    write_store(Corpus(again.spec, splits, again.notes), tmp_path / "again")
    files = sorted(entry.name for entry in stored.iterdir())
    assert files == ["corpus.json", shard(stored, "test").name, shard(stored).name]
    for name in files:
        assert (stored / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_arrow_reads_it_without_us(stored: Path) -> None:
    with pa.memory_map(str(shard(stored))) as source:
        table = pa.ipc.open_file(source).read_all()
    train = small().splits["train"]
    assert table.column_names == [
        "id", "group", "text", "label", "features.audio", "features.text"
    ]  # fmt: skip
    assert table.num_rows == 9
    rows = table.to_pylist()
    assert rows[2]["id"] == "v1_2"
    assert rows[2]["group"] == "v1"
    np.testing.assert_array_equal(rows[2]["label"], train.labels[2])
    np.testing.assert_array_equal(
        np.array(rows[2]["features.audio"], np.float32), train.features["audio"][2]
    )


def test_unimodal_labels_are_columns_of_their_own(tmp_path: Path) -> None:
    plain = small()
    spec = replace(plain.spec, unimodal=("audio",))
    splits = {
        split: replace(clips, unimodal={"audio": -clips.labels})
        for split, clips in plain.splits.items()
    }
    labelled = Corpus(spec, splits)
    assert labelled.fingerprint != plain.fingerprint
    write_store(labelled, tmp_path / "store")
    file = next((tmp_path / "store").glob("train-*.arrow"))
    with pa.memory_map(str(file)) as source:
        table = pa.ipc.open_file(source).read_all()
    np.testing.assert_array_equal(
        np.array(table.column("label.audio").to_pylist(), np.float32), -splits["train"].labels
    )
    taken = read_store(tmp_path / "store").splits["train"].take([2, 0])
    np.testing.assert_array_equal(taken.unimodal["audio"], -taken.labels)


def test_a_store_of_before_there_were_unimodal_labels_is_read(stored: Path) -> None:
    fingerprint = read_store(stored).fingerprint
    edit(stored / "corpus.json", lambda content: content["spec"].pop("unimodal"))
    assert read_store(stored, verify=True).fingerprint == fingerprint


def test_open_corpus_knows_a_store(stored: Path) -> None:
    assert open_corpus(stored).fingerprint == small().fingerprint


def test_nothing_is_replaced_unasked(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(InfofuseError, match="exists; name a new folder, or ask"):
        write_store(small(1), stored)
    assert read_store(stored, verify=True).fingerprint == small().fingerprint
    write_store(small(1), stored, overwrite=True)
    assert read_store(stored, verify=True).fingerprint == small(1).fingerprint
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("more work")
    for taken in ("papers", "file"):
        with pytest.raises(InfofuseError, match="exists and is no store"):
            write_store(small(), tmp_path / taken, overwrite=True)
    assert (tmp_path / "papers" / "thesis.txt").read_text() == "years of work"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "papers", "store"]


def test_a_failure_while_writing_leaves_what_was_there(stored: Path, tmp_path: Path) -> None:
    broken = small(1)
    ids = ["a", "b", "c", "\ud83d"]  # half of a surrogate pair cannot be written
    test = broken.splits["test"]
    splits = {
        "train": broken.splits["train"],
        "test": Clips(ids, test.labels, test.features, test.texts, test.groups),
    }
    for target in (stored, tmp_path / "new"):
        with pytest.raises(UnicodeEncodeError):
            write_store(Corpus(broken.spec, splits), target, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["store"]
    assert read_store(stored, verify=True).fingerprint == small().fingerprint


def test_a_store_may_be_written_over_while_it_is_mapped(stored: Path) -> None:
    corpus = read_store(stored)
    audio = corpus.splits["train"].features["audio"].values
    before = audio.copy()
    write_store(corpus, stored, overwrite=True)
    np.testing.assert_array_equal(audio, before)
    assert read_store(stored, verify=True).fingerprint == corpus.fingerprint


def test_a_damaged_value_is_found_when_asked(stored: Path) -> None:
    file = shard(stored)
    content = bytearray(file.read_bytes())
    place = content.find(small().splits["train"].features["audio"].values.tobytes())
    content[place + 2] ^= 1
    file.write_bytes(content)
    read_store(stored)
    with pytest.raises(InfofuseError, match=r"train-00000-\w+\.arrow is damaged: its SHA-256"):
        read_store(stored, verify=True)


def test_another_fingerprint_is_found_when_asked(stored: Path) -> None:
    """A digest that belongs to no clips, with the fingerprint that follows from it."""

    def other(content: Any) -> None:
        content["splits"]["train"]["digest"] = "0" * 64
        digests = {name: bytes.fromhex(s["digest"]) for name, s in content["splits"].items()}
        content["fingerprint"] = combine(digests)

    edit(stored / "corpus.json", other)
    read_store(stored)
    with pytest.raises(InfofuseError, match="does not hold what its fingerprint says"):
        read_store(stored, verify=True)


def test_a_fingerprint_that_is_not_that_of_the_splits_is_found_at_once(stored: Path) -> None:
    edit(stored / "corpus.json", lambda content: content.update(fingerprint="0" * 64))
    with pytest.raises(InfofuseError, match="the fingerprint is not that of the splits"):
        read_store(stored)


def test_a_missing_or_shortened_file_is_found_at_once(stored: Path) -> None:
    file = shard(stored)
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(InfofuseError, match=f"has not its {len(content)} bytes"):
        read_store(stored)
    file.unlink()
    with pytest.raises(InfofuseError, match=r"train-00000-\w+\.arrow is missing"):
        read_store(stored)


@settings(QUICK, max_examples=150)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_any_damage_ends_in_clips_or_a_refusal(place: int, byte: int, stored: Path) -> None:
    """Offsets and lengths that point outside a file are refused; nothing is read there."""
    file = shard(stored)
    whole = file.read_bytes()
    data = small().splits["train"].features
    kept = [whole.find(column.values.tobytes()) for column in data.values()]
    place %= len(whole) - sum(column.values.nbytes for column in data.values())
    for begin, column in sorted(zip(kept, data.values(), strict=True)):
        place += column.values.nbytes if place >= begin else 0
    damaged = bytearray(whole)
    damaged[place] = byte
    file.write_bytes(damaged)
    try:
        for ragged in read_store(stored).splits["train"].features.values():
            assert [len(x) for x in ragged] == ragged.lengths.tolist()
            assert np.isfinite(ragged.values).all()
    except InfofuseError:
        pass
    finally:
        file.write_bytes(whole)


def test_other_columns_than_the_spec_says_are_refused(stored: Path) -> None:
    def widen(content: Any) -> None:
        content["spec"]["features"]["audio"] = 6

    edit(stored / "corpus.json", widen)
    with pytest.raises(InfofuseError, match="has not the columns of its spec"):
        read_store(stored)


@pytest.mark.parametrize("field", ["spec", "notes", "splits", "fingerprint"])
def test_a_manifest_that_lacks_a_field_is_refused(field: str, stored: Path) -> None:
    edit(stored / "corpus.json", lambda content: content.pop(field))
    with pytest.raises(InfofuseError, match=f"corpus.json lacks or garbles a field: '{field}'"):
        read_store(stored)


@pytest.mark.parametrize(
    ("name", "value"),
    [("clips", "3"), ("clips", -1), ("file", 3), ("sha256", None), ("bytes", 1.5)],
)
def test_a_manifest_with_a_field_of_another_type_is_refused(
    name: str, value: object, stored: Path
) -> None:
    def garble(content: Any) -> None:
        content["splits"]["train"]["shards"][0][name] = value

    edit(stored / "corpus.json", garble)
    with pytest.raises(InfofuseError, match=r"corpus\.json lacks or garbles a field"):
        read_store(stored)


def test_a_manifest_with_an_impossible_width_is_refused(stored: Path) -> None:
    edit(stored / "corpus.json", lambda content: content["spec"]["features"].update(audio=0))
    with pytest.raises(InfofuseError, match="garbles a field: audio must have at least 1"):
        read_store(stored)


def test_empty_cells_are_refused(stored: Path) -> None:
    file = shard(stored, "test")
    with pa.OSFile(str(file)) as source:
        table = pa.ipc.open_file(source).read_all()
    column = table.column("text").to_pylist()
    table = table.set_column(
        2, table.schema.field("text"), pa.array([None, *column[1:]], pa.string())
    )
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    size = file.stat().st_size
    edit(
        stored / "corpus.json",
        lambda content: content["splits"]["test"]["shards"][0].update(bytes=size),
    )
    with pytest.raises(InfofuseError, match="empty cells"):
        read_store(stored)


def test_another_version_is_refused(stored: Path) -> None:
    edit(stored / "corpus.json", lambda content: content.update(version=3))
    with pytest.raises(InfofuseError, match="has version 3 of the store, and up to 2 are read"):
        read_store(stored)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InfofuseError, match="is no store"):
        read_store(tmp_path / "folder")
    (tmp_path / "folder" / "corpus.json").write_text("[]")
    with pytest.raises(InfofuseError, match="is no store"):
        read_store(tmp_path / "folder")
    with pytest.raises(InfofuseError, match="in no format that is known here"):
        open_corpus(tmp_path / "folder")


def test_a_split_of_another_name_is_refused(stored: Path) -> None:
    def add(content: Any) -> None:
        content["splits"]["extra"] = content["splits"]["train"]

    edit(stored / "corpus.json", add)
    with pytest.raises(InfofuseError, match="unknown split 'extra'"):
        read_store(stored)
