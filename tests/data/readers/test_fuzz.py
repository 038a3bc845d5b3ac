"""Files of any format, damaged at random, end in a corpus or in a refusal that can be read.

Briefly here; INFOFUSE_FUZZ_SECONDS=60 pytest tests/data/readers/test_fuzz.py goes on that long with
each layout and each kind of damage.
"""

import contextlib
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import writers
from folders import audformat, clip_csv, fet, huggingface, mertools
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from writers import edited, make, places

from helpers import HUNT, hunt
from infofuse.data import from_frame, from_segments, open_corpus
from infofuse.errors import InfofuseError

TRUTH = make({"train": [(2, 3, 4), (1, 5, 2), (0, 2, 0)], "test": [(2, 2, 2)]})
PICKLED = {
    "mmsa": writers.mmsa(TRUTH),
    "mmsa-aligned": writers.mmsa(TRUTH, aligned=True),
    "mult": writers.mult(TRUTH),
    "mag": writers.mag(TRUTH),
    "mag-of-misa": writers.mag(TRUTH, 4),
    "mmsa_clip": writers.one_clip(TRUTH),
}
SEQUENCES = {"csd": writers.csd(TRUTH), "csd-in-pieces": writers.csd(TRUTH, True)}
MANY = settings(
    max_examples=500 if HUNT else 40, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
QUICK = settings(max_examples=60, deadline=None, database=None, phases=[Phase.generate])


def open_or_refuse(path: Path) -> None:
    """Nothing but a corpus or an InfofuseError, in a sentence of one line."""
    refusal = str(path)
    try:
        assert open_corpus(path).fingerprint
    except InfofuseError as error:
        refusal = str(error)
    assert str(path) in refusal


BYTES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8)


def changed(content: bytes, changes: list[tuple[int, int]], cut: int) -> bytes:
    raw = bytearray(content)
    for place, byte in changes:
        raw[place % len(raw)] = byte
    return bytes(raw[: len(raw) - cut])


CUT = st.sampled_from([0, 0, 0, 1, 7, 100])


@pytest.mark.parametrize("layout", PICKLED)
def test_changed_bytes_of_pickles(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    contents = [pickle.dumps(PICKLED[layout], protocol=protocol) for protocol in (2, 4, 5)]

    def body(content: bytes, changes: list[tuple[int, int]], cut: int) -> None:
        path.write_bytes(changed(content, changes, cut))
        open_or_refuse(path)

    hunt(body, MANY, content=st.sampled_from(contents), changes=BYTES, cut=CUT)
    assert list(tmp_path.iterdir()) == [path]


ODD = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3),
    st.lists(st.integers() | st.text(max_size=2), max_size=3),
    st.sampled_from([
        {}, (), [[]], [[1], [2, 3]], {"labels": 1}, {"text": np.ones((2, 2))}, ((), (), ()),
        np.ones(3), np.ones((3, 4, 2)), np.zeros((3, 0, 1)), np.ones((0, 3, 2)), np.ones((1, 1)),
        np.ones((3, 5), np.int8), np.full((3, 8, 5), 1e300), np.float32(1), np.str_("x"),
        np.array(["x"] * 3), np.array([b"x", b"\xff", b""]), np.array([None, 1, [2]], object),
        np.full((3, 2, 2), np.nan), np.ones((3, 1, 7)), [np.ones((1, 5))] * 3,
        np.array([np.ones((1, 5)), None, 1], object),
    ]),
)  # fmt: skip
REFORM: list[Callable[[np.ndarray], Any]] = [
    lambda a: a[:-1], lambda a: a[..., :1], lambda a: a[None], lambda a: a.ravel(), lambda a: a.T,
    lambda a: a.astype(object), lambda a: a.astype("S"), lambda a: a.tolist(), lambda a: list(a),
    lambda a: a[..., None], lambda a: np.concatenate([a, a]), lambda a: a[:0],
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, data: Any) -> Any:
    """The same data with one to three of its parts replaced, reshaped, removed or moved."""
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(data)))
        edit = draw(st.one_of(
            ODD.map(lambda value: lambda _: value),
            st.sampled_from(REFORM).map(lambda f: lambda x: f(np.asarray(x))
                                        if isinstance(x, np.ndarray) else x),
            st.sampled_from([
                lambda x: dict(list(x.items())[1:]) if isinstance(x, dict) else x,
                lambda x: x[:-1] if isinstance(x, list | tuple) else x,
                lambda x: x * 2 if isinstance(x, list | tuple) else x,
                lambda x: dict(zip(x, list(x.values())[::-1], strict=True)) if isinstance(x, dict)
                else x,
            ]),
        ))  # fmt: skip
        try:
            data = edited(data, path, edit)
        except (ValueError, TypeError, IndexError):  # an edit that this array does not bear
            continue
    return data


