"""The floors: what is linear is found, what training clips lack is never answered."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from infofuse.data import Corpus, DataSpec
from infofuse.training.floors import floors, not_above
from infofuse.types import Clips, Sample

SIZES = {"train": 80, "valid": 40, "test": 60}


def corpus(spec: DataSpec, label: object, *, lacking: float = 0.0) -> Corpus:
    """Clips of noise, labelled by label(mean audio, mean vision); some lack the vision."""
    rng = np.random.default_rng(3)

    def clip(name: str) -> Sample:
        audio = rng.normal(size=(5, 3)).astype(np.float32)
        there = rng.random() >= lacking
        vision = rng.normal(size=(4 if there else 0, 2)).astype(np.float32)
        means = audio.mean(0), vision.mean(0) if there else np.zeros(2)
        return Sample(name, {"audio": audio, "vision": vision}, label=label(*means))  # type: ignore[operator]

    splits = {
        split: Clips.of([clip(f"{split}{i}") for i in range(size)], spec.features, spec.outputs)
        for split, size in SIZES.items()
    }
    return Corpus(spec, splits)


SCORES = DataSpec("scores", {"audio": 3, "vision": 2})


def test_a_linear_label_is_found_by_the_features_that_have_it() -> None:
    found = floors(corpus(SCORES, lambda a, v: [float(3 * a[0] - 2 * v[1])]), alone=True)
    assert list(found) == [
        "constant",
        "linear on mean features (audio, vision)",
        "linear on mean features (audio)",
        "linear on mean features (vision)",
    ]
    assert found["linear on mean features (audio, vision)"]["corr"] > 0.999
    assert 0.5 < found["linear on mean features (audio)"]["corr"] < 0.95
    assert np.isnan(found["constant"]["corr"])


def test_it_is_ridge_regression_of_the_strength_that_validation_prefers() -> None:
    rng = np.random.default_rng(8)
    data = corpus(SCORES, lambda a, v: [float(a[0] + rng.normal())])
    x, y = {}, {}
    for split, clips in data.splits.items():
        audio = [clips.features["audio"][i].mean(0) for i in range(len(clips))]
        vision = [clips.features["vision"][i].mean(0) for i in range(len(clips))]
        x[split] = np.concatenate([audio, vision], 1, dtype=np.float64)
        y[split] = clips.labels[:, 0]
    mean, sd = x["train"].mean(0), x["train"].std(0)
    x = {split: (values - mean) / sd for split, values in x.items()}
    fits = [Ridge(10.0**k).fit(x["train"], y["train"]) for k in range(-2, 6)]
    best = min(fits, key=lambda f: np.abs(f.predict(x["valid"]) - y["valid"]).mean())
    expected = np.abs(best.predict(x["test"]) - y["test"]).mean()
    found = floors(data)["linear on mean features (audio, vision)"]["mae"]
    assert found == pytest.approx(expected, rel=1e-5)


def test_whether_a_modality_is_there_counts_too() -> None:
    told = floors(corpus(SCORES, lambda a, v: [1.0 if v.any() else -1.0], lacking=0.4), alone=True)
    assert told["linear on mean features (vision)"]["mae"] < 0.1


def test_classes_and_one_that_training_clips_lack() -> None:
    spec = replace(SCORES, metrics="classification", classes=("low", "high", "never"))
    found = floors(corpus(spec, lambda a, v: [float(a[0] > 0)]), alone=True)
    assert found["linear on mean features (audio)"]["accuracy"] > 0.9
    assert found["constant"]["accuracy"] < 0.7


def test_labels_that_each_hold_or_not_and_one_that_always_does() -> None:
    spec = replace(SCORES, outputs=2, metrics="multilabel", classes=("loud", "there"))
    found = floors(corpus(spec, lambda a, v: [float(a[1] > 0), 1.0]))
    assert found["linear on mean features (audio, vision)"]["accuracy"] > 0.9


def test_unknown_labels_are_left_out() -> None:
    rng = np.random.default_rng(5)
    spec = replace(SCORES, outputs=2)
    data = corpus(
        spec, lambda a, v: [float(2 * a[0]), float(v[0]) if rng.random() < 0.5 else float("nan")]
    )
    found = floors(data)["linear on mean features (audio, vision)"]
    assert found["corr"] > 0.99


def test_validation_floors_do_not_read_the_test_split() -> None:
    whole = corpus(SCORES, lambda a, v: [float(a[0])])
    without = Corpus(whole.spec, {name: whole.split(name) for name in ("train", "valid")})
    assert repr(floors(without, "valid")) == repr(floors(whole, "valid"))
    assert floors(Corpus(whole.spec, {"test": whole.split("test")})) == {}


@pytest.mark.parametrize(
    ("metric", "ours", "said"),
    [
        ("mae", 0.5, ""),
        (
            "mae",
            0.75,
            "a model that is linear on mean features (audio) is at least as good",
        ),
        ("mae", 1.2, "a model that is linear on mean features (audio) is at least as good"),
        ("corr", 0.6, ""),
        ("corr", 0.2, "is at least as good (Corr 0.400 against 0.200)"),
    ],
)
def test_a_model_that_is_not_above_the_floor_is_told_so(
    metric: str, ours: float, said: str
) -> None:
    found = {
        "constant": {"mae": 1.0, "corr": float("nan")},
        "linear on mean features (audio)": {"mae": 0.7, "corr": 0.4},
    }
    sentence = not_above(metric, {metric: ours}, found)
    assert said in sentence
    assert bool(said) == bool(sentence)
