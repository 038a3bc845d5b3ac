"""An audit finds what is planted, keeps quiet where nothing is, and finds the leak in real MOSI."""

import json
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from sklearn.linear_model import Ridge

from infofuse.data import Corpus, DataSpec, known
from infofuse.data.audit import Audit, Finding, audit
from infofuse.data.audit.leak import GAP, UNEVEN, leaks, skills
from infofuse.data.audit.overlap import (
    LEAST,
    NEAR,
    SHINGLE,
    near_duplicates,
    normalised,
    overlap,
)
from infofuse.data.audit.page import page
from infofuse.data.audit.probe import FOLDS, LAMBDAS, above, means, out_of_fold
from infofuse.data.audit.published import compare
from infofuse.data.audit.spread import LEVEL, Spread
from infofuse.data.synthetic import synthesize, twin
from infofuse.errors import InfofuseError
from infofuse.files import dumps
from infofuse.types import Clips, Ragged


def found(audited: Audit, check: str, severity: str | None = None) -> list[Finding]:
    return [
        f for f in audited.findings if f.check == check and severity in (None, f.severity)
    ]  # fmt: skip


def with_train(corpus: Corpus, **columns: object) -> Corpus:
    changed = replace(corpus.splits["train"], **columns)  # type: ignore[arg-type]
    return Corpus(corpus.spec, {**corpus.splits, "train": changed})


# --- what is planted is found


@pytest.mark.parametrize(
    ("split", "severity"), [("train", "error"), ("valid", "error"), ("test", "warning")]
)
def test_a_split_without_labels_is_found(split: str, severity: str, small_corpus: Corpus) -> None:
    clips = small_corpus.splits[split]
    bare = replace(clips, labels=np.full_like(clips.labels, np.nan))
    audited = audit(Corpus(small_corpus.spec, {**small_corpus.splits, split: bare}))
    [finding] = found(audited, "labels", severity)
    assert finding.what == f"{len(clips)} of {len(clips)} clips of {split} have an unknown label"
    assert audited.passed == (severity == "warning")


def test_a_clean_corpus_has_no_errors_and_no_warnings(small_corpus: Corpus) -> None:
    audited = audit(small_corpus)
    assert audited.passed
    assert {f.severity for f in audited.findings} == {"note"}
    assert [f.what for f in found(audited, "reader")] == list(small_corpus.notes)
    assert audited.compared_with is None


def test_ids_in_two_splits_and_twice_in_one(small_corpus: Corpus) -> None:
    ids = list(small_corpus.splits["train"].ids)
    ids[0], ids[1] = small_corpus.splits["test"].ids[0], ids[2]
    audited = audit(with_train(small_corpus, ids=ids))
    (across,) = found(audited, "duplicate ids", "error")
    (twice,) = found(audited, "duplicate ids", "warning")
    assert across.examples == (ids[0],)
    assert twice.examples == (ids[2],)
    assert not audited.passed


def test_a_video_in_two_splits(small_corpus: Corpus) -> None:
    groups = list(small_corpus.splits["train"].groups)
    groups[0] = small_corpus.splits["test"].groups[0]
    (finding,) = found(audit(with_train(small_corpus, groups=groups)), "groups", "error")
    assert finding.examples == (f"{groups[0]}: test, train",)
    published = overlap(with_train(small_corpus, groups=groups), mixed=True)
    assert [f.severity for f in published if f.check == "groups"] == ["warning"]


@pytest.mark.parametrize("name", ["", None])
def test_without_groups_nothing_is_claimed_of_them(name: str | None, small_corpus: Corpus) -> None:
    splits = {
        s: replace(c, groups=[name if name is not None else i for i in c.ids])
        for s, c in small_corpus.splits.items()
    }
    (finding,) = found(audit(Corpus(small_corpus.spec, splits)), "groups")
    assert (finding.severity, "no video" in finding.what) == ("note", True)


def test_the_same_clip_under_another_name(small_corpus: Corpus) -> None:
    train, test = small_corpus.splits["train"], small_corpus.splits["test"]
    features = {
        m: Ragged.of([test.features[m][0], *(r[i] for i in range(1, len(r)))])
        for m, r in train.features.items()
    }
    (finding,) = found(audit(with_train(small_corpus, features=features)), "duplicate clips")
    assert finding.severity == "error"
    assert finding.examples == (f"{train.ids[0]} (train) = {test.ids[0]} (test)",)


