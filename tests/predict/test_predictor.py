"""Predictions of a checkpoint: scores, Shapley values, conformal regions, agreement, abstention."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import infofuse
from infofuse.analysis.explanation import explain
from infofuse.data import Corpus
from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.models import columns
from infofuse.predict import Prediction, Predictor
from infofuse.training import resolve, train
from infofuse.training.calibration import FILE, read_calibration
from infofuse.training.checkpoint import load_with_penalties
from infofuse.types import Clips, Sample


@pytest.fixture(scope="module")
def clips(small_corpus: Corpus) -> Clips:
    return small_corpus.split("test")


@pytest.fixture(scope="module")
def found(predictor: Predictor, clips: Clips) -> list[Prediction]:
    return predictor(clips)


def scores(predictions: list[Prediction]) -> np.ndarray:
    return np.array([p.scores for p in predictions])


def test_scores_are_the_models_predictions(
    run: Path, clips: Clips, found: list[Prediction]
) -> None:
    model = infofuse.load(run / "seed-1111/checkpoint")
    np.testing.assert_array_equal(scores(found), infofuse.predictions(model, clips))
    assert [p.id for p in found] == list(clips.ids)
    assert all(p.answer == p.scores for p in found)


def test_contributions_sum_to_what_the_modalities_change(found: list[Prediction]) -> None:
    for p in found:
        assert p.present == tuple(p.alone) == tuple(p.contributions) == ("text", "audio", "vision")
        total = sum(value for (value,) in p.contributions.values())
        assert total == pytest.approx(p.scores[0] - p.nothing[0], abs=1e-5)


def test_only_is_as_if_the_others_were_not_there(
    predictor: Predictor, clips: Clips, found: list[Prediction]
) -> None:
    alone = predictor(clips, only=["audio"])
    np.testing.assert_allclose(scores(alone), [p.alone["audio"] for p in found], atol=1e-6)
    features = {m: c if m == "audio" else c.emptied for m, c in clips.features.items()}
    without = predictor(replace(clips, features=features, texts=[""] * len(clips)))
    assert alone == without
    assert {p.present for p in alone} == {("audio",)}
    assert {p.agreement for p in alone} == {None}
    two = predictor(clips, only=["vision", "text"])
    assert {p.present for p in two} == {("text", "vision")}
    assert predictor.used(["vision", "text"]) == ("text", "vision")


def test_agreement_is_that_of_an_explanation(
    run: Path, clips: Clips, predictor: Predictor, found: list[Prediction]
) -> None:
    model, (penalty,) = load_with_penalties(run / "seed-1111/checkpoint")
    said = explain(model, clips, predictor.task, penalty)
    np.testing.assert_allclose([p.agreement for p in found], said.agreement, rtol=1e-6)


def test_no_clips_no_predictions(predictor: Predictor, clips: Clips) -> None:
    assert predictor(clips.take([])) == []


def test_a_clip_of_which_there_is_nothing_is_left_open(predictor: Predictor) -> None:
    (empty,) = predictor(Clips.of([Sample("empty")], predictor.spec.features))
    assert (empty.present, empty.alone, empty.contributions) == ((), {}, {})
    assert empty.abstained
    assert empty.interval == ((-3.0, 3.0),)
    assert empty.scores == empty.nothing


def test_each_subset_is_calibrated_by_the_clips_that_have_it(
    run: Path, predictor: Predictor, small_corpus: Corpus
) -> None:
    """Restated: |y - f| of validation clips, the other modalities being taken away."""
    valid, calibration = small_corpus.split("valid"), predictor.calibration
    assert len(calibration.scores) == 7
    lengths = {m: c.lengths for m, c in columns(predictor.model, valid).items()}
    for subset, (kept,) in calibration.scores.items():
        whole = np.all([lengths[m] > 0 for m in subset], axis=0)
        said = scores(predictor(valid.take(np.flatnonzero(whole)), only=subset))
        np.testing.assert_allclose(kept, np.sort(np.abs(said - valid.labels[whole])[:, 0]), 1e-5)


def test_an_interval_is_as_wide_as_what_was_read_asks_for(
    predictor: Predictor, clips: Clips
) -> None:
    for subset in (("text",), ("audio", "vision"), ("text", "audio", "vision")):
        (reach,) = predictor.calibration.limits(subset, 0.8)
        for p in predictor(clips, only=subset):
            if p.present == subset:
                expected = np.clip([p.scores[0] - reach, p.scores[0] + reach], -3, 3)
                np.testing.assert_allclose(p.interval[0], expected, atol=1e-6)
    wide = replace(predictor, confidence=0.99)(clips)
    assert {p.interval for p in wide} == {((-3.0, 3.0),)}  # 16 clips can say no more


def test_abstention_is_of_answers_that_are_not_decided(run: Path, clips: Clips) -> None:
    for limit in (0.05, 0.5):
        judge = Predictor.load(run, confidence=limit, abstain=limit)
        said = judge(clips)
        assert [p.abstained for p in said] == [
            p.interval[0][0] <= 0 <= p.interval[0][1] for p in said
        ]
    assert not any(p.abstained for p in Predictor.load(run)(clips))


def test_an_old_checkpoint_predicts_without_an_interval(
    run: Path, clips: Clips, found: list[Prediction], tmp_path: Path
) -> None:
    old = shutil.copytree(run / "seed-1111/checkpoint", tmp_path / "old")
    config = json.loads((old / "config.json").read_text())
    (old / FILE).unlink()
    with pytest.raises(InfofuseError, match=r"calibration\.json is missing"):
        Predictor.load(old)
    del config["files"]
    (old / "config.json").write_text(json.dumps(config))
    for p, before in zip(Predictor.load(old)(clips), found, strict=True):
        assert p == replace(before, interval=None)
    with pytest.raises(InfofuseError, match=r"no calibration\.json.*train it again"):
        Predictor.load(old, abstain=0.8)
    (old / FILE).write_text('{"format": 1}')
    with pytest.raises(InfofuseError, match=r"calibration\.json: this is no calibration"):
        Predictor.load(old)


def test_what_is_wrong_is_said(run: Path, predictor: Predictor, clips: Clips) -> None:
    with pytest.raises(InfofuseError, match="unknown modality 'sound'"):
        predictor(clips, only=["sound"])
    for wrong in ({"confidence": 90.0}, {"abstain": 0.0}):
        with pytest.raises(InfofuseError, match="lies between 0 and 1"):
            Predictor.load(run, **wrong)
    wider = Clips.of([Sample("x", {"audio": np.zeros((3, 4), np.float32)})], {"audio": 4})
    with pytest.raises(InfofuseError, match="audio has 4 features a step here"):
        predictor(wider)


def test_nothing_of_a_clip_is_left_in_the_cache(predictor: Predictor) -> None:
    def entries() -> set[Path]:
        return set(Path(os.environ["INFOFUSE_CACHE"]).rglob("*"))

    before = entries()
    words = Sample("x", text="words that nobody said before")
    assert predictor(Clips.of([words], predictor.spec.features))[0].present == ("text",)
    assert entries() == before


def test_a_prediction_is_json(found: list[Prediction]) -> None:
    json = found[0].to_json()
    assert json["interval"] == found[0].interval
    assert infofuse.files.dumps(json)


def test_calibration_comes_from_the_validation_split_alone(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    tables = {
        "paper": "lf_dnn",
        "data": "given",
        "model": {"modalities": ["audio"]},
        "train": {"epochs": 1, "batch_size": 16},
    }
    poisoned = {
        s: replace(c, labels=c.labels * np.nan) if s == "test" else c
        for s, c in small_corpus.splits.items()
    }
    for name, splits in (("clean", small_corpus.splits), ("poisoned", poisoned)):
        corpus = Corpus(small_corpus.spec, splits)
        train(resolve(tables), tmp_path / name, corpus=corpus, test=False)
    clean, other = (
        tmp_path / name / "seed-1111/checkpoint" / FILE for name in ("clean", "poisoned")
    )
    assert clean.read_bytes() == other.read_bytes()
    assert read_json(clean)["subsets"][0]["modalities"] == ["audio"]
    assert len(read_calibration(clean.parent).scores[("audio",)][0]) == 16


NAMES = ("negative", "neutral", "positive")


def three_classes(labels: np.ndarray) -> np.ndarray:
    return np.digitize(labels, [-0.5, 0.5]).astype(np.float32)


def two_labels(labels: np.ndarray) -> np.ndarray:
    return np.concatenate([labels > 0, np.abs(labels) > 1], axis=1).astype(np.float32)


@pytest.fixture(
    scope="module",
    params=[
        ("classification", NAMES, three_classes),
        ("multilabel", ("good", "strong"), two_labels),
    ],
    ids=["classification", "multilabel"],
)
def classifier(
    request: pytest.FixtureRequest,
    small_corpus: Corpus,
    tmp_path_factory: pytest.TempPathFactory,
) -> Predictor:
    metrics, classes, label = request.param
    spec = replace(
        small_corpus.spec,
        metrics=metrics,
        classes=classes,
        outputs=2 if metrics == "multilabel" else 1,
        label_range=None,
    )
    splits = {s: replace(c, labels=label(c.labels)) for s, c in small_corpus.splits.items()}
    tables = {
        "paper": "lf_dnn",
        "data": "given",
        "model": {"modalities": ["audio", "vision"]},
        "train": {"epochs": 1, "batch_size": 16},
    }
    out = tmp_path_factory.mktemp(metrics)
    train(resolve(tables), out, corpus=Corpus(spec, splits))
    return Predictor.load(out, confidence=0.8, abstain=0.8)


def test_classes_are_answered_by_name_with_their_chances(
    classifier: Predictor, clips: Clips
) -> None:
    names = classifier.spec.classes
    one = len(names) == 3
    for p in classifier(replace(clips, labels=clips.labels[:, :1])):
        assert p.interval is None
        if one:
            assert sum(p.scores) == pytest.approx(1, abs=1e-5)
            assert p.answer == (names[int(np.argmax(p.scores))],)
            assert p.abstained == (len(p.classes) != 1)
        else:
            assert p.answer == tuple(n for n, s in zip(names, p.scores, strict=True) if s > 0.5)
        assert set(p.answer) <= set(p.classes) <= set(names)
        total = sum(np.array(values) for values in p.contributions.values())
        np.testing.assert_allclose(total, np.subtract(p.scores, p.nothing), atol=1e-5)
        assert min(min(alone) for alone in p.alone.values()) >= 0
