"""infofuse predict: what it prints, what it refuses, and its exit status."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import Call
from infofuse.cli.predicted import tell
from infofuse.data import Corpus
from infofuse.data.store import write_store
from infofuse.predict import Prediction, Predictor
from infofuse.training.protocol import openings

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def said(call: Call) -> Say:
    def say(*words: object) -> tuple[int, str]:
        status, out, err = call("predict", *words)
        assert bool(err) == (status == 2)
        if "--json" not in words and status == 0:
            assert max(map(len, out.splitlines())) <= 80
        return status, out or err

    return say


def test_one_clip_at_length(walked_run: Path, folder: Path, said: Say, tmp_path: Path) -> None:
    clip, picture = folder / "clips" / "clip11.wav", tmp_path / "timeline.svg"
    words = (walked_run, clip, "--window", 0.5, "--hop", 0.3, "--abstain", 0.4)
    status, shown = said(*words, "--out", picture)
    assert status == 0
    assert shown.startswith("clip11, 1.")
    for part in ("at 90 %    -3.00 to +3.00", "at 40 %", "audio ", "text ", "0.0 to 0.5"):
        assert part in shown
    assert picture.read_text().startswith("<?xml")
    status, content = said(*words, "--json")
    (found,) = json.loads(content)["clips"]
    assert (len(found["timeline"]), found["prediction"]["present"]) == (4, ["text", "audio"])
    assert found["prediction"]["interval"] == [[-3.0, 3.0]]


def test_several_clips_and_one_that_is_none(
    walked_run: Path, folder: Path, said: Say, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film at all")
    clips = [folder / "clips" / f"clip0{i}.wav" for i in (3, 7)]
    status, shown = said(walked_run, *clips, broken, "--only", "audio")
    assert status == 1
    assert "clip03" in shown
    assert "clip07" in shown
    assert f"{broken}: not predicted: {broken} cannot be read" in shown
    status, content = said(walked_run, *clips, broken, "--json")
    assert (status, [f["path"] for f in json.loads(content)["failed"]]) == (1, [str(broken)])
    assert said(walked_run, broken)[0] == 2


def test_a_data_set_is_predicted_and_its_opening_counted(
    run: Path, small_corpus: Corpus, said: Say, tmp_path: Path
) -> None:
    write_store(small_corpus, tmp_path / "data")
    before = openings(run / "seed-1111")
    status, content = said(run, tmp_path / "data", "--json", "--confidence", 0.8)
    assert [c["prediction"]["id"] for c in json.loads(content)["clips"]] == list(
        small_corpus.split("test").ids
    )
    assert openings(run / "seed-1111") == before + 1
    status, shown = said(run, tmp_path / "data", "--split", "valid", "--only", "text,vision,")
    assert (status, len(shown.splitlines())) == (0, 18)
    assert "audio" not in shown
    assert openings(run / "seed-1111") == before + 1


def test_words_alone_are_a_clip(walked_run: Path, said: Say) -> None:
    status, shown = said(walked_run, "--text", "it was great")
    assert status == 0
    assert "modality" in shown
    assert "audio" not in shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "give a media file, a data set, or words"),
        (("--transcript", "x.srt"), "give a media file"),
        (("--text", "x", "--only", "text"), "words alone are text alone"),
        (("a.wav", "b.wav", "--text", "x"), "are the words of one media file"),
        (("a.wav", "--text", "x", "--transcript", "x.srt"), "in the place of --text"),
        (("a.wav", "b.wav", "--out", "x.png"), "of one media file; name one"),
        (("a.wav", "--out", "x.pdf"), "should end in .png or .svg"),
        (("a.wav", "--only", "sound"), "unknown modality 'sound'"),
        (("a.wav", "--confidence", "1"), "confidence lies between 0 and 1"),
        (("--text", "x", "--split", "valid"), "--split is of a data set"),
        (("--text", "x", "--window", "-1"), "--window is of a media file's timeline"),
        (("a.wav", "b.wav", "--window", "0"), "a window has a length"),
        (("a.wav",), "there is no file a.wav"),
        (("a.wav", "b.wav"), "there is no file a.wav"),
    ],
)
def test_what_does_not_go_together_is_refused(
    walked_run: Path, said: Say, words: tuple[str, ...], why: str
) -> None:
    status, shown = said(walked_run, *words)
    assert (status, shown.count("\n")) == (2, 1)
    assert why in shown


def test_a_data_set_goes_by_itself(run: Path, walked_run: Path, folder: Path, said: Say) -> None:
    assert "by itself" in said(walked_run, folder / "store", "a.wav")[1]
    assert "the words of one media file" in said(walked_run, folder / "store", "--text", "x")[1]
    assert "--hop is of a media file" in said(walked_run, folder / "store", "--hop", 1)[1]
    status, shown = said(run, folder / "clips" / "clip03.wav")
    assert status == 2
    assert "of unknown making" in shown
    assert "there is no file typo.pkl" in said(run, "typo.pkl")[1]


EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


def prediction(answer: tuple, scores: tuple[float, ...], **facts: object) -> Prediction:
    shares = {"text": scores}
    given = {"interval": None, "classes": None, "abstained": False, "present": ("text",)}
    nothing = (0.0,) * len(scores)
    return Prediction(
        id="clip", answer=answer, scores=scores, nothing=nothing, alone=shares,
        contributions=shares, agreement=1.25, **given | facts,
    )  # fmt: skip


def test_classes_several_labels_and_open_answers_read_well(walked: Predictor) -> None:
    names = ("anger", "joy", "fear")

    def shown(*found: Prediction, **facts: object) -> str:
        text = tell(replace(walked, spec=replace(walked.spec, **facts), abstain=0.8), found)
        assert max(map(len, text.splitlines())) <= 80
        return text

    single = {"metrics": "classification", "classes": names, "label_range": None}
    found = prediction(("joy",), (0.2, 0.7, 0.1), classes=("joy", "anger"))
    for part in ("answer     joy 0.70", "joy, anger", "decided", "1.25", "text for joy"):
        assert part in shown(found, **single)
    doubtful = replace(found, abstained=True)
    assert "open: several classes are possible" in shown(doubtful, **single)
    assert "open: there is nothing to read" in shown(replace(doubtful, present=()), **single)
    wide = {"metrics": "classification", "classes": EMOTIONS, "label_range": None}
    doubtful = prediction(("surprise",), (0.1,) * 6 + (0.4,), classes=EMOTIONS)
    assert "7 classes" in shown(doubtful, doubtful, **wide)
    several = {"metrics": "multilabel", "classes": names, "outputs": 3}
    found = prediction((), (0.2, 0.3, 0.1), classes=())
    for part in ("answer     none", "text for joy"):
        assert part in shown(found, **several)
    found = prediction((1.0, -1.0), (1.0, -1.0), interval=((0.5, 1.5), (-2.0, 0.0)))
    for part in ("answer     +1.00, -1.00", "+0.50 to +1.50, -2.00 to +0.00", "text, label 2"):
        assert part in shown(found, outputs=2)