def test_nearly_the_same_text_in_two_splits(small_corpus: Corpus) -> None:
    texts = list(small_corpus.splits["train"].texts)
    said = small_corpus.splits["test"].texts[3]
    assert len(said) > 2 * LEAST
    texts[5] = said.upper() + " !!"
    (finding,) = found(audit(with_train(small_corpus, texts=texts)), "near-duplicate text")
    assert finding.facts == {"clips": 2, "test_share": 1 / 16}
    assert finding.severity == "warning"


def test_a_phrase_that_everybody_says_costs_no_square_of_pairs(small_corpus: Corpus) -> None:
    said = [f"there is no transcript of this clip, number {i}" for i in range(2000)]
    pairs = near_duplicates(said)
    assert 1900 < len(pairs) < 64 * 2000
    same = {s: replace(c, texts=[said[0]] * len(c)) for s, c in small_corpus.splits.items()}
    (finding,) = found(audit(Corpus(small_corpus.spec, same)), "near-duplicate text")
    assert finding.facts == {"clips": 80, "test_share": 1.0}
    assert finding.severity == "error"
    within = {s: replace(c, texts=[s * 9] * len(c)) for s, c in small_corpus.splits.items()}
    assert found(audit(Corpus(small_corpus.spec, within)), "near-duplicate text") == []


def test_numbers_that_are_none_and_labels_off_the_scale() -> None:
    made = twin("mosi-mult-aligned", 0.05)
    train = made.splits["train"]
    values = train.features["audio"].values.copy()
    values[3, 1], values[:, 2] = np.nan, 0
    features = {**train.features, "audio": Ragged(values, train.features["audio"].offsets)}
    labels = train.labels.copy()
    labels[0], labels[1] = 4, np.nan
    audited = audit(with_train(made, features=features, labels=labels), "mosi")
    assert "1 NaN" in found(audited, "numbers", "error")[0].what
    assert "to 4, those of CMU-MOSI from -3 to 3" in found(audited, "label scale")[0].what
    assert found(audited, "labels", "warning")
    assert found(audited, "counts", "warning")


def test_published_videos_in_another_split(shared: Path, real_corpora: ModuleType) -> None:
    real = real_corpora.mosi(shared, "official", {"audio": "audio73"})
    mosi = known.get("mosi")
    assert [f.severity for f in compare(real, mosi) if f.check == "split by id"] == ["note"]
    swapped = {**real.splits, "train": _renamed(real.splits["train"], "03bSnISJMiM", "c7UH_rxdZv4")}
    (finding,) = [f for f in compare(Corpus(real.spec, swapped), mosi) if f.check == "split by id"]
    assert finding.severity == "error"
    assert finding.examples == ("c7UH_rxdZv4 is in train, not test",)


def _renamed(clips: Clips, old: str, new: str) -> Clips:
    return replace(clips, groups=[new if g == old else g for g in clips.groups])


def test_one_label_only_and_labels_out_of_balance(small_corpus: Corpus) -> None:
    ones = np.ones_like(small_corpus.splits["train"].labels)
    audited = audit(with_train(small_corpus, labels=ones))
    assert found(audited, "labels", "error")
    assert found(audited, "balance", "warning")


def test_an_unknown_data_set_is_refused(small_corpus: Corpus) -> None:
    with pytest.raises(InfofuseError, match="did you mean 'mosi'"):
        audit(small_corpus, "mosi2")


# --- near-duplicates, beside every pair compared


@given(st.lists(st.text("abcdef ", min_size=0, max_size=40), max_size=12), st.data())
@settings(max_examples=40, deadline=None)
def test_near_duplicates_are_those_of_all_pairs(texts: list[str], data: st.DataObject) -> None:
    if texts:  # a copy with one letter changed, so that there is something to find
        text = data.draw(st.sampled_from(texts))
        texts = [*texts, text[:-1] + "z", text.upper()]
    sets = [
        {n[i : i + SHINGLE] for i in range(len(n) - SHINGLE + 1)} for n in map(normalised, texts)
    ]
    every = [
        (a, b)
        for a, b in combinations(range(len(texts)), 2)
        if min(len(sets[a]), len(sets[b])) >= LEAST
        and len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= NEAR
    ]
    assert near_duplicates(texts) == every


def test_texts_are_compared_as_they_are_said() -> None:
    assert normalised("  Well, “ＯＫ”… it's_fine!\n") == "well ok itsfine"
    assert near_duplicates(
        ["这部电影真的非常好看我很喜欢它的故事", "这部电影真的非常好看,我很喜欢它的故事!"]
    )


# --- the probe and the spread, restated


