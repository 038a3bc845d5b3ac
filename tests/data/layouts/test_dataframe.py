"""Tables in memory: columns by name or by word, steps in every form that a frame may hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.data import from_frame, from_segments, open_corpus
from infofuse.data.layouts.steps import join_column
from infofuse.errors import InfofuseError

datasets.disable_progress_bars()

STEPS = [[[1.0, 2.0], [3.0, 4.0]], None, [[5.0, 6.0]]]


def columns(**more: Any) -> dict[str, Any]:
    return {"id": ["a_1", "a_2", "b_1"], "label": [1.0, None, -0.5]} | more


FRAMES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "datasets": datasets.Dataset.from_dict,
}


@pytest.mark.parametrize("kind", FRAMES)
def test_nested_lists_and_vectors_are_modalities(kind: str) -> None:
    frame = FRAMES[kind](columns(audio=STEPS, face=[[1, 2, 3]] * 3, words=[["a"], ["b"], ["c"]]))
    corpus = from_frame(frame, kind)
    clips = corpus.splits["train"]
    assert corpus.spec.features == {"audio": 2, "face": 3}
    assert corpus.spec.name == kind
    assert clips.features["audio"].lengths.tolist() == [2, 0, 1]
    assert clips.features["audio"].values.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert clips.features["face"].values.tolist() == [[1, 2, 3]] * 3
    assert clips.groups == ["a", "a", "b"]
    assert corpus.notes == (
        "words: not read",
        "splits: there are none, all is train",
        "labels: unknown for 1 clips",
        "labels: all within [-1, 1], scored as CH-SIMS' are",
    )


def test_columns_may_go_by_other_names() -> None:
    frame = pd.DataFrame(
        {
            "clip": [7, 8],
            "happy": [0, 1],
            "sad": [2.5, np.nan],
            "said": ["x", None],
            "fold": ["dev", "test"],
            "who": ["p", "q"],
            "covarep": [np.ones((2, 4)), None],
            "left": [np.ones(3), np.ones(3)],
        }
    )
    corpus = from_frame(
        frame, id="clip", label=["happy", "sad"], text="said", split="fold", group="who",
        features={"audio": "covarep"},
    )  # fmt: skip
    valid = corpus.splits["valid"]
    assert (valid.ids, valid.texts, valid.groups) == (["7"], ["x"], ["p"])
    assert valid.labels.tolist() == [[0, 2.5]]
    assert corpus.spec.features == {"audio": 4}
    assert corpus.spec.outputs == 2
    assert corpus.notes == ("left: not read", "labels: unknown for 1 clips")


def test_words_and_features_of_them_may_both_be_there() -> None:
    frame = pl.DataFrame(columns(text=STEPS, raw_text=["a", "b", None]), strict=False)
    corpus = from_frame(frame)
    assert corpus.spec.modalities == ("text",)
    assert (corpus.spec.text, corpus.spec.features) == (True, {"text": 2})
    assert corpus.splits["train"].texts == ["a", "b", ""]


def test_frames_by_split_and_a_modality_of_one_of_them() -> None:
    train, test = pd.DataFrame(columns(audio=STEPS)), pd.DataFrame(columns()).assign(id=list("xyz"))
    corpus = from_frame({"train": train, "dev": test})
    assert list(corpus.splits) == ["train", "valid"]
    assert corpus.splits["valid"].features["audio"].lengths.tolist() == [0, 0, 0]


def test_an_object_column_of_polars_holds_arrays() -> None:
    arrays = [np.ones((2, 3), np.float16), None, np.ones((1, 3), np.float16)]
    frame = pl.DataFrame(columns()).with_columns(pl.Series("audio", arrays, dtype=pl.Object))
    assert from_frame(frame).splits["train"].features["audio"].lengths.tolist() == [2, 0, 1]


def test_a_part_of_a_dataset_is_that_part_and_its_split_is_kept(tmp_path: Path) -> None:
    whole = datasets.Dataset.from_dict(columns(audio=STEPS), split="test")
    part = whole.select([2, 0])
    part.save_to_disk(tmp_path / "part")
    for corpus in (from_frame(part), open_corpus(tmp_path / "part")):
        assert list(corpus.splits) == ["test"]
        assert corpus.splits["test"].ids == ["b_1", "a_1"]
        assert corpus.splits["test"].features["audio"].values.tolist() == [[5, 6], [1, 2], [3, 4]]


def test_class_numbers_are_no_scores() -> None:
    kinds = {"id": datasets.Value("string"), "label": datasets.ClassLabel(names=["sad", "happy"])}
    frame = datasets.Dataset.from_dict(
        {"id": ["a", "b"], "label": [0, 1]}, features=datasets.Features(kinds)
    )
    corpus = from_frame(frame)
    assert np.isnan(corpus.splits["train"].labels).all()
    assert corpus.notes[0] == "label: classes, not read"


def test_a_missing_file_or_field_of_a_saved_dataset_is_refused(tmp_path: Path) -> None:
    datasets.Dataset.from_dict(columns()).save_to_disk(tmp_path / "set")
    file = next((tmp_path / "set").glob("*.arrow"))
    content = file.read_bytes()
    for damage in (content[:200], b""):
        file.write_bytes(damage)
        with pytest.raises(InfofuseError, match="cannot be read as Arrow streams"):
            open_corpus(tmp_path / "set")
    (tmp_path / "set" / "state.json").write_text("{}")
    with pytest.raises(InfofuseError, match=r"state\.json lacks or garbles a field"):
        open_corpus(tmp_path / "set")


WRONG: dict[str, Callable[[], Any]] = {
    "a list is no table; a DataFrame of pandas or polars": lambda: from_frame([1]),
    "a LazyFrame is no table": lambda: from_frame(pl.LazyFrame(columns())),
    "there is no column 'id' among 'name', 'label'": lambda: from_frame(
        pd.DataFrame({"name": ["a"], "label": [1]})
    ),
    "unknown column 'mod'; did you mean 'mood'?": lambda: from_frame(
        pd.DataFrame(columns(mood=[1, 2, 3])), label="mod"
    ),
    "column 'mood' holds no lists or arrays of numbers": lambda: from_frame(
        pd.DataFrame(columns(mood=[1, 2, 3])), features={"audio": "mood"}
    ),
    "unknown split 'tain'; did you mean 'train'?": lambda: from_frame({"tain": pa.table({})}),
    "there are two tables of the split 'valid'": lambda: from_frame(
        {"dev": pa.table(columns()), "val": pa.table(columns())}
    ),
    "there are two columns 'id'; keep one": lambda: from_frame(
        pa.table([["a"], ["b"]], names=["id", "id"])
    ),
    "'x' has 2 features a step in row 0, and 1 in row 2": lambda: from_frame(
        pd.DataFrame(columns(x=[np.ones((1, 2)), None, np.ones((4, 1))]))
    ),
    "'x' has 2 features a step in row 1, and 3 in row 2": lambda: from_frame(
        pa.table(columns(x=[[], [[1, 2]], [[3, 4, 5]]]))
    ),
    "'x' is nested too deeply": lambda: from_frame(pa.table(columns(x=[[[[1.0]]]] * 3))),
    "'x': row 1 is no array of numbers": lambda: from_frame(
        pd.DataFrame(columns(x=[[1, 2], [[1], [2, 3]], [1, 2]]))
    ),
    "splits differ in features a step of 'x': 1 in 'train', 2 in 'test'": lambda: from_frame(
        {"train": pa.table(columns(x=[[1]] * 3)), "test": pa.table(columns(x=[[1, 2]] * 3))}
    ),
    "column 'label' has 2 labels in row 0, 1 in 1": lambda: from_frame(
        pa.table(columns() | {"label": [[1, 2], [3], [4, 5]]})
    ),
    "column 'id' holds a float, not a string": lambda: from_frame(
        pd.DataFrame(columns() | {"id": [1.0, 2.0, 3.5]})
    ),
    "row 1 of the segments ends before it starts": lambda: from_segments(
        pd.DataFrame({"file": ["a", "a"], "start": [0, 5], "end": [1, 2], "label": [1, 2]}), {}
    ),
    "column 'start' holds 'soon' in row 0, which is no time": lambda: from_segments(
        pd.DataFrame({"file": ["a"], "start": ["soon"], "end": [1]}), {}
    ),
    "there is no column 'end' among file, start": lambda: from_segments(
        pd.DataFrame({"file": ["a"], "start": [0]}), {}
    ),
    "'egemaps': column 'F0' does not hold numbers": lambda: from_segments(
        pd.DataFrame({"file": ["a"], "start": [0], "end": [1]}),
        {"egemaps": pd.DataFrame({"file": ["a"], "start": [0], "end": [1], "F0": ["low"]})},
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(sentence: str) -> None:
    with pytest.raises(InfofuseError) as refusal:
        WRONG[sentence]()
    assert sentence in str(refusal.value)


WIDTHS = st.integers(1, 3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_column_of_lists_is_what_python_says_it_is(data: st.DataObject) -> None:
    """Lists of any size of offset and of fixed size, with nulls, sliced and in chunks."""
    width = data.draw(WIDTHS)
    numbers = st.lists(st.integers(-9, 9).map(float), min_size=width, max_size=width)
    vector = numbers.filter(any)  # a clip of zeros alone lacks the modality
    rows = data.draw(st.lists(st.none() | st.lists(vector, max_size=3), min_size=1, max_size=6))
    inner = data.draw(st.sampled_from([pa.list_, pa.large_list]))(pa.float64())
    inner = data.draw(st.sampled_from([inner, pa.list_(pa.float64(), width)]))
    outer = data.draw(st.sampled_from([pa.list_, pa.large_list]))(inner)
    cut = data.draw(st.integers(0, len(rows)))
    begin = data.draw(st.integers(0, len(rows)))
    column = pa.chunked_array([pa.array(rows[:cut], outer), pa.array(rows[cut:], outer)])
    ragged, notes = join_column("x", column[begin:])
    assert notes == []
    assert [x.tolist() for x in ragged] == [row or [] for row in rows[begin:]]


def test_rows_of_features_go_to_the_clips_in_whose_time_they_lie() -> None:
    clips = pd.DataFrame(
        {
            "file": ["a", "a", "a", "b", "b"],
            "start": ["0 days 00:00:00", "0 days 00:00:01", "P0DT0H0M1.5S", "", "2"],
            "end": ["0 days 00:00:01", "0 days 00:00:03.500000", "P0DT0H0M1.5S", "NaT", "3"],
            "sentiment": [1, 2, 3, 4, 5],
            "speaker": ["s", "s", "t", "t", None],
        }
    )
    frames = {"file": ["a"] * 5 + ["c"], "start": np.arange(6) - 0.5, "end": np.arange(6) + 0.5}
    frames["start"][0] = 0
    frames["energy"] = [np.nan, 1, 2, 3, 4, 5]
    whole = {"file": ["b", "a"], "start": [0.0, 1.5], "end": [None, 1.5], "mean": [7, 8]}
    tables = {"energy": pd.DataFrame(frames), "mean": pl.DataFrame(whole)}
    corpus = from_segments(clips, tables)
    got = corpus.splits["train"]
    assert got.ids == ["a[0-1]", "a[1-3.5]", "a[1.5-1.5]", "b", "b[2-3]"]
    assert got.groups == ["s", "s", "t", "t", "b"]
    assert [x.ravel().tolist() for x in got.features["energy"]] == [[], [1, 2, 3], [], [], []]
    assert [x.ravel().tolist() for x in got.features["mean"]] == [[], [8], [8], [7], []]
    absent = "energy: all zero or NaN in 1 of 5 clips, which count as without it"
    assert absent in corpus.notes
    assert "energy: no rows in 3 of 5 clips, which lack it" in corpus.notes
    assert "energy: 2 rows lie in no clip, not read" in corpus.notes
