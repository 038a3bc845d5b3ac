"""Twins: true counts, widths and padding; the same bytes from the same seed."""

import numpy as np
import pytest

from infofuse.data import known
from infofuse.data.synthetic import twin, twins
from infofuse.errors import InfofuseError


def test_every_scored_variant_with_counts_has_one() -> None:
    assert {"mosi-unaligned", "mosei-unaligned", "sims-unaligned", "simsv2-unaligned"} <= set(
        twins()
    )
    assert not any(name.startswith(("meld", "iemocap", "urfunny")) for name in twins())


@pytest.mark.parametrize("name", twins())
def test_a_twin_has_the_widths_the_padding_and_the_scale(name: str) -> None:
    made = twin(name, 0.005)
    like = next(v for v in known.variants() if v.name == name)
    labels = like.dataset.labels[0]
    assert labels.scale is not None
    assert made.spec.features == like.variant.features
    assert made.spec.outputs == labels.outputs
    assert made.spec.label_range == labels.scale
    assert set(made.splits) == set(like.clips)
    for split, clips in made.splits.items():
        assert len(clips) == max(1, round(0.005 * like.clips[split]))
        assert clips.labels.min() >= labels.scale[0] - 1e-6
        assert clips.labels.max() <= labels.scale[1] + 1e-6
        for modality, ragged in clips.features.items():
            assert ragged.lengths.min() >= 1
            assert ragged.lengths.max() <= like.variant.most_steps.get(modality, 50)
            assert len(ragged.values) == ragged.offsets[-1]
            assert ragged.values.dtype == np.float32
        if like.variant.aligned:
            assert len({tuple(r.lengths) for r in clips.features.values()}) == 1
    assert "no real clips" in made.notes[0]


def test_at_full_scale_the_counts_are_true() -> None:
    counts = {s: len(clips) for s, clips in twin("pom-mfn").splits.items()}
    assert counts == {"train": 600, "valid": 100, "test": 203}


def test_lengths_are_distributed_as_mosi_has_them() -> None:
    """Words of a segment: real CMU-MOSI has 4, 7, 10, 16 and 28 at these quantiles."""
    clips = twin("mosi-mult-aligned", 0.4).splits["train"]
    words = np.array([len(text.split()) for text in clips.texts])
    found = np.quantile(words, [0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(found, [4, 7, 10, 16, 28], atol=2)


def test_a_seed_gives_the_same_bytes_and_another_others() -> None:
    one, same, other = (twin("pom-mfn", 0.05, seed) for seed in (3, 3, 4))
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_a_word_has_one_vector() -> None:
    clips = twin("mosi-aligned", 0.02).splits["train"]
    words = [word for text in clips.texts for word in text.split()]
    first: dict[str, np.ndarray] = {}
    for word, vector in zip(words, clips.features["text"].values, strict=True):
        np.testing.assert_array_equal(first.setdefault(word, vector), vector)
    assert 10 < len(first) < len(words)


@pytest.mark.parametrize(
    ("name", "scale", "sentence"),
    [
        ("mosi-unalinged", 1.0, "did you mean 'mosi-unaligned'"),
        ("mosi-unaligned", 0.0, "more than 0 and at most 1"),
        ("mosi-unaligned", 1.5, "more than 0 and at most 1"),
    ],
)
def test_what_cannot_be_made_is_refused(name: str, scale: float, sentence: str) -> None:
    with pytest.raises(InfofuseError, match=sentence):
        twin(name, scale)
