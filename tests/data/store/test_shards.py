"""Shards: any cut of a store is the same store; parts, appending, kills, other file systems."""

import inspect
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import examples, store_bytes
from infofuse.data import (
    Corpus,
    DataSpec,
    append_store,
    create_store,
    read_shards,
    read_store,
    write_store,
)
from infofuse.data.loader import Loader
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Ragged, Sample

SPEC = DataSpec("made up", {"audio": 5, "text": 3}, text=True, label_range=(-3.0, 3.0))


def clips(n: int, seed: int = 0, steps: int = 30) -> Clips:
    rng = np.random.default_rng([n, seed])
    features = {}
    for name, width in SPEC.features.items():
        lengths = rng.integers(0, steps, n)
        values = rng.normal(size=(int(lengths.sum()), width)).astype(np.float32)
        features[name] = Ragged(values, np.concatenate([[0], np.cumsum(lengths)]))
    return Clips(
        ids=[f"{seed}_{i}" for i in range(n)],
        labels=rng.normal(size=(n, 1)).astype(np.float32),
        features=features,
        texts=["word " * int(k) for k in rng.integers(0, 9, n)],
        groups=[str(seed)] * n,
    )


def corpus(n: int = 40) -> Corpus:
    return Corpus(SPEC, {"train": clips(n), "test": clips(3, 1)}, ("made up",))


def assert_same(a: Clips, b: Clips) -> None:
    assert (list(a.ids), list(a.texts), list(a.groups)) == (list(b.ids), [*b.texts], [*b.groups])
    np.testing.assert_array_equal(a.labels, b.labels)
    assert list(a.features) == list(b.features)
    for name in a.features:
        x, y = a.features[name], b.features[name]
        np.testing.assert_array_equal(x.lengths, y.lengths)
        assert all(np.array_equal(x[i], y[i]) for i in range(len(x)))


def shards(folder: Path, split: str = "train") -> list[Any]:
    return json.loads((folder / "corpus.json").read_text())["splits"][split]["shards"]


FEW = examples(25)


@FEW
@given(
    n=st.integers(0, 25),
    shard_bytes=st.integers(1, 20_000),
    cuts=st.lists(st.integers(0, 25), max_size=4),
)
def test_however_clips_are_added_and_cut_they_come_back(
    n: int, shard_bytes: int, cuts: list[int], tmp_path: Path
) -> None:
    """The same clips and shard size give the same bytes, added at once or in any pieces."""
    whole, path = clips(n), tmp_path / "store"
    with create_store(path, SPEC, overwrite=True, shard_bytes=shard_bytes) as store:
        edges = sorted({0, n, *(min(cut, n) for cut in cuts)})
        for begin, end in pairwise(edges):
            store.add("train", whole.take(range(begin, end)))
        store.add("train", whole.take([]))
    found = read_store(path, verify=True)
    assert_same(found.splits["train"], whole)
    assert found.fingerprint == Corpus(SPEC, {"train": whole}).fingerprint
    write_store(Corpus(SPEC, {"train": whole}), tmp_path / "at once", True, shard_bytes=shard_bytes)
    assert store_bytes(path) == store_bytes(tmp_path / "at once")
    assert sum(shard["clips"] for shard in shards(path)) == n
    assert all(shard["clips"] > 0 for shard in shards(path)) or n == 0