@pytest.mark.parametrize("layout", PICKLED)
def test_changed_structure_of_pickles(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"

    def body(data: Any) -> None:
        path.write_bytes(pickle.dumps(data, protocol=4))
        open_or_refuse(path)

    hunt(body, MANY, data=damaged(PICKLED[layout]))


@pytest.mark.parametrize("layout", SEQUENCES)
def test_changed_bytes_of_sequences(layout: str, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    folder = writers.put_csd(tmp_path / "csd", SEQUENCES[layout])
    contents = {file: file.read_bytes() for file in sorted(folder.iterdir())}

    def body(file: Path, changes: list[tuple[int, int]], cut: int) -> None:
        file.write_bytes(changed(contents[file], changes, cut))
        open_or_refuse(folder)
        file.write_bytes(contents[file])

    hunt(body, MANY, file=st.sampled_from(list(contents)), changes=BYTES, cut=CUT)


@pytest.mark.parametrize("layout", SEQUENCES)
def test_changed_structure_of_sequences(layout: str, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    folder = tmp_path / "csd"

    def body(data: Any) -> None:
        for file in folder.glob("*"):
            file.unlink()
        try:
            writers.put_csd(folder, data)
        except (AttributeError, OSError, TypeError, ValueError):  # nothing that HDF5 could hold
            return
        if any(folder.glob("*.csd")):
            open_or_refuse(folder)

    hunt(body, MANY, data=damaged(SEQUENCES[layout]))


TOKENS = (
    b"", b",", b'"', b"\n", b"\r", b"nan", b"1e999", b"-1", b"9" * 30, b"inf", b"\x00", b"\xff",
    b"\xff" * 4, b"..", b"/", b"NaT", b"P1DT", b"PK\x03\x04", b"\x80\x04", b"(1,", b"O", b"L",
    b"True", b"[" * 300,
)  # fmt: skip
DAMAGE = st.lists(
    st.tuples(st.integers(0, 99), st.floats(0, 1), st.integers(0, 5), st.sampled_from(TOKENS)
              | st.binary(min_size=1, max_size=4)),
    min_size=1, max_size=3,
)  # fmt: skip


@pytest.mark.parametrize(
    "make", [clip_csv, fet, mertools, audformat, huggingface], ids=lambda make: make.__name__
)
def test_changed_bytes_of_tables(make: Callable[[Path], None]) -> None:
    """Each damage takes some bytes of a file, here or there, and puts others in their place."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        whole = {file: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}

        def check(damage: list[tuple[int, float, int, bytes]]) -> None:
            for number, place, taken, put in damage:
                file = [*whole][number % len(whole)]
                content = file.read_bytes()
                at = int(place * len(content))
                file.write_bytes(content[:at] + put + content[at + taken :])
            try:
                open_or_refuse(folder)
            finally:
                for file, content in whole.items():
                    file.write_bytes(content)

        hunt(check, QUICK, damage=DAMAGE)


ARRAYS = [np.ones((2, 2)), np.ones(2), np.ones((1, 2, 2)), np.array(1.0), np.zeros((0, 2)),
          np.array(["x"]), np.array([None, [1]], object), np.ones(2) * 1j]  # fmt: skip
OTHERS = [None, True, np.float32(1), pd.Timedelta(1, "s"), pd.NaT, pd.NA, {"a": 1}, "train", b"x"]
CELL = st.one_of(
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers() | st.none() | st.text(max_size=1), max_size=3),
    st.lists(st.lists(st.floats(), max_size=2), max_size=2),
    st.sampled_from(ARRAYS + OTHERS),
)
NAMES = st.sampled_from(["id", "label", "label_T", "text", "split", "speaker", "audio", "label_x"])
CELLS = st.dictionaries(NAMES, st.lists(CELL, min_size=2, max_size=2), max_size=4)


def test_odd_cells_of_a_frame_end_in_a_corpus_or_a_refusal() -> None:
    good = {"id": ["a", "b"], "label": [1.0, 2.0], "audio": [np.ones((2, 2))] * 2}

    def check(cells: dict[str, list[Any]]) -> None:
        with contextlib.suppress(InfofuseError):
            assert from_frame(pd.DataFrame(good | cells)).splits
        try:
            table = pa.table(good | {"audio": [[[1.0, 2.0]], None]} | cells)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            return
        with contextlib.suppress(InfofuseError):
            assert from_frame(table).splits

    hunt(check, QUICK, cells=CELLS)


def test_odd_cells_of_segments_end_in_a_corpus_or_a_refusal() -> None:
    clips = {"file": ["a", "a"], "start": [0.0, 1.0], "end": [1.0, 2.0], "label": [1.0, 2.0]}
    names = st.sampled_from(["file", "start", "end", "label", "F0", "id"])
    table = st.dictionaries(names, st.lists(CELL, min_size=2, max_size=2), max_size=3)

    def check(cells: tuple[dict[str, list[Any]], dict[str, list[Any]]]) -> None:
        rows = pd.DataFrame(clips | cells[0])
        frames = pd.DataFrame(clips | cells[1])
        with contextlib.suppress(InfofuseError):
            assert from_segments(rows, {"audio": frames}).splits

    hunt(check, QUICK, cells=st.tuples(table, table))
