"""From a folder of media to a prediction of one of its files: the same features, bit for bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infofuse.data import Corpus, open_corpus
from infofuse.errors import InfofuseError
from infofuse.extract.clip import extract_clip
from infofuse.extract.folder import extract_folder
from infofuse.extract.recipe import FeatureRecipe, stage
from infofuse.predict import Predictor, predict_clip, predict_text
from infofuse.predict.clip import recipe_of
from infofuse.predict.picture import draw_timeline
from infofuse.training import resolve, train


def test_a_predicted_clip_has_the_features_that_were_trained_on(
    folder: Path, walked: Predictor
) -> None:
    clips = open_corpus(folder / "store").split("test")
    said = walked(clips)
    for i, name in enumerate(clips.ids):
        path, text = folder / "clips" / f"{name}.wav", clips.texts[i]
        made = extract_clip(path, recipe_of(walked), text=text)
        assert made.sample.text == text
        assert made.sample.features.keys() == {"audio"}
        kept = clips.features["audio"][i]
        assert made.sample.features["audio"].tobytes() == np.ascontiguousarray(kept).tobytes()
        found = predict_clip(walked, path, text=text)
        np.testing.assert_allclose(found.prediction.scores, said[i].scores, atol=1e-6)
        assert found.prediction.present == said[i].present
        assert found.timeline == ()


def test_subtitles_beside_a_clip_are_its_words(folder: Path, walked: Predictor) -> None:
    path = folder / "clips" / "clip11.wav"
    found = predict_clip(walked, path)
    assert [word.text for word in found.words] == ["not", "bad"]
    assert found.prediction.present == ("text", "audio")
    other = predict_clip(walked, path, text="awful")
    assert [word.text for word in other.words] == ["awful"]
    assert other.prediction.alone["text"] != found.prediction.alone["text"]
    assert other.prediction.alone["audio"] == found.prediction.alone["audio"]


def test_only_what_is_used_is_extracted(folder: Path, walked: Predictor) -> None:
    assert recipe_of(walked, ["text"]).audio is None
    assert recipe_of(walked).audio == stage("audio", "descriptors", hop=0.04)
    found = predict_clip(walked, folder / "clips" / "clip03.wav", only=["audio"])
    assert found.prediction.present == ("audio",)


def test_windows_of_a_clip_and_their_picture(
    folder: Path, walked: Predictor, tmp_path: Path
) -> None:
    found = predict_clip(walked, folder / "clips" / "clip11.wav", window=0.5, hop=0.2)
    assert [round(m.start, 2) for m in found.timeline] == [0.0, 0.2, 0.4, 0.6, 0.65]
    assert [m.prediction.present for m in found.timeline] == [
        ("text", "audio"), ("text", "audio"), ("text", "audio"), ("audio",), ("audio",),
    ]  # fmt: skip
    for one in (found, replace(found, timeline=())):
        draw_timeline(one, (), tmp_path / "t.png")
        assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InfofuseError, match=r"should end in \.png or \.svg"):
        draw_timeline(found, (), tmp_path / "t.pdf")


def test_features_of_unknown_making_cannot_be_made(predictor: Predictor, tmp_path: Path) -> None:
    """`predictor` was trained on generated features."""
    with pytest.raises(InfofuseError) as refused:
        predict_clip(predictor, tmp_path / "clip.mp4")
    said = str(refused.value)
    for part in ("trained on demo", "audio of", "unknown making", "`infofuse extract`"):
        assert part in said
    assert said.count("\n") == 0


def test_other_versions_are_noted(folder: Path, walked: Predictor) -> None:
    older = replace(walked.spec, extraction=walked.spec.extraction | {"versions": {"av": "1.0"}})
    found = predict_clip(replace(walked, spec=older), folder / "clips" / "clip03.wav")
    assert any("was 1.0 when the features were made" in note for note in found.notes)


def test_words_alone(walked: Predictor, small_corpus: Corpus, tmp_path: Path) -> None:
    found = predict_text(walked, "it was great")
    assert (found.present, found.abstained) == (("text",), False)
    assert predict_text(walked, " ").abstained
    assert walked.reads_words
    tables = {"paper": "lf_dnn", "data": "given", "model": {"modalities": ["audio"]}}
    train(resolve(tables | {"train": {"epochs": 1}}), tmp_path / "deaf", corpus=small_corpus)
    with pytest.raises(InfofuseError, match="this model reads no words"):
        predict_text(Predictor.load(tmp_path / "deaf"), "it was great")


def test_real_clips_have_the_features_that_were_trained_on(
    shared: Path, tiny_bert: str, tmp_path: Path
) -> None:
    """The walk with voice, face and words: extract, train, predict a file."""
    pytest.importorskip("mediapipe")
    pytest.importorskip("av")
    named = {
        "pyfeat_single.mp4": "train",
        "mosi_03bSnISJMiM_1.wav": "train",
        "mexca_5s.mp4": "valid",
    }
    rows = [
        f"{Path(name).stem},{i},{split},so it goes" for i, (name, split) in enumerate(named.items())
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label,split,text", *rows]))
    media = [shared / "data/clips" / name for name in named]
    recipe = FeatureRecipe(
        stage("audio", "descriptors"),
        stage("vision", "face"),
        stage("text", "given", align=False),
        5.0,
    )
    extract_folder(media, tmp_path / "store", recipe, tmp_path / "labels.csv")
    tables = {
        "paper": "lf_dnn",
        "data": str(tmp_path / "store"),
        "model": {"text_encoder": tiny_bert},
        "train": {"epochs": 1},
    }
    train(resolve(tables), tmp_path / "run", test=False)
    walked = Predictor.load(tmp_path / "run")
    kept = open_corpus(tmp_path / "store").split("train")
    i = list(kept.ids).index("pyfeat_single")
    made = extract_clip(media[0], recipe_of(walked), text="so it goes").sample
    assert {"audio", "vision"} & made.features.keys()
    for name, values in made.features.items():
        assert values.tobytes() == np.ascontiguousarray(kept.features[name][i]).tobytes()
        assert len(values) > 0
    found = predict_clip(walked, media[0], text="so it goes").prediction
    np.testing.assert_allclose(found.scores, walked(kept)[i].scores, atol=1e-6)
    assert "vision" in found.present
