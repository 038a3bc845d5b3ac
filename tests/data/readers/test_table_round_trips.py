"""Round trips of every format of tables: what a twin writes, a reader gives back, cell by cell."""

import csv
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
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
from hypothesis.extra import numpy as hnp

from infofuse.data import Corpus, from_frame, from_segments, open_corpus, read_store, write_store

datasets.disable_progress_bars()

NAN = float("nan")
SCORES = st.floats(-3, 3, width=32) | st.just(NAN)
SECONDS = 10  # a clip of audformat's


@dataclass
class Rows:
    """Clips as a table has them: `features[modality][i]` is (steps, width), or None."""

    ids: list[str]
    splits: list[str]
    labels: list[float]
    texts: list[str]
    unimodal: dict[str, list[float]]
    features: dict[str, list[np.ndarray | None]]

    def columns(self) -> dict[str, list[Any]]:
        """The columns of single values, in an order that no reader may count on."""
        return {
            "label_V": self.unimodal["vision"],
            "text": self.texts,
            "split": self.splits,
            "id": self.ids,
            "label": self.labels,
            "label_T": self.unimodal["text"],
        }


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    n = draw(st.integers(1, 5))

    def column(cells: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(cells, min_size=n, max_size=n))

    def steps(width: int) -> st.SearchStrategy[np.ndarray | None]:
        """Not zero in the first frame: extractors write zeros for what they did not find."""
        shapes = st.tuples(st.integers(1, 4), st.just(width))
        values = hnp.arrays(np.float32, shapes, elements=st.floats(1, 9, width=32))
        return st.none() | values

    ids = st.from_regex(r"[A-Za-z0-9]{1,3}_[0-9]{1,3}", fullmatch=True)
    words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)
    return Rows(
        ids=draw(st.lists(ids, min_size=n, max_size=n, unique=True)),
        splits=column(st.sampled_from(["train", "valid", "test"])),
        labels=column(SCORES),
        texts=column(words),
        unimodal={"text": column(SCORES), "vision": column(SCORES)},
        features={name: column(steps(draw(st.integers(1, 3)))) for name in ("audio", "face")},
    )