def test_the_probe_is_ridge_regression_by_group() -> None:
    rng = np.random.default_rng(0)
    x, group = rng.normal(size=(120, 6)), np.repeat(np.arange(30), 4)
    y = np.sign(x[:, :1] + rng.normal(size=(120, 1)))
    found = out_of_fold(x, y, group)
    scaled = (x - x.mean(0)) / x.std(0)
    fold = np.random.default_rng(0).permutation(30)[group] % FOLDS
    best = None
    for strength in LAMBDAS:
        p = np.zeros(120)
        for k in range(FOLDS):
            fitted = Ridge(alpha=strength).fit(scaled[fold != k], y[fold != k, 0])
            p[fold == k] = fitted.predict(scaled[fold == k])
        error = ((p - y[:, 0]) ** 2).mean()
        if best is None or error < best[0]:
            best = (error, p)
    assert best is not None
    np.testing.assert_allclose(found[:, 0], best[1], atol=1e-9)


def test_means_are_over_the_steps_there_are() -> None:
    steps = np.arange(12, dtype=np.float32).reshape(6, 2)
    ragged = Ragged(steps, np.array([0, 0, 1, 4, 4, 6]))
    np.testing.assert_array_equal(
        means(ragged), [[np.nan] * 2, [0, 1], [4, 5], [np.nan] * 2, [9, 10]]
    )
    part = Ragged(steps, np.array([1, 4, 4]))
    np.testing.assert_array_equal(means(part), [[4, 5], [np.nan, np.nan]])


def test_above_the_middle_or_the_median() -> None:
    labels = np.array([[-1.0], [0.0], [0.2], [3.0]])
    np.testing.assert_array_equal(above(labels, (-3.0, 3.0))[:, 0], [-1, -1, 1, 1])
    np.testing.assert_array_equal(above(labels, (1.0, 5.0))[:, 0], [-1, -1, -1, -1])
    np.testing.assert_array_equal(above(labels, None)[:, 0], [-1, -1, 1, 1])


def test_the_interval_of_tau_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    part, variance = np.repeat([0, 1], [40, 20]), rng.uniform(0.02, 0.2, 60)
    held = []
    for _ in range(150):
        z = part + rng.normal(size=60) * np.sqrt(variance + 0.3**2)
        spread = Spread(z, variance, part)
        tau, low, high = spread.tau()
        assert low <= tau <= high
        held.append(low <= 0.3 <= high)
        if tau > 0:
            assert spread.q(tau**2) == pytest.approx(58, rel=1e-6)
    assert spread.q(0.3**2) < chi2.ppf(0.9999, 58)
    assert np.mean(held) >= LEVEL - 0.025


# --- leaks