@FEW
@given(rows=st.lists(st.integers(0, 39), max_size=9), shard_bytes=st.integers(500, 9000))
def test_a_column_in_shards_is_as_one_in_memory(
    rows: list[int], shard_bytes: int, tmp_path: Path
) -> None:
    write_store(corpus(), tmp_path / "store", True, shard_bytes=shard_bytes)
    found, made = read_store(tmp_path / "store").split("train"), corpus().split("train")
    assert found.ids == made.ids
    assert found.ids[3:5] == made.ids[3:5]
    assert found.texts[-1] == made.texts[-1]
    assert_same(found.take(rows), made.take(rows))
    for name, plain in made.features.items():
        column = found.features[name]
        assert (len(column), column.width) == (len(plain), plain.width)
        assert column.empty.shape == (0, plain.width)
        assert column.empty.dtype == np.float32
        np.testing.assert_array_equal(column.offsets, plain.offsets)
        np.testing.assert_array_equal(np.concatenate(list(column.blocks())), plain.values)
        np.testing.assert_array_equal(column.values, plain.values)
        assert sum(1 for _ in column) == len(plain)
        with pytest.raises(IndexError):
            column[len(plain)]


def test_writing_holds_a_few_shards_in_memory(tmp_path: Path) -> None:
    piece = clips(10, steps=2000)
    size = sum(column.values.nbytes for column in piece.features.values())
    tracemalloc.start()
    with create_store(tmp_path / "store", SPEC, shard_bytes=2**20) as store:
        for _ in range(0, 16 * 2**20, size):
            store.add("train", piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(shard["bytes"] for shard in shards(tmp_path / "store")) > 15 * 2**20
    assert len(shards(tmp_path / "store")) > 10
    assert peak < 4 * 2**20


def mapped_now() -> int:
    """Bytes of mapped files in this process's memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssFile"):
            return 1024 * int(line.split()[1])
    raise AssertionError("the kernel does not say")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_what_was_read_does_not_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infofuse.data.store.mapped.RESIDENT", 2**22)
    big = clips(2000, steps=2000)
    assert big.features["audio"].values.nbytes > 35 * 2**20
    write_store(Corpus(SPEC, {"train": big}), tmp_path / "store", shard_bytes=2**22)
    found = read_store(tmp_path / "store").split("train")
    audio = found.features["audio"]
    batches = Loader({"audio": audio}, found.labels, 32).epoch(1)
    next(batches)
    before = mapped_now()
    grown = [mapped_now() - before for _ in batches]
    grown += [mapped_now() - before for _ in audio.blocks()]
    assert max(grown) < 16 * 2**20
    assert_same(found, big)


def test_opening_keeps_no_file_open(tmp_path: Path) -> None:
    write_store(corpus(), tmp_path / "store", shard_bytes=500)
    before = len(os.listdir("/proc/self/fd"))
    found = read_store(tmp_path / "store")
    assert len(shards(tmp_path / "store")) > 20
    assert len(os.listdir("/proc/self/fd")) == before
    assert_same(found.split("train"), corpus().split("train"))


def version_1(corpus: Corpus, folder: Path) -> None:
    """The store as infofuse 0.1.0 wrote it: one file a split, by its name."""
    write_store(corpus, folder)
    manifest = json.loads((folder / "corpus.json").read_text())
    for name, split in manifest["splits"].items():
        (shard,) = split["shards"]
        (folder / shard.pop("file")).rename(folder / f"{name}.arrow")
        manifest["splits"][name] = shard
    manifest |= {"version": 1, "fingerprint": "another definition"}
    (folder / "corpus.json").write_text(json.dumps(manifest))


def test_a_store_of_version_1_is_read_verified_and_added_to(tmp_path: Path) -> None:
    version_1(corpus(), tmp_path / "old")
    before = store_bytes(tmp_path / "old")
    found = read_store(tmp_path / "old", verify=True)
    assert found.fingerprint == corpus().fingerprint
    assert_same(found.split("train"), corpus().split("train"))
    with append_store(tmp_path / "old") as store:
        store.add("train", clips(4, 2))
    after = store_bytes(tmp_path / "old")
    assert after["train.arrow"] == before["train.arrow"]
    longer = read_store(tmp_path / "old", verify=True)
    assert list(longer.split("train").ids) == [*corpus().split("train").ids, *clips(4, 2).ids]
    write_store(corpus(), tmp_path / "old", overwrite=True)
    assert "train.arrow" not in store_bytes(tmp_path / "old")


def test_appended_clips_follow_and_old_shards_are_untouched(tmp_path: Path) -> None:
    path = tmp_path / "store"
    write_store(corpus(), path, shard_bytes=4000)
    before, opened = store_bytes(path), read_store(path)
    times = {file.name: file.stat().st_mtime_ns for file in path.glob("*.arrow")}
    with append_store(path, shard_bytes=4000) as store:
        store.add("train", clips(10, 2))
        store.add("valid", clips(5, 3))
        assert read_store(path).fingerprint == corpus().fingerprint
    after = read_store(path, verify=True)
    assert list(after.splits) == ["train", "valid", "test"]
    assert list(after.split("train").ids) == [*clips(40).ids, *clips(10, 2).ids]
    assert_same(after.split("train").take(range(40, 50)), clips(10, 2))
    assert all(store_bytes(path)[name] == before[name] for name in times)
    assert all((path / name).stat().st_mtime_ns == time for name, time in times.items())
    assert_same(opened.split("train"), clips(40))
    by_hand = Corpus(SPEC, {name: after.split(name).take(range(len(after.split(name))))
                            for name in after.splits})  # fmt: skip
    assert after.fingerprint == by_hand.fingerprint


def test_a_failed_append_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store"
    write_store(corpus(), path)
    before = store_bytes(path)

    def append(split: str, second: Clips, path: Path = path) -> None:
        with append_store(path, shard_bytes=500) as store:
            store.add("train", clips(10, 2))
            store.add(split, second)

    with pytest.raises(InfofuseError, match="unknown split 'training'"):
        append("training", clips(10, 3))
    wider = Clips.of([Sample("a")], {"audio": 6, "text": 3})
    with pytest.raises(ValueError, match="its spec says"):
        append("train", wider)
    assert store_bytes(path) == before
    with pytest.raises(InfofuseError, match="is no store"):
        append("train", clips(10, 3), tmp_path / "nothing")


WRITE = """
import sys
import numpy as np
from infofuse.data import DataSpec, append_store, create_store
from infofuse.types import Clips, Ragged
{made_up}
path, mode, first, last = sys.argv[1:]
if mode == "create":
    with create_store(path, SPEC, shard_bytes=1000, overwrite=True) as store:
        for group in range(int(first), int(last)):
            store.add("train", clips(20, group))
else:
    for group in range(int(first), int(last)):
        with append_store(path, shard_bytes=1000) as store:
            store.add("train", clips(20, group))
"""


def writer(path: Path, mode: str, first: int, last: int) -> subprocess.Popen[bytes]:
    code = WRITE.format(made_up=f"SPEC = {SPEC!r}\n{inspect.getsource(clips)}")
    return subprocess.Popen([sys.executable, "-c", code, str(path), mode, str(first), str(last)])


def kill_soon(process: subprocess.Popen[bytes], begun: Any, later: float) -> None:
    """kill -9, once it has begun to write and a little later."""
    deadline = time.monotonic() + 120
    while not begun():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(later)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()


def groups(path: Path) -> list[int]:
    """The groups of clips in a store, each checked to be whole."""
    train = read_store(path, verify=True).split("train")
    assert len(train) % 20 == 0
    found = [int(train.groups[i]) for i in range(0, len(train), 20)]
    for i, group in enumerate(found):
        assert_same(train.take(range(20 * i, 20 * i + 20)), clips(20, group))
    return found


@pytest.mark.slow
def test_killed_while_appending_it_holds_whole_groups(tmp_path: Path) -> None:
    path = tmp_path / "store"
    write_store(Corpus(SPEC, {"train": clips(20, 0)}), path)
    held = [0]
    for later in (0.0, 0.013, 0.031):
        before = set(store_bytes(path))
        process = writer(path, "append", 1, 10**6)
        kill_soon(process, lambda before=before: set(os.listdir(path)) - before - {".lock"}, later)
        found = groups(path)
        assert found[: len(held)] == held
        assert found[len(held) :] == list(range(1, 1 + len(found) - len(held)))
        held = found
    with append_store(path) as store:
        store.add("train", clips(20, 99))
    assert groups(path) == [*held, 99]
    assert set(store_bytes(path)) == {"corpus.json", *(shard["file"] for shard in shards(path))}


@pytest.mark.slow
def test_killed_while_writing_there_is_the_old_store_or_none(tmp_path: Path) -> None:
    for path in (tmp_path / "new", tmp_path / "old"):
        if path.name == "old":
            write_store(Corpus(SPEC, {"train": clips(20, 7)}), path)
        folder = path if path.name == "old" else tmp_path / ".new.new"
        before = {*os.listdir(path), ".lock"} if path.name == "old" else set()
        process = writer(path, "create", 0, 10**6)
        kill_soon(
            process,
            lambda folder=folder, before=before: (
                folder.exists() and len(set(os.listdir(folder)) - before) > 5
            ),
            0.01,
        )
        if path.name == "old":
            assert groups(path) == [7]
        else:
            assert not path.exists()
        write_store(Corpus(SPEC, {"train": clips(20, 0)}), path, overwrite=True)
        assert groups(path) == [0]
        assert set(store_bytes(path)) == {"corpus.json", *(s["file"] for s in shards(path))}
    assert sorted(os.listdir(tmp_path)) == ["new", "old"]


@pytest.mark.slow
def test_two_processes_append_and_neither_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "store"
    write_store(Corpus(SPEC, {"train": clips(20, 0)}), path)
    both = [writer(path, "append", 1, 9), writer(path, "append", 101, 109)]
    assert [process.wait() for process in both] == [0, 0]
    found = groups(path)
    assert [g for g in found if g < 100] == list(range(9))
    assert [g for g in found if g > 100] == list(range(101, 109))


READ = """
import sys
from infofuse.data import read_shards
for clips in read_shards(sys.argv[1], "train", int(sys.argv[2]), 2):
    print(*clips.ids, sep="\\n")
"""


def test_two_processes_read_a_part_each(tmp_path: Path) -> None:
    write_store(corpus(), tmp_path / "store", shard_bytes=1000)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", READ, str(tmp_path / "store"), str(part)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in (0, 1)
    ]
    parts = [process.communicate()[0].split() for process in both]
    assert all(parts)
    assert sorted(parts[0] + parts[1]) == sorted(clips(40).ids)


def put_in_memory(folder: Path) -> str:
    files = fsspec.filesystem("memory")
    for file in folder.iterdir():
        files.pipe_file(f"/stores/{folder.name}/{file.name}", file.read_bytes())
    return f"memory://stores/{folder.name}"


def test_shards_stream_from_any_address(tmp_path: Path) -> None:
    folder = tmp_path / "streamed"
    write_store(corpus(), folder, shard_bytes=1000)
    for address in (folder, str(folder), f"file://{folder}", put_in_memory(folder)):
        ids: list[str] = []
        for i, part in enumerate(read_shards(address, "train")):
            assert_same(part, clips(40).take(range(len(ids), len(ids) + len(part))))
            assert len(part) == shards(folder)[i]["clips"]
            ids += part.ids
        assert ids == clips(40).ids


def test_what_cannot_be_streamed_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "refused"
    write_store(corpus(), folder)
    address = put_in_memory(folder)

    def read(address: object, split: str = "train", **part: int) -> None:
        list(read_shards(address, split, **part))  # type: ignore[arg-type]

    with pytest.raises(InfofuseError, match=r"has no split 'valid'; it has \['train', 'test'\]"):
        read(address, "valid")
    with pytest.raises(InfofuseError, match=r"has 1 shard of 'train', too few for 2 readers"):
        read(folder, of=2)
    with pytest.raises(ValueError, match="part 2 of 2 does not exist"):
        read(folder, part=2, of=2)
    with pytest.raises(InfofuseError, match="is no store that can be read"):
        read("memory://stores/nothing")
    with pytest.raises(InfofuseError, match="cannot be reached: Protocol not known"):
        read("nosuchthing://stores/nothing")
    files = fsspec.filesystem("memory")
    name = f"/stores/refused/{shards(folder)[0]['file']}"
    whole = files.cat_file(name)
    files.pipe_file(name, whole[:-9] + b"!" + whole[-8:])
    with pytest.raises(InfofuseError, match="is damaged: its SHA-256"):
        read(address)
    files.rm_file(name)
    with pytest.raises(InfofuseError, match="cannot be fetched"):
        read(address)
    files.pipe_file("/stores/refused/corpus.json", b"[]")
    with pytest.raises(InfofuseError, match=r"its corpus\.json does not say so"):
        read(address)


def test_shards_elsewhere_or_nowhere_are_refused(tmp_path: Path) -> None:
    write_store(corpus(), tmp_path / "store")
    file = tmp_path / "store" / "corpus.json"
    manifest = json.loads(file.read_text())
    manifest["splits"]["train"]["shards"][0]["file"] = "../elsewhere.arrow"
    file.write_text(json.dumps(manifest))
    with pytest.raises(InfofuseError, match="is not the plain name of a file"):
        read_store(tmp_path / "store")
    manifest["splits"]["train"]["shards"] = []
    file.write_text(json.dumps(manifest))
    with pytest.raises(InfofuseError, match="a split has no shards"):
        read_store(tmp_path / "store")


def test_a_file_of_others_may_begin_its_lists_anywhere(tmp_path: Path) -> None:
    """Arrow lets the first list begin after the first value; what lies before belongs to none."""
    made = clips(6)
    write_store(Corpus(SPEC, {"train": made}), tmp_path / "store")
    (entry,) = shards(tmp_path / "store")
    file = tmp_path / "store" / entry["file"]
    batch = pa.ipc.open_file(pa.OSFile(str(file))).read_all().to_batches()[0]
    arrays = []
    for column, field in zip(batch.columns, batch.schema, strict=True):
        if field.name.startswith("features."):
            values = pa.concat_arrays([column.values[:2], column.values])
            offsets = pa.array(column.offsets.to_numpy() + 2)
            column = pa.ListArray.from_arrays(offsets, values, type=field.type)
        arrays.append(column)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer_:
        writer_.write_batch(pa.record_batch(arrays, schema=batch.schema))
    manifest = json.loads((tmp_path / "store" / "corpus.json").read_text())
    manifest["splits"]["train"]["shards"][0]["bytes"] = file.stat().st_size
    (tmp_path / "store" / "corpus.json").write_text(json.dumps(manifest))
    found = read_store(tmp_path / "store").split("train")
    assert_same(found, made)
    for name, column in found.features.items():
        np.testing.assert_array_equal(column.values, made.features[name].values)


def test_pandas_reads_a_shard(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    write_store(corpus(), tmp_path / "store")
    frame = pandas.read_feather(tmp_path / "store" / shards(tmp_path / "store")[0]["file"])
    made = clips(40)
    assert frame["id"].tolist() == made.ids
    np.testing.assert_array_equal(np.stack(frame["features.audio"][7]), made.features["audio"][7])


def test_datasets_reads_a_split(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    write_store(corpus(), tmp_path / "store", shard_bytes=1000)
    files = [str(tmp_path / "store" / shard["file"]) for shard in shards(tmp_path / "store")]
    found = datasets.load_dataset(
        "arrow", data_files={"train": files}, cache_dir=str(tmp_path / "cache")
    )["train"]
    made = clips(40)
    assert found["id"][:] == made.ids
    np.testing.assert_array_equal(
        np.array(found[7]["features.audio"], np.float32), made.features["audio"][7]
    )