def write_csv(path: Path, columns: dict[str, list[Any]], **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", **{"encoding": "utf-8", **options}) as file:
        writer = csv.writer(file)  # quotes what it must, and ends lines as Excel does
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow("" if cell != cell else cell for cell in row)


def write_npy(folder: Path, rows: Rows, names: list[str]) -> None:
    for modality, column in rows.features.items():
        for name, steps in zip(names, column, strict=True):
            if steps is not None:
                (folder / modality / name).parent.mkdir(parents=True, exist_ok=True)
                np.save(folder / modality / f"{name}.npy", steps)


def csv_and_npy(rows: Rows, folder: Path) -> Corpus:
    write_csv(folder / "clips.csv", rows.columns(), encoding="utf-8-sig")
    write_npy(folder, rows, rows.ids)
    return open_corpus(folder)


def csv_and_npz(rows: Rows, folder: Path) -> Corpus:
    write_csv(folder / "clips.csv", rows.columns())
    (folder / "npz").mkdir()
    for i, clip in enumerate(rows.ids):
        arrays = {m: column[i] for m, column in rows.features.items() if column[i] is not None}
        np.savez(folder / "npz" / f"{clip}.npz", **arrays)
    return open_corpus(folder / "clips.csv")


def csv_a_split(rows: Rows, folder: Path) -> Corpus:
    columns = rows.columns()
    splits = columns.pop("split")
    for split in set(splits):
        part = {name: [c for c, s in zip(column, splits, strict=True) if s == split]
                for name, column in columns.items()}  # fmt: skip
        write_csv(folder / f"clips_{'dev' if split == 'valid' else split}.csv", part)
    write_npy(folder / "features", rows, rows.ids)
    return open_corpus(folder)


def fet(rows: Rows, folder: Path) -> Corpus:
    columns = rows.columns()
    ids = [clip.split("_") for clip in columns.pop("id")]
    columns |= {"video_id": [video for video, _ in ids], "clip_id": [clip for _, clip in ids]}
    write_csv(folder / "label.csv", columns | {"mode": columns.pop("split")})
    write_npy(folder / "features", rows, ["/".join(pair) for pair in ids])
    corpus = open_corpus(folder)
    for clips in corpus.splits.values():
        assert all("$_$" in clip for clip in clips.ids)
        vars(clips)["ids"] = [clip.replace("$_$", "_") for clip in clips.ids]
    return corpus


def mertools_npz(rows: Rows, folder: Path) -> Corpus:
    facts = zip(rows.ids, rows.labels, rows.splits, strict=True)
    labels: dict[str, dict[str, Any]] = {"train": {}, "val": {}, "test": {}}
    for clip, label, split in facts:
        value = {"emo": "happy", "val": -10 if label != label else np.float64(label)}
        labels["val" if split == "valid" else split][clip] = value
    np.savez_compressed(folder / "label.npz", **{f"{k}_corpus": v for k, v in labels.items()})
    words = {"name": rows.ids, "chinese": ["x"] * len(rows.ids), "english": rows.texts}
    write_csv(folder / "transcription.csv", words)
    write_npy(folder / "features", rows, rows.ids)
    return open_corpus(folder)


def mertools_csv(rows: Rows, folder: Path) -> Corpus:
    columns = {"names": rows.ids, "emo": ["sad"] * len(rows.ids), "val": rows.labels}
    write_csv(folder / "label.csv", columns | {"text": rows.texts, "split": rows.splits})
    for modality, column in rows.features.items():
        for name, steps in zip(rows.ids, column, strict=True):
            for i, step in enumerate([] if steps is None else steps):
                (folder / "features" / modality / name).mkdir(parents=True, exist_ok=True)
                np.save(folder / "features" / modality / name / f"{i:03d}.npy", step)
    return open_corpus(folder)


def index(rows: list[tuple[str, float, float]]) -> pd.MultiIndex:
    seconds = [(file, pd.Timedelta(a, "s"), pd.Timedelta(b, "s")) for file, a, b in rows]
    return pd.MultiIndex.from_tuples(seconds, names=["file", "start", "end"])


def segments(rows: Rows) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """All clips in one file, one after the other, and their steps as its frames, in no order."""
    times = [("a.wav", i * SECONDS, (i + 1) * SECONDS) for i in range(len(rows.ids))]
    features = {}
    for modality, column in rows.features.items():
        frames = [(i, k / len(x), (k + 1) / len(x), step)
                  for i, x in enumerate(column) if x is not None
                  for k, step in enumerate(x)]  # fmt: skip
        frames = [frames[i] for i in np.random.default_rng(0).permutation(len(frames))]
        width = len(frames[0][3]) if frames else 1
        features[modality] = pd.DataFrame(
            np.array([frame[3] for frame in frames], np.float32).reshape(-1, width),
            index=index([("a.wav", (i + a) * SECONDS, (i + b) * SECONDS) for i, a, b, _ in frames])
            if frames
            else index(times)[:0],
            columns=[f"F{i}" for i in range(width)],
        )
    return pd.DataFrame(rows.columns(), index=index(times)), features


def audformat(rows: Rows, folder: Path) -> Corpus:
    labels, features = segments(rows)
    labels.to_csv(folder / "db.sentiment.csv", quoting=csv.QUOTE_ALL)
    for modality, frame in features.items():
        frame.to_csv(folder / f"db.{modality}.csv")
    return open_corpus(folder)


def audformat_in_memory(rows: Rows, _: Path) -> Corpus:
    return from_segments(*segments(rows))


def pandas_frame(rows: Rows, _: Path) -> Corpus:
    return from_frame(pd.DataFrame(rows.columns() | rows.features).set_index("id"))


def nested(rows: Rows) -> dict[str, list[Any]]:
    return {m: [None if x is None else x.tolist() for x in c] for m, c in rows.features.items()}


def polars_frame(rows: Rows, _: Path) -> Corpus:
    steps = dict.fromkeys(rows.features, pl.List(pl.List(pl.Float32)))
    return from_frame(pl.DataFrame(rows.columns() | nested(rows), schema_overrides=steps))


def arrow_table(rows: Rows, _: Path) -> Corpus:
    steps = pa.list_(pa.list_(pa.float64()))
    columns = {m: pa.array(column, steps) for m, column in nested(rows).items()}
    return from_frame(pa.table(rows.columns() | columns))


def dataset_dict(rows: Rows) -> datasets.DatasetDict:
    kinds = {"float": datasets.Value("float32"), "str": datasets.Value("string")}
    columns = rows.columns()
    features = {name: kinds[type(column[0]).__name__] for name, column in columns.items()}
    for modality, column in rows.features.items():
        width = next((x.shape[1] for x in column if x is not None), 1)
        features[modality] = datasets.Array2D((None, width), "float32")
        columns[modality] = column
    whole = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    rows_of = {s: [i for i, x in enumerate(rows.splits) if x == s] for s in set(rows.splits)}
    return datasets.DatasetDict({s: whole.select(r) for s, r in rows_of.items()})


def datasets_in_memory(rows: Rows, _: Path) -> Corpus:
    return from_frame(dataset_dict(rows))


def datasets_on_disk(rows: Rows, folder: Path) -> Corpus:
    dataset_dict(rows).save_to_disk(folder / "set")
    return open_corpus(folder / "set")


def our_store(rows: Rows, folder: Path) -> Corpus:
    """A store is Arrow: its files go through `datasets` and pandas, and come back as they were."""
    write_store(from_frame(pd.DataFrame(rows.columns() | rows.features)), folder / "store")
    parts = {}
    for file in (folder / "store").glob("*.arrow"):
        with pa.memory_map(str(file)) as source:
            parts[file.stem.split("-")[0]] = datasets.Dataset(pa.ipc.open_file(source).read_all())
    assert from_frame(parts).fingerprint == read_store(folder / "store").fingerprint
    return from_frame({split: part.to_pandas() for split, part in parts.items()})


Write = Callable[[Rows, Path], Corpus]
WITHOUT_UNIMODAL = {mertools_npz, mertools_csv}
FORMATS: list[Write] = [
    csv_and_npy, csv_and_npz, csv_a_split, fet, mertools_npz, mertools_csv, audformat,
    audformat_in_memory, pandas_frame, polars_frame, arrow_table, datasets_in_memory,
    datasets_on_disk, our_store,
]  # fmt: skip


def assert_holds(corpus: Corpus, rows: Rows, unimodal: bool) -> None:
    """The corpus holds the very clips of the table, split by split, in their order."""
    assert set(corpus.splits) == set(rows.splits)
    present = {m for m, column in rows.features.items() if any(x is not None for x in column)}
    assert set(corpus.spec.features) == present
    for split, clips in corpus.splits.items():
        at = [i for i, s in enumerate(rows.splits) if s == split]
        if set(clips.ids) == {rows.ids[i] for i in at}:  # a file a split may change their order
            at = [rows.ids.index(clip) for clip in clips.ids]
        assert clips.ids == [rows.ids[i] for i in at]
        assert clips.texts == [rows.texts[i] for i in at]
        scores = {"label": clips.labels} | dict(clips.unimodal)
        truth = {"label": rows.labels} | (rows.unimodal if unimodal else {})
        assert set(scores) == set(truth)
        for name, column in scores.items():
            expected = np.array([[truth[name][i]] for i in at], np.float32)
            np.testing.assert_array_equal(column, expected)
        for modality in present:
            ragged = clips.features[modality]
            for k, i in enumerate(at):
                steps = rows.features[modality][i]
                expected = np.zeros((0, ragged.width)) if steps is None else steps
                np.testing.assert_array_equal(ragged[k], expected)


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
@settings(max_examples=12, deadline=None)
@given(rows=tables())
def test_what_a_table_holds_comes_back(write: Write, rows: Rows) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_holds(write(rows, Path(folder)), rows, write not in WITHOUT_UNIMODAL)
