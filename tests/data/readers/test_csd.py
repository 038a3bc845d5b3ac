"""Folders of computational sequences: what is read of them, and what is refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers
from writers import make, put_csd

from helpers import refused
from infofuse.data import Corpus, open_corpus
from infofuse.data.readers import csd
from infofuse.errors import InfofuseError

h5py = pytest.importorskip("h5py")

TRUTH = make({"train": [(2, 3, 4), (4, 5, 2), (3, 6, 1)], "test": [(2, 2, 2)]})
Files = dict[str, Any]
Change = Callable[[Files], Any]


def data_of(files: Files, name: str) -> dict[str, Any]:
    """The keys of a file, as they are to be written."""
    return next(iter(files[name].values()))["data"]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def put(change: Change = lambda files: None, pieces: bool = False) -> Path:
        files = writers.csd(TRUTH, pieces)
        change(files)
        return put_csd(tmp_path / "mosi", files)

    return put


def rename(old: str, new: str) -> Change:
    return lambda files: files.update({new: files.pop(old)})


def test_without_a_list_of_splits_all_clips_are_training_clips(write: Any) -> None:
    corpus = open_corpus(write())
    assert list(corpus.splits) == ["train"]
    assert corpus.spec.name == "mosi"
    assert corpus.notes == (
        "every clip is in the split 'train', as there is no splits.json that says more",
    )
    ids = ["test_vid0[0]", "train_vid0[0]", "train_vid0[1]", "train_vid1[0]"]
    assert list(corpus.splits["train"].ids) == ids


def test_splits_by_video_or_clip(write: Any) -> None:
    path = write()
    lists = {"train": ["train_vid1", "train_vid0[1]"], "dev": ["train_vid0"]}
    (path / "splits.json").write_text(json.dumps(lists))
    corpus = open_corpus(path)
    assert {s: list(c.ids) for s, c in corpus.splits.items()} == {
        "train": ["train_vid0[1]", "train_vid1[0]"],
        "valid": ["train_vid0[0]"],
    }
    assert corpus.notes == ("1 clips are in no split of splits.json, left out",)


@pytest.mark.parametrize("pooling", ["mean", "max", "last"])
def test_pooled_by_words(pooling: str, write: Any) -> None:
    clips = csd.read(write(), pooling).splits["train"]
    of = {"mean": np.mean, "max": np.max}
    for i, clip in enumerate([*TRUTH["test"], *TRUTH["train"]]):
        words, frames = len(clip.words), clip.features["audio"]
        assert clips.features["audio"].lengths[i] == words
        edges = np.arange(len(frames) + 1) / len(frames)
        for w in range(words):
            begin, end = w / words, (w + 1) / words
            inside = (edges[:-1] < end - 1e-9) & (edges[1:] > begin + 1e-9)
            expected = of[pooling](frames[inside], axis=0) if pooling in of else frames[inside][-1]
            np.testing.assert_allclose(clips.features["audio"][i][w], expected, rtol=1e-6)


def test_pauses_are_no_words(write: Any) -> None:
    def pause(files: Files) -> None:
        data_of(files, "CMU_TimestampedWords")["train_vid1"]["features"][1] = b"sp"

    path = write(pause)
    words = TRUTH["train"][2].words
    corpus = open_corpus(path)
    assert corpus.splits["train"].texts[3] == f"{words[0]} {words[2]}"
    assert csd.read(path, "mean").splits["train"].features["audio"].lengths[3] == 2


def add(name: str, root: str, data: Any) -> Change:
    return lambda files: files.update({name: {root: {"data": data}}})


LIKE_TEXT = {"v": {"features": np.array([[b"ah"]]), "intervals": np.zeros((1, 2))}}


NAMES = {
    "CMU_TimestampedWordVectors": "glove_vectors",
    "CMU_COVAREP": "OpenSmile-emobase2010",
    "CMU_VisualFacet42": "gaze",
    "CMU_Labels": "All Labels",
    "CMU_TimestampedWords": "words",
}


def test_names_of_many_kinds(write: Any) -> None:
    def change(files: Files) -> None:
        for old, new in NAMES.items():
            rename(old, new)(files)
        add("CMU_TimestampedPhones", "phones", LIKE_TEXT)(files)
        files["gaze"]["tracker"] = files["gaze"].pop("root of vision")

    corpus = open_corpus(write(change))
    assert list(corpus.spec.features) == ["audio", "gaze", "text"]
    assert corpus.spec.text
    assert "CMU_TimestampedPhones.csd: not read" in corpus.notes


def test_a_root_may_be_missing_and_a_vector_may_stand_for_a_row(write: Any) -> None:
    def change(files: Files) -> None:
        files["CMU_COVAREP"] = files["CMU_COVAREP"].pop("root of audio")
        labels = data_of(files, "CMU_Labels")
        labels["train_vid1"] = {k: v[0] for k, v in labels["train_vid1"].items()}

    plain, changed = open_corpus(write()), open_corpus(write(change))
    assert changed.fingerprint == plain.fingerprint


def test_pieces_without_times_are_read_by_their_key(write: Any) -> None:
    def change(files: Files) -> None:
        for row in data_of(files, "CMU_COVAREP").values():
            del row["intervals"]

    expected = open_corpus(write(pieces=True)).fingerprint
    assert open_corpus(write(change, pieces=True)).fingerprint == expected


def test_pieces_of_a_video_are_joined_in_order_of_time(write: Any) -> None:
    """As after the SDK's alignment to words: a key a word, and labels of the whole video."""
    plain = open_corpus(write())

    def change(files: Files) -> None:
        for name in files.keys() - {"CMU_Labels"}:
            rows = data_of(files, name)
            for video in list(rows):
                row = rows.pop(video)
                for i in range(len(row["features"])):
                    rows[f"{video}[{i}]"] = {k: v[i : i + 1] for k, v in row.items()}
            for i in (0, 1):  # would be taken for clips 0 and 1
                rows.pop(f"train_vid1[{i}]", None)

    def rest(corpus: Corpus) -> list[Any]:
        kept = [i for i, c in enumerate(corpus.splits["train"].ids) if "vid1" not in c]
        return [corpus.splits["train"].features[m].take(kept).lengths.sum() for m in writers.WIDTHS]

    found = open_corpus(write(change))
    assert found.splits["train"].features["audio"].lengths[-1] == 4
    assert plain.splits["train"].features["audio"].lengths[-1] == 6
    assert len(rest(found)) == 3


