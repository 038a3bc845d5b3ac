"""Damage to any file of any format of tables ends in a corpus or in a refusal that can be read.

INFOFUSE_FUZZ_SECONDS=60 hunts for so long in each format.
"""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

from helpers import hunt
from infofuse.data import from_frame, from_segments, open_corpus
from infofuse.errors import InfofuseError

datasets.disable_progress_bars()

QUICK = settings(max_examples=60, deadline=None, database=None, phases=[Phase.generate])


def csv_folder(folder: Path) -> None:
    text = "id,label,text,split,label_T\na_1,1.5,good,train,0\nb_1,-2,,test,\n"
    (folder / "clips.csv").write_text(text)
    (folder / "audio").mkdir()
    np.save(folder / "audio" / "a_1.npy", np.ones((2, 3), np.float32))
    np.savez_compressed(folder / "b_1.npz", face=np.ones((2, 3)), text=np.ones(2))


def fet(folder: Path) -> None:
    text = "video_id,clip_id,text,label,label_T,annotation,mode\nv,01,hi,0.2,0,Weak,train\n"
    (folder / "label.csv").write_text(text + "v,02,ho,0.2,0,Weak,valid\n")
    (folder / "features" / "vision" / "v").mkdir(parents=True)
    np.save(folder / "features" / "vision" / "v" / "01.npy", np.ones((2, 3)))


def mertools(folder: Path) -> None:
    labels = {"a_1": {"emo": "sad", "val": np.float64(1)}, "b_1": {"emo": 0, "val": -10}}
    np.savez(folder / "label.npz", train_corpus=labels, test_corpus=labels)
    (folder / "transcription.csv").write_text("name,chinese,english\na_1,x,y\n")
    (folder / "features" / "hubert-FRA" / "a_1").mkdir(parents=True)
    for i in range(2):
        np.save(folder / "features" / "hubert-FRA" / "a_1" / f"{i}.npy", np.ones(3))


def audformat(folder: Path) -> None:
    text = "file,start,end,label\na,0 days 00:00:00,0 days 00:00:01.5,1\na,1.5,,2\n"
    (folder / "db.sentiment.train.csv").write_text(text)
    (folder / "db.audio.csv").write_text("file,start,end,F0\na,0,1,3.5\na,1,2,4.5\n")


def huggingface(folder: Path) -> None:
    columns = {"id": ["a", "b"], "label": [1.0, 2.0], "text": ["x", "y"]}
    set_ = datasets.Dataset.from_dict(columns | {"audio": [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]]})
    datasets.DatasetDict({"train": set_, "test": set_}).save_to_disk(folder)


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
    "make", [csv_folder, fet, mertools, audformat, huggingface], ids=lambda make: make.__name__
)
def test_damaged_files_end_in_a_corpus_or_a_refusal(make: Callable[[Path], None]) -> None:
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
                with contextlib.suppress(InfofuseError):
                    assert open_corpus(folder).splits
            finally:
                for file, content in whole.items():
                    file.write_bytes(content)

        hunt(check, QUICK, damage=DAMAGE)


ARRAYS = [np.ones((2, 2)), np.ones(2), np.ones((1, 2, 2)), np.array(1.0), np.zeros((0, 2)),
          np.array(["x"]), np.array([None, [1]], object), np.ones(2) * 1j]  # fmt: skip
OTHERS = [None, True, np.float32(1), pd.Timedelta(1, "s"), pd.NaT, pd.NA, {"a": 1}, "train", b"x"]
ODD = st.one_of(
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers() | st.none() | st.text(max_size=1), max_size=3),
    st.lists(st.lists(st.floats(), max_size=2), max_size=2),
    st.sampled_from(ARRAYS + OTHERS),
)
NAMES = st.sampled_from(["id", "label", "label_T", "text", "split", "speaker", "audio", "label_x"])
CELLS = st.dictionaries(NAMES, st.lists(ODD, min_size=2, max_size=2), max_size=4)


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
    table = st.dictionaries(names, st.lists(ODD, min_size=2, max_size=2), max_size=3)

    def check(cells: tuple[dict[str, list[Any]], dict[str, list[Any]]]) -> None:
        rows = pd.DataFrame(clips | cells[0])
        frames = pd.DataFrame(clips | cells[1])
        with contextlib.suppress(InfofuseError):
            assert from_segments(rows, {"audio": frames}).splits

    hunt(check, QUICK, cells=st.tuples(table, table))
