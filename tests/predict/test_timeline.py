"""Windows of a clip: where they lie, what is in them, and what is predicted of them."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infofuse.errors import InfofuseError
from infofuse.extract.clip import Extracted
from infofuse.extract.text import Word
from infofuse.predict import Predictor, predict_extracted
from infofuse.predict.timeline import LEAST_HOP, check_windows, cut, windows
from infofuse.types import Clips, Sample

LENGTH = st.floats(0.5, 20)
NAN = float("nan")


def steps(begin: float, end: float, width: float) -> np.ndarray:
    begins = np.arange(begin, end - width / 2, width)
    return np.stack([begins, begins + width], axis=1)


def made(widths: dict[str, int], seconds: float = 12.0, timed: bool = True) -> Extracted:
    """Noise as features at two rates, and a word a second."""
    rng = np.random.default_rng(0)
    times = {"audio": steps(0, seconds, 0.1), "vision": steps(2, seconds, 0.4)}
    names = ["it", "was", "a", "very", "good", "film", "and", "i", "liked", "all", "of", "it"]
    words = tuple(
        Word(name, float(i), i + 0.8) if timed else Word(name) for i, name in enumerate(names)
    )
    features = {m: rng.normal(size=(len(t), widths[m])).astype("f4") for m, t in times.items()}
    return Extracted(Sample("clip", features, " ".join(names)), times, words, seconds)


@example(1.1, 0.5, 0.1)  # the last one begins at 0.6, or a rounding error later
@given(st.floats(0, 200), LENGTH, st.floats(LEAST_HOP, 20))
def test_windows_are_of_one_length_a_hop_apart_and_reach_the_end(
    seconds: float, window: float, hop: float
) -> None:
    found = windows(seconds, window, hop)
    if seconds <= window:
        assert found == []
        return
    starts = np.array([start for start, _ in found])
    np.testing.assert_allclose([end - start for start, end in found], window)
    assert starts[0] == 0
    assert found[-1][1] == pytest.approx(seconds)
    np.testing.assert_allclose(np.diff(starts)[:-1], hop)
    assert (np.diff(starts) > 0).all()
    assert (np.diff(starts) <= hop + 1e-9).all()


@pytest.mark.parametrize(
    ("window", "hop"), [(0.0, 1.0), (-1.0, 1.0), (5.0, 0.0), (5.0, 0.01), (NAN, 1.0), (5.0, NAN)]
)
def test_windows_that_are_none_are_refused(window: float, hop: float) -> None:
    with pytest.raises(InfofuseError, match="a window has a length"):
        check_windows(window, hop)


def test_windows_side_by_side_hold_every_step_and_word_once() -> None:
    whole = made({"audio": 3, "vision": 2})
    parts = [cut(whole, start, start + 3.0) for start in (0.0, 3.0, 6.0, 9.0)]
    for name, values in whole.sample.features.items():
        np.testing.assert_array_equal(np.concatenate([p.features[name] for p in parts]), values)
    assert " ".join(p.text for p in parts) == whole.sample.text
    assert parts[1].id == "clip[3-6]"


def test_a_step_belongs_where_its_middle_lies() -> None:
    whole = made({"audio": 1, "vision": 1})
    part = cut(whole, 0.04, 2.25)
    assert len(part.features["audio"]) == 22  # of the middles 0.05, 0.15, ... 2.15
    assert len(part.features["vision"]) == 1  # from 2.0 to 2.4 about 2.2
    assert part.text == "it was"  # "a" is from 2.0 to 2.8


def test_words_without_times_belong_to_no_window() -> None:
    whole = made({"audio": 1, "vision": 1}, timed=False)
    assert cut(whole, 0.0, 12.0).text == ""
    assert cut(whole, 0.0, 12.0).features["audio"].shape == whole.sample.features["audio"].shape


def test_a_moment_is_the_prediction_of_its_part(predictor: Predictor) -> None:
    whole = made(predictor.spec.features)
    found = predict_extracted(predictor, whole, window=4.0, hop=2.0)
    assert [(m.start, m.end) for m in found.timeline] == [(0, 4), (2, 6), (4, 8), (6, 10), (8, 12)]
    for moment in found.timeline:
        part = cut(whole, moment.start, moment.end)
        (alone,) = predictor(Clips.of([part], predictor.spec.features))
        np.testing.assert_allclose(moment.prediction.scores, alone.scores, atol=1e-5)
        assert moment.prediction.present == ("text", "audio", "vision")
    (of_all,) = predictor(Clips.of([whole.sample], predictor.spec.features))
    assert found.prediction == of_all
    assert (found.seconds, found.words, found.notes) == (12.0, whole.words, ())


def test_short_clips_have_no_timeline_and_untimed_words_a_note(predictor: Predictor) -> None:
    whole = made(predictor.spec.features, timed=False)
    assert predict_extracted(predictor, whole, window=12.0).timeline == ()
    found = predict_extracted(predictor, whole, only=["text", "audio"])
    assert {m.prediction.present for m in found.timeline} == {("audio",)}
    assert found.prediction.present == ("text", "audio")
    assert found.notes == ("the words have no times: the timeline is without them",)
    json = found.to_json()
    assert json["timeline"][0]["prediction"]["present"] == ("audio",)
    assert json["words"][0] == {"text": "it", "start": None, "end": None}
