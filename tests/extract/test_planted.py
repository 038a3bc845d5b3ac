"""Clips with known truth: what is planted is extracted, and learnt from."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import planted
import pytest
from planted import Plan, Puppet, Speech, Voice
from scipy import stats

from infofuse.data import Corpus, open_corpus
from infofuse.extract.audio_descriptors import COLUMNS as DESCRIPTORS
from infofuse.extract.face_landmarks import OPENING
from infofuse.extract.folder import extract_folder
from infofuse.extract.forced_alignment import align
from infofuse.extract.media import open_media
from infofuse.extract.recipe import FeatureRecipe, stage
from infofuse.extract.weights import FACE
from infofuse.extract.whisper import transcribe
from infofuse.files import read_json
from infofuse.training.recipe import recipe
from infofuse.training.run import train

pytestmark = pytest.mark.slow


@dataclass(frozen=True, eq=False)
class Planted:
    """The clips, what they say, and the store that was made of them."""

    folder: Path
    plans: list[Plan]
    speeches: list[Speech]
    openings: list[np.ndarray]
    store: Path


@pytest.fixture(scope="module")
def voice() -> Voice:
    try:
        return Voice()
    except OSError:
        pytest.skip("needs eSpeak NG, and there is no libespeak-ng.so.1")


@pytest.fixture(scope="module")
def puppet(shared: Path) -> Puppet:
    """A frame of a real clip, cut about its face."""
    import mediapipe
    from mediapipe.tasks.python.vision import FaceLandmarker

    clip = open_media(shared / "data/clips/pyfeat_single.mp4", fps=1.0)
    picture = np.ascontiguousarray(next(iter(clip.frames)).image[90:330, 178:418])
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
    task = str(FACE.find() / "face_landmarker.task")
    with FaceLandmarker.create_from_model_path(task) as landmarks:
        found = landmarks.detect(image).face_landmarks[0]
    height, width, _ = picture.shape
    return Puppet(picture, np.array([(p.x * width, p.y * height) for p in found]))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, voice: Voice, puppet: Puppet) -> Planted:
    folder = tmp_path_factory.mktemp("planted")
    plans = planted.plans()
    made = [planted.write(folder, plan, voice, puppet) for plan in plans]
    rows = [
        (plan.id, plan.label, plan.sentence, "test" if i >= 40 else "valid" if i >= 32 else "train")
        for i, plan in enumerate(plans)
    ]
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "label", "text", "split"), *rows])
    made_by = FeatureRecipe(
        stage("audio", "descriptors"),
        stage("vision", "face"),
        stage("text", "given", align=False),
        fps=planted.FPS,
    )
    done = extract_folder(folder, folder / "store", made_by, folder / "labels.csv")
    assert done.failed == {}
    return Planted(folder, plans, [s for s, _ in made], [o for _, o in made], done.store)


def test_modalities_agree_or_conflict_by_design() -> None:
    signs = np.sign([(p.words, p.voice, p.face) for p in planted.plans()])
    agree = (signs == signs[:, :1]).all(1)
    assert agree.sum() == 20
    assert np.abs(np.corrcoef(signs[~agree].T)[np.triu_indices(3, 1)]).max() < 0.75


def test_pitch_is_recovered(clips: Planted) -> None:
    """The median of every clip within 0.02 of a semitone."""
    corpus = open_corpus(clips.store)
    heard = by_id(corpus, "audio")
    for plan in clips.plans:
        pitch = heard[plan.id][:, DESCRIPTORS.index("f0_semitones")]
        voiced = pitch[pitch > 0]
        assert len(voiced) > 0.25 * len(pitch)
        assert abs(np.median(voiced) - 12 * np.log2(plan.hertz / 27.5)) < 0.02, plan


def test_openings_of_the_mouth_are_recovered(clips: Planted) -> None:
    """A face in every frame, and of 95 in 100 the opening within 0.025."""
    seen = by_id(open_corpus(clips.store), "vision")
    for plan, openings in zip(clips.plans, clips.openings, strict=True):
        assert len(seen[plan.id]) in (len(openings), len(openings) + 1)
    found = np.concatenate(
        [seen[p.id][: len(o), OPENING] for p, o in zip(clips.plans, clips.openings, strict=True)]
    )
    known = np.concatenate(clips.openings)
    assert np.quantile(np.abs(found - known), 0.95) < 0.025
    assert stats.pearsonr(found, known)[0] > 0.98


def test_times_of_words_are_recovered(clips: Planted) -> None:
    """By alignment of the transcript: half of the starts within 0.02 s, and all in 0.1 s."""
    errors = []
    for plan, speech in list(zip(clips.plans, clips.speeches, strict=True))[:12]:
        sound = open_media(clips.folder / f"{plan.id}.mp4", fps=planted.FPS).waveform
        words = align(plan.sentence.split(), sound)
        assert words is not None
        assert [w.text for w in words] == [text for text, _, _ in speech.words]
        errors += [w.start - a for w, (_, a, _) in zip(words, speech.words, strict=True)]
    assert np.median(np.abs(errors)) < 0.02
    assert np.abs(errors).max() < 0.1


def test_words_are_heard(voice: Voice) -> None:
    """Recognition, without the text: every word, and its time within 0.4 s."""
    from recorded import RATE
    from scipy.signal import resample_poly

    speech = voice.say("the story was wonderful, and the music was brilliant.", 120)
    heard = transcribe("package", resample_poly(speech.waveform, RATE, speech.rate), "en")
    assert heard is not None
    said = [text.strip(",.").lower() for text, _, _ in speech.words]
    assert [w.text.strip(",.").lower() for w in heard.words] == said
    errors = [w.end - b for w, (_, _, b) in zip(heard.words, speech.words, strict=True)]
    assert np.abs(errors).max() < 0.4


def test_a_model_learns_from_forty_what_the_other_twenty_say(
    clips: Planted, tmp_path: Path
) -> None:
    """Eight of the forty choose the epoch. By chance alone r > 0.6 comes once in 400 times."""
    quick = {"epochs": 40, "patience": 20, "batch_size": 8}
    made = recipe("lf_dnn", model={"encoder_dropout": 0.1, "dropout": 0.1}, train=quick)
    corpus = open_corpus(clips.store)
    train(made, tmp_path, corpus=corpus)
    metrics = read_json(tmp_path / "seed-1111/metrics.json")
    said = np.array([plan.label for plan in clips.plans])
    assert metrics["test"]["corr"] > 0.6
    assert metrics["test"]["mae"] < np.abs(said[40:] - said[:40].mean()).mean()


def by_id(corpus: Corpus, modality: str) -> dict[str, np.ndarray]:
    """The features of every clip."""
    parts = corpus.splits.values()
    return {id: part.features[modality][i] for part in parts for i, id in enumerate(part.ids)}