def strings_of_any_length(files: Files) -> None:
    kind = h5py.string_dtype()
    for row in data_of(files, "CMU_TimestampedWords").values():
        row["features"] = np.array([w.decode() for w in row["features"].ravel()], object)[:, None]
        row["features"] = row["features"].astype(kind)


def test_strings_of_any_length(write: Any) -> None:
    assert open_corpus(write(strings_of_any_length)).fingerprint == open_corpus(write()).fingerprint


def without(name: str, key: str) -> Change:
    return lambda files: [row.pop(key) for row in data_of(files, name).values()]


def unread_rows(files: Files) -> None:
    """Pieces in the labels that other files do not have, and no times."""
    for row in data_of(files, "CMU_Labels").values():
        del row["intervals"]


def with_rows(name: str, key: str, value: Any) -> Change:
    return lambda files: data_of(files, name)["train_vid0"].update({key: value})


WRONG: dict[str, Change] = {
    "no file has labels, by its name ('label'); found CMU_COVAREP.csd": lambda files: files.pop(
        "CMU_Labels"
    ),
    "both CMU_COVAREP.csd and openSMILE.csd hold audio; keep one": lambda files: files.update(
        {"openSMILE": files["CMU_COVAREP"]}
    ),
    "CMU_COVAREP.csd has no group 'data'; it holds x": lambda files: files.update(
        {"CMU_COVAREP": {"x": {"dta": {}}}}
    ),
    "CMU_COVAREP.csd holds no sequence": lambda files: data_of(files, "CMU_COVAREP").clear(),
    "CMU_COVAREP.csd: 'test_vid0' has no 'features'": without("CMU_COVAREP", "features"),
    "CMU_COVAREP.csd has no 'test_vid0[0]', and lacks the times": unread_rows,
    "has no 'train_vid0[0]', and lacks the times": with_rows(
        "CMU_COVAREP", "intervals", np.full((8, 2), np.nan)
    ),
    "features of shape (8, 5) and intervals of (3, 2)": with_rows(
        "CMU_COVAREP", "intervals", np.zeros((3, 2))
    ),
    "features of 'train_vid0' is of type complex64": with_rows(
        "CMU_COVAREP", "features", np.ones((8, 5), np.complex64)
    ),
    "'audio', clip 1, has shape (3, 4); (steps, 5) was": with_rows(
        "CMU_COVAREP", "features", np.ones((8, 4))
    ),
    "clips have 1 labels and 2 labels": with_rows("CMU_Labels", "features", np.ones((2, 2))),
    "'labels' holds infinity": with_rows("CMU_Labels", "features", np.full((2, 1), np.inf)),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(sentence: str, write: Any) -> None:
    refused(write(WRONG[sentence]), sentence)


def test_a_clips_key_with_two_labels_is_refused(write: Any) -> None:
    def change(files: Files) -> None:
        row = data_of(files, "CMU_Labels")["train_vid0[1]"]
        row.update({k: np.repeat(v, 2, axis=0) for k, v in row.items()})

    with pytest.raises(InfofuseError, match=r"'train_vid0\[1\]' has 2 labels; 1 was expected"):
        open_corpus(write(change, pieces=True))


def test_pooling_without_words_is_refused(write: Any) -> None:
    def change(files: Files) -> None:
        del files["CMU_TimestampedWords"], files["CMU_TimestampedWordVectors"]

    with pytest.raises(InfofuseError, match="takes words with times; found audio, vision"):
        csd.read(write(change), "mean")


def test_one_file_is_answered_with_its_folder(write: Any) -> None:
    path = write()
    with pytest.raises(InfofuseError, match=f"name its folder, {path}"):
        open_corpus(path / "CMU_COVAREP.csd")


def test_splits_that_name_nothing_are_refused(write: Any) -> None:
    path = write()
    (path / "splits.json").write_text('{"train": ["another"]}')
    with pytest.raises(InfofuseError, match=r"names none of the videos, such as 'test_vid0'"):
        open_corpus(path)


def test_other_files_by_this_name_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"id,label\n", b"\x89HDF\r\n\x1a\n" + bytes(200)):
        (tmp_path / "labels.csd").write_bytes(content)
        with pytest.raises(InfofuseError, match=r"labels\.csd cannot be read as HDF5"):
            open_corpus(tmp_path)