def trained(known: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Features as of a network that learnt the labels of the clips marked known, by heart."""
    signal = np.where(known, np.sign(labels - 0.1), 0) + 0.8 * rng.normal(size=len(labels))
    return (signal[:, None] * rng.normal(size=8) + rng.normal(size=(len(labels), 8))).astype("f4")


def made_of(known_of: dict[str, float], grouped: bool = True) -> Corpus:
    """60 / 10 / 20 videos of 20 clips, a share of each split's known to the network."""
    rng = np.random.default_rng(5)
    world, splits = np.random.default_rng(6), {}
    for split, videos in [("train", 60), ("valid", 10), ("test", 20)]:
        n = 20 * videos
        labels = rng.uniform(-3, 3, n)
        known = np.repeat(np.arange(videos) < known_of[split] * videos, 20)
        honest = (0.3 * labels[:, None] + rng.normal(size=(n, 5))).astype(np.float32)
        ids = [f"{split}{i // 20}_{i}" for i in range(n)]
        each = np.arange(n + 1)
        audio = trained(known, labels, np.random.default_rng(world.integers(1)))
        splits[split] = Clips(
            ids,
            labels[:, None].astype(np.float32),
            {"audio": Ragged(audio, each), "vision": Ragged(honest, each)},
            [""] * n,
            [clip.split("_")[0] for clip in ids] if grouped else ids,
        )
    return Corpus(DataSpec("made", {"audio": 8, "vision": 5}, label_range=(-3.0, 3.0)), splits)


@pytest.mark.parametrize(
    ("known", "severities"),
    [
        ({"train": 0, "valid": 0, "test": 0}, []),
        ({"train": 0.6, "valid": 0.5, "test": 0.8}, ["error"]),
        ({"train": 1, "valid": 0, "test": 0}, ["warning"]),
        ({"train": 1, "valid": 1, "test": 0}, ["warning"]),
        ({"train": 0, "valid": 0, "test": 1}, ["error"]),
    ],
)
def test_a_feature_that_knows_labels_by_heart_is_found(
    known: dict[str, float], severities: Sequence[str]
) -> None:
    findings = leaks(skills(made_of(known)))
    assert [f.severity for f in findings] == severities
    assert all(f.what.startswith("audio ") for f in findings)


def test_without_videos_a_gap_between_splits_is_still_found() -> None:
    found = skills(made_of({"train": 1, "valid": 0, "test": 0}, grouped=False))
    assert all(skill.tau is None for skill in found)
    assert [f.severity for f in leaks(found)] == ["warning"]
    assert leaks(skills(made_of({"train": 0, "valid": 0, "test": 0}, grouped=False))) == []


@pytest.mark.parametrize("preset", ["demo", "redundant", "unique", "synergy", "conflict"])
def test_generated_corpora_are_honest(preset: str) -> None:
    assert leaks(skills(synthesize(preset, 1))) == []


def test_nothing_at_all_can_be_audited() -> None:
    audited = audit(Corpus(DataSpec("none", {"audio": 2}), {}), "mosi")
    assert audited.skills == ()
    assert found(audited, "splits", "warning")


def test_too_few_clips_say_nothing() -> None:
    tiny = synthesize("demo", 0, ["train=8", "valid=4", "test=4"])
    assert skills(tiny) == []
    only = Corpus(tiny.spec, {"train": synthesize("demo", 0).splits["train"]})
    assert leaks(skills(only)) == []


# --- real data


@pytest.fixture(scope="module")
def real(shared: Path, real_corpora: ModuleType) -> dict[str, Audit]:
    return {name: audit(corpus, of) for name, (corpus, of) in real_corpora.corpora(shared).items()}


def test_the_leak_in_real_mosi_is_found(real: dict[str, Audit]) -> None:
    leaky = real["mosi-official-leaky"]
    assert not leaky.passed
    blamed = {f.facts["modality"] for f in found(leaky, "label leak", "error")}
    assert blamed == {"text", "vision"}  # and audio73, which carries no labels, is not


def test_on_their_own_split_the_same_features_are_a_warning(real: dict[str, Audit]) -> None:
    own = real["mosi-bclstm-leaky"]
    assert own.passed
    blamed = {f.facts["modality"] for f in found(own, "label leak", "warning")}
    assert blamed == {"text", "vision"}


@pytest.mark.parametrize("name", ["mosi-official", "mosi-bclstm", "pom", "mmmo"])
def test_honest_real_features_are_not_blamed(name: str, real: dict[str, Audit]) -> None:
    assert real[name].passed
    assert found(real[name], "label leak") == []
    assert found(real[name], "counts", "note")
    assert len(real[name].skills) == 2


def test_honest_features_stay_clear_of_the_limits(real: dict[str, Audit]) -> None:
    for name in ("mosi-official", "mosi-bclstm"):
        for skill in real[name].skills:
            assert skill.tau is not None
            assert skill.tau[0] < 0.8 * UNEVEN
            values = [z for z, _ in skill.splits.values()]
            assert max(values) - min(values) < GAP
    for skill in real["mosi-official-leaky"].skills:
        if skill.modality != "audio":
            assert skill.tau is not None
            assert skill.tau[1] > 1.2 * UNEVEN


def test_pom_lacks_vision_in_half_of_its_clips(real: dict[str, Audit]) -> None:
    (finding,) = found(real["pom"], "presence")
    assert finding.facts["clips"] == {"train": 278, "valid": 52, "test": 87}


# --- what is written


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onload", "onclick"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_runs_nothing_of_the_data(small_corpus: Corpus) -> None:
    evil = '<script>alert("x")</script>'
    spec = replace(small_corpus.spec, name=evil)
    ids = [evil, evil, *small_corpus.splits["train"].ids[2:]]
    splits = {**small_corpus.splits, "train": replace(small_corpus.splits["train"], ids=ids)}
    audited = audit(Corpus(spec, splits, (evil,)))
    written = page(audited)
    seen = _Seen()
    seen.feed(written)
    assert seen.open == []
    assert "script" not in seen.tags
    assert seen.text.count(evil) >= 4  # title, heading, an example, a note
    for finding in audited.findings:
        assert finding.what in seen.text


def test_an_audit_is_json(small_corpus: Corpus) -> None:
    audited = audit(small_corpus)
    read = json.loads(dumps(audited.to_json()))
    assert read["passed"]
    assert len(read["findings"]) == len(audited.findings)
    assert read["description"]["fingerprint"] == small_corpus.fingerprint
