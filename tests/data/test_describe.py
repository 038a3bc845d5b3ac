"""What is said of a corpus, against what was put into it; and what it is taken for."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from infofuse.data import Corpus, DataSpec, read_store, write_store
from infofuse.data.audit.probe import means
from infofuse.data.describe import BINS, describe
from infofuse.data.recognise import likeness
from infofuse.data.synthetic import twin, twins
from infofuse.files import dumps
from infofuse.types import Clips, Ragged

LENGTHS = (3, 0, 1, 7, 2)


@pytest.fixture
def corpus() -> Corpus:
    """Five clips: one without audio, a constant feature, a NaN, two infinities, a label unknown."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(sum(LENGTHS), 4)).astype(np.float32)
    values[:, 2] = 1.5
    values[0, 0], values[4, 1], values[5, 1] = np.nan, np.inf, -np.inf
    clips = Clips(
        ids=[f"v{i // 2}_{i}" for i in range(5)],
        labels=np.array([[-3], [np.nan], [0.2], [1], [3]], np.float32),
        features={"audio": Ragged(values, np.cumsum([0, *LENGTHS]))},
        texts=["one two", "", "three", "词语很好", "a b c d"],
        groups=["v0", "v0", "v1", "v1", "v2"],
    )
    train, test = clips.take(range(4)), clips.take([4])
    spec = DataSpec("five", {"audio": 4}, text=True)
    return Corpus(spec, {"train": train, "test": test}, ("a note",))


def test_every_number_is_what_was_put_in(corpus: Corpus) -> None:
    found = describe(corpus)
    assert found.clips == {"train": 4, "test": 1}
    assert found.groups == {"train": 2, "test": 1}
    audio = found.features["audio"]
    assert (audio.width, audio.clips) == (4, {"train": 3, "test": 1})
    assert audio.lengths is not None
    assert (audio.lengths.min, audio.lengths.max) == (1, 7)
    assert audio.lengths.median in (2, 3)
    assert (audio.nan, audio.infinite, audio.constant) == (1, 2, (2,))
    assert found.words is not None
    assert found.words.clips == {"train": 3, "test": 1}
    assert found.words.lengths is not None
    assert (found.words.lengths.min, found.words.lengths.max) == (1, 4)
    (label,) = found.labels
    assert (label.known, label.min, label.max) == (4, -3, 3)
    assert sum(label.counts) == 4
    assert len(label.counts) == BINS == len(label.edges) - 1
    assert found.notes == ("a note",)
    assert found.fingerprint == corpus.fingerprint


def test_it_is_json(corpus: Corpus) -> None:
    assert json.loads(dumps(describe(corpus).to_json()))["features"]["audio"]["width"] == 4


def test_a_mapped_store_is_described_alike(corpus: Corpus, tmp_path: Path) -> None:
    write_store(corpus, tmp_path / "store")
    assert describe(read_store(tmp_path / "store")) == describe(corpus)


def test_columns_in_pieces_are_as_a_whole(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = describe(corpus)
    monkeypatch.setattr("infofuse.types._BLOCK", 2 * whole.features["audio"].width)
    assert describe(corpus) == whole


def test_a_store_of_several_shards_is_never_read_whole(corpus: Corpus, tmp_path: Path) -> None:
    write_store(corpus, tmp_path / "store", shard_bytes=64)
    mapped = read_store(tmp_path / "store")
    assert describe(mapped) == describe(corpus)
    column = mapped.splits["train"].features["audio"]
    with np.errstate(invalid="ignore"):  # of the infinities
        found, expected = (means(c.splits["train"].features["audio"]) for c in (mapped, corpus))
    np.testing.assert_allclose(found, expected)
    assert "values" not in vars(column)  # all shards joined


@pytest.mark.parametrize(
    ("text", "words"), [("great 😀", 2), ("词语很好", 4), ("a b c d", 4), ("ok 词语很好", 6)]
)
def test_one_emoji_makes_no_letters_words(corpus: Corpus, text: str, words: int) -> None:
    clips = replace(corpus.splits["test"], texts=[text])
    found = describe(Corpus(corpus.spec, {"test": clips})).words
    assert found is not None
    assert found.lengths is not None
    assert found.lengths.max == words


def test_nothing_at_all_can_be_described(corpus: Corpus) -> None:
    nothing = corpus.splits["train"].take([])
    found = describe(Corpus(corpus.spec, {"train": nothing}))
    assert found.features["audio"].lengths is None
    assert found.words is None
    assert found.labels[0].known == 0
    assert describe(Corpus(DataSpec("none", {}), {})).clips == {}


@pytest.mark.parametrize("name", twins())
def test_a_twin_looks_like_its_original(name: str) -> None:
    made = twin(name, 0.005)
    found = likeness(made)
    assert f"({name})" in found.variants[0]
    assert found.dataset is None  # a part of the counts is no published split


def test_other_widths_look_like_nothing() -> None:
    made = twin("mosi-aligned", 0.01)
    features = {m: r for m, r in made.splits["train"].features.items() if m != "vision"}
    wider = {**features, "vision": Ragged.absent(len(made.splits["train"]), 21)}
    clips = replace(made.splits["train"], features=wider)
    spec = replace(made.spec, features={**made.spec.features, "vision": 21})
    found = likeness(Corpus(spec, {"train": clips}))
    assert found.variants == ()
    assert "nothing known here" in found.sentence()


def test_a_scale_that_the_data_set_has_not_is_not_its() -> None:
    made = twin("sims-unaligned", 0.02)
    clips = replace(made.splits["train"], labels=made.splits["train"].labels * 3)
    assert likeness(Corpus(made.spec, {"train": clips})).variants == ()


def test_real_mosi_is_known(shared: Path, real_corpora: ModuleType) -> None:
    arrays = {"text": "text100", "audio": "audio73", "vision": "video100"}
    found = likeness(real_corpora.mosi(shared, "official", arrays))
    assert (found.dataset, found.split) == ("CMU-MOSI", "official")
    assert "(mosi-bclstm)" in found.variants[0]
    assert likeness(real_corpora.mosi(shared, "bclstm", arrays)).split == "bc-LSTM"


@pytest.mark.parametrize("name", ["pom", "mmmo"])
def test_real_mfn_data_is_known(name: str, shared: Path, real_corpora: ModuleType) -> None:
    found = likeness(real_corpora.mfn(shared, name))
    assert found.split == "MFN"
    assert f"({name}-mfn)" in found.variants[0]
