"""Csv files and feature files of clips: how they are recognised, what is noted, what is refused."""

import csv
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from helpers import infofuse_unprivileged
from infofuse.data import Corpus, from_arrays, from_frame, open_corpus
from infofuse.data.corpus import formats, reader
from infofuse.errors import InfofuseError

LABEL = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips of a csv with features in a folder a modality."""
    (tmp_path / "audio").mkdir()
    (tmp_path / "clips.csv").write_text("id,label,text,split\na_1,1.5,good,train\nb_1,-2,,test\n")
    np.save(tmp_path / "audio" / "a_1.npy", np.array([[1, 2], [3, 4]], np.float32))
    np.save(tmp_path / "audio" / "b_1.npy", np.array([5, 6], np.float64))
    return tmp_path


def test_a_vector_is_one_step_and_matrices_are_steps(folder: Path) -> None:
    corpus = open_corpus(folder)
    assert corpus.spec.features == {"audio": 2}
    assert corpus.notes == ()
    assert corpus.spec.name == folder.name
    assert corpus.splits["train"].features["audio"][0].tolist() == [[1, 2], [3, 4]]
    assert corpus.splits["test"].features["audio"][0].tolist() == [[5, 6]]
    assert corpus.splits["test"].features["audio"].values.dtype == np.float32
    assert corpus.splits["test"].texts == [""]
    assert corpus.splits["test"].groups == ["b"]


def test_each_path_has_at_most_one_reader(folder: Path) -> None:
    headers = {
        "clip_csv": "split,LABEL,Id,video_id,clip_id,name\n",
        "fet": LABEL,
        "mertools": "name,emo,val\n",
        "audformat": "file,start,end,id,label\n",
    }
    for name, header in headers.items():
        (folder / "clips.csv").write_text(header)
        for path in (folder, folder / "clips.csv"):
            assert [n for n in formats() if reader(n).recognises(path)] == [name]
    for other in ("a,b\n", "", "\x00\xff"):
        (folder / "clips.csv").write_text(other, encoding="latin-1")
        assert not any(reader(n).recognises(folder) for n in formats())


def test_csv_as_excel_writes_it(folder: Path) -> None:
    text = 'ID,Label,Text\r\na_1,,"one, ""two""\nthree"\r\nb_1,NaN,é\r\n'
    (folder / "clips.csv").write_bytes(text.encode("utf-8-sig"))
    corpus = open_corpus(folder)
    assert corpus.splits["train"].texts == ['one, "two"\nthree', "é"]
    assert np.isnan(corpus.splits["train"].labels).all()
    assert corpus.notes == ("splits: there are none, all is train", "labels: unknown for 2 clips")


@pytest.mark.parametrize(("separator", "said"), [(",", None), (";", "semicolons"), ("\t", "tabs")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_as_spreadsheets_write_it(
    separator: str, said: str | None, encoding: str, folder: Path
) -> None:
    rows = ["id,label,text,split,", "a_1,1.5,é,train,", "b_1,-2,,test,", ",,,,", " , ,,,"]
    text = "".join(row.replace(",", separator) + "\r\n" for row in rows)
    (folder / "clips.csv").write_bytes(text.encode(encoding))
    corpus = open_corpus(folder)
    assert corpus.splits["train"].texts == ["é"]
    assert corpus.splits["test"].labels.tolist() == [[-2]]
    assert corpus.splits["test"].features["audio"].lengths.tolist() == [1]
    told = [f"clips.csv: separated by {said}"] if said else []
    told += ["clips.csv: in UTF-16"] if encoding == "utf-16" else []
    assert corpus.notes == (*told, "clips.csv: 2 rows of empty cells, left out")


def test_spaces_around_names_and_cells_do_not_count(folder: Path) -> None:
    text = ' id , text, "label", split\na_1 , "well, yes", 1.5, train\n b_1, no , -2,test \n'
    (folder / "clips.csv").write_text(text)
    corpus = open_corpus(folder)
    assert corpus.notes == ()
    assert corpus.splits["train"].texts == ["well, yes"]
    assert corpus.splits["test"].texts == ["no"]
    assert corpus.splits["train"].labels.tolist() == [[1.5]]
    assert corpus.splits["test"].features["audio"][0].tolist() == [[5, 6]]


def test_rows_of_empty_cells_are_no_clips_of_two_names(tmp_path: Path) -> None:
    (tmp_path / "label.csv").write_text("video_id,clip_id,text,label\nv,1,hi,1\n,,,\n")
    corpus = open_corpus(tmp_path)
    assert corpus.splits["train"].ids == ["v$_$1"]
    assert corpus.notes[0] == "label.csv: 1 rows of empty cells, left out"
    (tmp_path / "label.csv").write_text("video_id,clip_id,text,label\nv,1,hi,1\n,2,ho,1\n")
    with pytest.raises(InfofuseError, match="row 1 has no 'id'"):
        open_corpus(tmp_path)


def test_ids_keep_their_zeros(tmp_path: Path) -> None:
    (tmp_path / "label.csv").write_text(LABEL + "007,0001,NA,0.2,0,1,,Weak,train\r\n")
    clips = open_corpus(tmp_path).splits["train"]
    assert (clips.ids, clips.groups, clips.texts) == (["007$_$0001"], ["007"], ["NA"])
    assert {m: labels.tolist() for m, labels in clips.unimodal.items()} == {
        "text": [[0.0]],
        "audio": [[1.0]],
        "vision": [[pytest.approx(np.nan, nan_ok=True)]],
    }


@pytest.mark.parametrize("name", ["v/0001", "v_0001", "v$_$0001"])
def test_fet_finds_features_and_sees_media(name: str, tmp_path: Path) -> None:
    (tmp_path / "Raw" / "v").mkdir(parents=True)
    (tmp_path / "Raw" / "v" / "0001.mp4").write_bytes(b"no film")
    (tmp_path / "Raw" / "v" / "0001.opus").write_bytes(b"no sound")
    (tmp_path / "label.csv").write_text(LABEL + "v,0001,hi,0.2,0,1,1,Weak,valid\r\n")
    corpus = open_corpus(tmp_path)
    assert corpus.spec.modalities == ("text",)
    assert corpus.notes == (
        "media: 2 seen, not read; features of them belong in features/",
        "labels: all within [-1, 1], scored as CH-SIMS' are",
    )
    file = tmp_path / "features" / "vision" / f"{name}.npy"
    file.parent.mkdir(parents=True)
    np.save(file, np.ones((1, 3, 4)))
    assert open_corpus(tmp_path).splits["valid"].features["vision"].lengths.tolist() == [3]


def test_what_is_left_out_is_noted(folder: Path) -> None:
    rows = "a_1,1,train,x,0\nb_1,2,test,y,0\nc_1,3,,z,0\na_1,4,dev,x,0\n"
    (folder / "clips.csv").write_text("id,label,split,speaker,mood\n" + rows)
    np.save(folder / "audio" / "b_1.npy", np.array([[np.nan, np.inf], [1, 2]]))
    np.save(folder / "audio" / "stray.npy", np.ones(2))
    (folder / "junk").mkdir()
    np.save(folder / "junk" / "other.npy", np.ones(2))
    (folder / "face").mkdir()
    np.save(folder / "face" / "a_1.npy", np.zeros((1, 7)))
    np.savez(folder / "a_1.npz", mouth=np.ones((2, 1)), label=1.0, who="x")
    corpus = open_corpus(folder)
    assert corpus.notes == (
        "mouth: no file for 2 of 4 clips, which count as without it",
        "label: no array of numbers in the .npz files, not read",
        "who: no array of numbers in the .npz files, not read",
        "audio: no file for 1 of 4 clips, which count as without it",
        "audio: 2 numbers are not finite, read as 0",
        "face: no file for 2 of 4 clips, which count as without it",
        "face: all zero or NaN in 2 of 4 clips, which count as without it",
        "junk: its .npy files are of no clip, not read",
        "mood: not read",
        "splits: 1 clips are in none, left out",
        "face: no clip has it, left out",
        "ids: 1 stand for more than one clip",
    )
    assert corpus.splits["test"].features["audio"][0].tolist() == [[0, 0], [1, 2]]
    assert corpus.splits["train"].groups == ["x"]


def test_several_labels_are_several_outputs(folder: Path) -> None:
    (folder / "clips.csv").write_text("id,label_happy,label_sad\na_1,1,0\nb_1,2,5\n")
    corpus = open_corpus(folder)
    assert corpus.spec.outputs == 2
    assert corpus.splits["train"].labels.tolist() == [[1, 0], [2, 5]]


def test_mertools_takes_the_first_test_set_and_no_label_for_minus_ten(tmp_path: Path) -> None:
    sets = {"train": {"a_1": {"emo": "sad", "val": -10}}, "test1": {"b_1": {"emo": 0, "val": 2}}}
    sets["test2"] = sets["test1"]
    np.savez_compressed(tmp_path / "label-6way.npz", **{f"{k}_corpus": v for k, v in sets.items()})
    corpus = open_corpus(tmp_path)
    assert np.isnan(corpus.splits["train"].labels).all()
    assert corpus.splits["test"].labels.tolist() == [[2]]
    assert corpus.notes == ("test2: not read", "labels: unknown for 1 clips")


def test_a_label_file_that_asks_for_code_is_refused(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
            return Path.touch, (str(tmp_path / "ran"),)

    np.savez(tmp_path / "label.npz", train_corpus=np.array(Hostile(), object))
    with pytest.raises(InfofuseError, match=r"train_corpus\.npy asks for .*, which is code"):
        open_corpus(tmp_path)
    assert not (tmp_path / "ran").exists()


def put(name: str, content: np.ndarray | bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        np.save(path, content) if isinstance(content, np.ndarray) else path.write_bytes(content)

    return write


def rows(text: str) -> Callable[[Path], None]:
    return put("clips.csv", text.encode())


def both_forms(folder: Path) -> None:
    np.savez(folder / "a_1.npz", audio=np.ones(2))


def two_tables(folder: Path) -> None:
    for name in ("clips.csv", "more.csv"):
        put(name, b"id\na_1\n")(folder)


WRONG: dict[str, Callable[[Path], None]] = {
    "'audio' has 2 features a step in {0}/audio/a_1.npy, and 3 in {0}/audio/b_1.npy": put(
        "audio/b_1.npy", np.ones((4, 3))
    ),
    "audio/b_1.npy has shape (2, 3, 4); (steps, features) was expected": put(
        "audio/b_1.npy", np.ones((2, 3, 4))
    ),
    "audio/b_1.npy has shape (); (steps, features)": put("audio/b_1.npy", np.array(1.0)),
    "audio/b_1.npy has shape (3, 0); (steps, features)": put("audio/b_1.npy", np.ones((3, 0))),
    "audio/b_1.npy is of type <U1, not an array of numbers": put(
        "audio/b_1.npy", np.array(["x"])
    ),
    "audio/b_1.npy cannot be read as an array": put("audio/b_1.npy", b"PK\x03\x04"),
    "a_1.npz cannot be read as .npz": put("a_1.npz", b"PK\x03\x04"),
    "{0}/audio and .npz files both have 'audio'; keep one": both_forms,
    "it holds no clips": rows("id,label\n"),
    "column 'label' holds 'good' in row 1 where a number belongs": rows("id,label\na,1\nb,good\n"),
    "holds '1,5' in row 0 where a number belongs; write 1.5, with a point": rows(
        "id;label\na;1,5\n"
    ),
    "column 'label' holds infinity": rows("id,label\na,1e400\n"),
    "row 1 has no 'id'": rows("id,label\na,1\n,2\n"),
    "row 0: unknown split 'trian'; did you mean 'train'?": rows("id,split\na,trian\n"),
    "has two columns 'label'; keep one": rows("id,label,Label\na,1,2\n"),
    "cannot be read as csv in UTF-8": put("clips.csv", b"id,text\na,\xff\xfe\n"),
    "cannot be read as csv in UTF-8: CSV parse error": rows("id,label\na,1\nb,1,2\n"),
    "both hold clips; keep one, add a column 'split', or name them": two_tables,
}  # fmt: skip


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(sentence: str, folder: Path) -> None:
    WRONG[sentence](folder)
    with pytest.raises(InfofuseError) as refusal:
        open_corpus(folder)
    assert sentence.format(folder) in str(refusal.value)


def test_a_file_that_unpacks_to_too_much_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infofuse.data.layouts.clip_files._MOST_BYTES", 1 << 20)
    np.savez_compressed(folder / "a_1.npz", face=np.zeros((1 << 18, 1)))
    with pytest.raises(InfofuseError, match=r"a_1\.npz unpacks to 2,097,\d+ bytes, too many"):
        open_corpus(folder)


def test_an_id_cannot_lead_out_of_the_folder(folder: Path) -> None:
    inside = folder / "inside"
    (inside / "audio").mkdir(parents=True)
    np.save(inside / "audio" / "a_1.npy", np.ones(2))
    (inside / "clips.csv").write_text("id\na_1\n../../audio/b_1\n")
    assert open_corpus(inside).splits["train"].features["audio"].lengths.tolist() == [1, 0]


def test_names_are_compared_in_one_unicode_form(tmp_path: Path) -> None:
    names = ["Zoë_01", "김민준_03"]
    (tmp_path / "audio").mkdir()
    for name in names:
        np.save(tmp_path / "audio" / f"{unicodedata.normalize('NFD', name)}.npy", np.ones((2, 3)))
    rows = "".join(f"{name},1\n" for name in names)
    (tmp_path / "label.csv").write_text(f"id,label\n{rows}", encoding="utf-8")
    corpus = open_corpus(tmp_path)
    assert corpus.splits["train"].ids == names
    assert corpus.splits["train"].features["audio"].lengths.tolist() == [2, 2]


def test_an_id_that_is_almost_a_files_name_is_named_with_it(folder: Path) -> None:
    (folder / "clips.csv").write_text("id,label\na_1.mp4,1\nB_1,2\n")
    note = "audio: its .npy files are of no clip, not read; did 'a_1.mp4' mean 'a_1'?"
    assert note in open_corpus(folder).notes
    (folder / "clips.csv").write_text("id,label\na_1,1\nB_1,2\n")
    note = "audio: no file for 1 of 2 clips, which count as without it; did 'B_1' mean 'b_1'?"
    assert note in open_corpus(folder).notes


def test_folders_behind_links_are_read_and_circles_end(folder: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (folder / "audio").rename(away / "deep")
    (folder / "audio").mkdir()
    (folder / "audio" / "more").symlink_to(away)
    (away / "circle").symlink_to(away)
    (away / "up").symlink_to(folder)
    (folder / "clips.csv").write_text("id,label\nmore/deep/a_1,1\nmore/deep/b_1,2\n")
    corpus = open_corpus(folder)
    assert corpus.splits["train"].features["audio"].lengths.tolist() == [2, 1]


@pytest.mark.parametrize("closed", ["audio", "clips.csv", "audio/a_1.npy"])
def test_what_may_not_be_read_is_said_to_be_there(closed: str, folder: Path) -> None:
    place = folder / closed
    before = place.stat().st_mode
    place.chmod(0)
    try:
        found = infofuse_unprivileged("inspect", folder)
    finally:
        place.chmod(before)
    assert found.returncode == 2
    assert f"{place} is not yours to read" in found.stderr


def test_features_of_torch_are_refused_with_the_reason(folder: Path) -> None:
    (folder / "face").mkdir()
    (folder / "face" / "a_1.pt").write_bytes(b"anything")
    with pytest.raises(InfofuseError, match=r"a_1\.pt is a pickle of torch, and nothing here"):
        open_corpus(folder)
    (folder / "face" / "a_1.pt").rename(folder / "face" / "stray.pt")
    assert open_corpus(folder).spec.features == {"audio": 2}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_features_in_tables_of_their_own_are_named(ending: str, folder: Path) -> None:
    (folder / "face").mkdir()
    (folder / "face" / f"a_1{ending}").write_bytes(b"anything")
    said = f"face: features of 1 clips are {ending} files, not read; save them as .npy, "
    assert f"{said}an array of (steps, features)" in open_corpus(folder).notes


def test_segments_in_parquet(tmp_path: Path) -> None:
    """As pandas writes them, with the index at the end."""
    files, ends = ["a", "b", "c"], pd.to_timedelta([1.5, 2.0, None], unit="s")
    index = pd.MultiIndex.from_arrays(
        [files, pd.to_timedelta([0.0, 0.5, 0.0], unit="s"), ends], names=["file", "start", "end"]
    )
    split = pd.Categorical(["train", "dev", "test"])
    pd.DataFrame({"label": [0.1, -0.4, 3.0], "split": split}, index=index).to_parquet(
        tmp_path / "db.sentiment.parquet"
    )
    pd.DataFrame({"F0": [1.0, 2.0, 3.0]}, index=index).to_parquet(tmp_path / "db.audio.parquet")
    corpus = open_corpus(tmp_path)
    assert {s: clips.ids for s, clips in corpus.splits.items()} == {
        "train": ["a[0-1.5]"], "valid": ["b[0.5-2]"], "test": ["c"],
    }  # fmt: skip
    assert corpus.splits["valid"].features["audio"][0].tolist() == [[2.0]]


def mosi(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "data" / "mosi" / "mosi.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def test_real_mosi_is_read_from_its_csv(shared: Path) -> None:
    corpus = open_corpus(shared / "data" / "mosi" / "mosi.csv")
    counts = {split: len(clips) for split, clips in corpus.splits.items()}
    assert counts == {"train": 1284, "valid": 229, "test": 686}
    assert corpus.spec.modalities == ("text",)
    assert (corpus.spec.label_range, corpus.spec.metrics) == ((-3.0, 3.0), "mosi")
    assert corpus.notes == tuple(
        f"{name}: not read" for name in ("seg_end", "seg_start", "split_bclstm", "text_zh")
    )
    real = mosi(shared)
    at = {clip: i for i, clip in enumerate(real["id"].tolist())}
    for clips in corpus.splits.values():
        rows = [at[clip] for clip in clips.ids]
        np.testing.assert_allclose(clips.labels[:, 0], real["label"][rows], atol=1e-6)
        assert set(clips.groups) == {clip.rsplit("_", 1)[0] for clip in clips.ids}


def test_real_mosi_is_one_corpus_in_three_formats(shared: Path, tmp_path: Path) -> None:
    """Word-aligned frames and a functional of the official validation clips."""
    with np.load(shared / "data" / "mosi" / "mosi_val_wordaligned.npz") as arrays:
        clips, lengths, steps = arrays["id"].tolist(), arrays["length"], arrays["facet47"]
        labels = arrays["label"].tolist()
    faces = np.split(steps, np.cumsum(lengths)[:-1])
    whole = mosi(shared)
    audio = dict(zip(whole["id"].tolist(), whole["audio73"], strict=True))
    places = {"csv": tmp_path / "csv", "mertools": tmp_path / "mertools" / "features"}
    for place in places.values():
        for modality in ("facet47", "audio73"):
            (place / modality).mkdir(parents=True)
        for clip, face in zip(clips, faces, strict=True):
            np.save(place / "facet47" / f"{clip}.npy", face)
            np.save(place / "audio73" / f"{clip}.npy", audio[clip])
    with (tmp_path / "csv" / "valid.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "label"), *zip(clips, labels, strict=True)])
    facts = {c: {"emo": 0, "val": label} for c, label in zip(clips, labels, strict=True)}
    np.savez_compressed(tmp_path / "mertools" / "label.npz", val_corpus=facts)
    corpora: list[Corpus] = [open_corpus(tmp_path / name) for name in places]
    columns = {"id": clips, "label": labels, "facet47": faces}
    frame = pd.DataFrame(columns | {"audio73": [audio[clip] for clip in clips]})
    corpora.append(from_frame({"dev": frame}))
    assert corpora[0].spec.features == {"audio73": 73, "facet47": 47}
    assert corpora[0].splits["valid"].features["facet47"].lengths.tolist() == lengths.tolist()
    assert len({corpus.fingerprint for corpus in corpora}) == 1


def test_a_clip_of_nan_lacks_the_modality_in_files_frames_and_arrays(folder: Path) -> None:
    """As a face tracker writes a clip in which it saw no face."""
    none = np.full((2, 2), np.nan, np.float32)
    np.save(folder / "audio" / "b_1.npy", none)
    corpus = open_corpus(folder)
    assert corpus.splits["test"].features["audio"].lengths.tolist() == [0]
    assert corpus.notes == ("audio: all zero or NaN in 1 of 2 clips, which count as without it",)
    columns = {"id": ["a", "b"], "label": [1.0, 2.0], "audio": [np.ones((2, 2)), none]}
    listed = [[[1.0, 2.0]], [[float("nan"), 0.0]]]
    for corpus in (
        from_frame(pd.DataFrame(columns)),
        from_frame(pa.table(columns | {"audio": listed})),
        from_arrays({"train": {"labels": [1.0, 2.0], "audio": columns["audio"]}}),
    ):
        assert corpus.splits["train"].features["audio"].lengths.astype(bool).tolist() == [1, 0]
        assert any("all zero or NaN in 1 of 2 clips" in note for note in corpus.notes)