def data_group(path: Path) -> Any:
    return h5py.File(path / "CMU_COVAREP.csd", "r+")


def test_links_to_other_files_are_not_followed(write: Any, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["features"] = np.ones((8, 5))
    for link in (h5py.ExternalLink(str(tmp_path / "secret.h5"), "/features"),
                 h5py.SoftLink("/root of audio/data/train_vid1/features")):  # fmt: skip
        path = write()
        with h5py.File(path / "CMU_COVAREP.csd", "r+") as file:
            group = file["root of audio/data/train_vid0"]
            del group["features"]
            group["features"] = link
        with pytest.raises(InfofuseError, match="'features' is a link to somewhere else"):
            open_corpus(path)


def test_bytes_of_other_files_are_not_read(write: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(320))
    layout = h5py.VirtualLayout((8, 5), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "features", (8, 5))

    def external(group: Any) -> None:
        group.create_dataset(
            "features", (8, 5), "f8", external=[(str(tmp_path / "secret"), 0, 320)]
        )

    def virtual(group: Any) -> None:
        group.create_virtual_dataset("features", layout)

    for make_one in (external, virtual):
        path = write()
        with h5py.File(path / "CMU_COVAREP.csd", "r+") as file:
            group = file["root of audio/data/train_vid0"]
            del group["features"]
            make_one(group)
        with pytest.raises(InfofuseError, match="features of 'train_vid0' is no array within"):
            open_corpus(path)


@pytest.mark.parametrize("shape", [(2**40, 5), (2**20, 2**20)])
def test_arrays_that_announce_more_than_they_hold_take_no_memory(
    shape: tuple[int, int], write: Any
) -> None:
    path = write()
    with h5py.File(path / "CMU_COVAREP.csd", "r+") as file:
        group = file["root of audio/data/train_vid0"]
        del group["features"]
        group.create_dataset("features", shape, "f4", chunks=(1024, 1))
    with pytest.raises(InfofuseError, match="announces more than 200 times its own size"):
        open_corpus(path)


def test_one_array_under_many_names_is_paid_for_each_time(write: Any) -> None:
    path = write()
    with h5py.File(path / "CMU_COVAREP.csd", "r+") as file:
        data = file["root of audio/data"]
        data.create_dataset("a/features", data=np.zeros((10**6, 5)), compression="gzip")
        data.create_dataset("a/intervals", data=np.zeros((10**6, 2)), compression="gzip")
        for i in range(100):
            data[f"train_vid0[{i + 2}]"] = data["a"]
    assert (path / "CMU_COVAREP.csd").stat().st_size < 300_000
    with pytest.raises(InfofuseError, match="announces more than 200 times its own size"):
        open_corpus(path)


def test_without_h5py_the_refusal_says_what_to_install(write: Any) -> None:
    code = (
        "import sys; sys.modules['h5py'] = None\n"
        "from infofuse.data import open_corpus\n"
        "try: open_corpus(sys.argv[1])\n"
        "except ValueError as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(write())], check=True, capture_output=True, text=True
    )
    assert "h5py, which is not installed: pip install 'infofuse[csd]'" in run.stdout


def test_words_of_real_mosi_come_to_their_clips(shared: Path, tmp_path: Path) -> None:
    """The timed words of CMU-MOSI, written by video and cut by the labels' times."""
    with np.load(shared / "data" / "mosi" / "mosi.npz") as file:
        z = {name: file[name] for name in file if not name.startswith(("glove", "text", "audio"))}
    videos = np.array([clip.rsplit("_", 1)[0] for clip in z["id"]])
    long = z["seg_end"] > z["seg_start"]
    of_word = np.repeat(np.arange(len(videos)), np.diff(z["word_offset"]))
    labels, words = {}, {}
    for video in np.unique(videos)[:20]:
        rows = np.flatnonzero((videos == video) & long)
        rows = rows[np.argsort(z["seg_start"][rows])]
        segments = np.stack([z["seg_start"], z["seg_end"]], axis=1)
        labels[video] = {"features": z["label"][rows, None], "intervals": segments[rows]}
        at = np.flatnonzero(np.isin(of_word, rows))
        at = at[np.argsort(z["word_start"][at], kind="stable")]
        spans = np.stack([z["word_start"], z["word_end"]], axis=1)
        words[video] = {"features": z["word"][at, None].astype("S17"), "intervals": spans[at]}
    files = {"CMU_MOSI_Opinion_Labels": {"Opinion Segment Labels": {"data": labels}},
             "CMU_MOSI_TimestampedWords": {"words": {"data": words}}}  # fmt: skip
    corpus = open_corpus(put_csd(tmp_path / "mosi", files))
    clips = corpus.splits["train"]
    assert len(clips) == sum(len(row["features"]) for row in labels.values())
    same = total = 0
    for video, row in labels.items():
        rows = np.flatnonzero((videos == video) & long)
        rows = rows[np.argsort(z["seg_start"][rows])]
        begins, ends = z["seg_start"][rows], z["seg_end"][rows]
        apart = ends[:-1] <= begins[1:]
        alone = np.append(True, apart) & np.append(apart, True)
        for i, clip in enumerate(rows):
            if not alone[i]:  # the words of two segments at once stand in one of them in the file
                continue
            found = clips.texts[clips.ids.index(f"{video}[{i}]")]
            begin, end = z["word_offset"][clip : clip + 2]
            same += found == " ".join(z["word"][begin:end])
            total += 1
        np.testing.assert_array_equal(row["features"][:, 0], z["label"][rows])
    assert (same, total) == (468, 468)
