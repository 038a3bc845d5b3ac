"""Generated labels read back: their drift by hand, and their agreement with human ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from infofuse.analysis.labels import GeneratedLabels, agreement, drift, generated_labels
from infofuse.errors import InfofuseError

NAN = float("nan")
LABELS = GeneratedLabels(
    ["a", "b", "c", "d"],
    np.array([1.0, -1.0, 2.0, NAN]),
    {"text": np.array([2.0, -2.0, 2.0, NAN]), "audio": np.array([-1.0, NAN, 1.0, NAN])},
)


def test_drift_by_hand() -> None:
    text, audio = drift(LABELS)
    assert (text.clips, text.mean, text.turned) == (3, 0.0, 0.0)
    assert text.sd == pytest.approx(np.sqrt(2 / 3))
    assert text.corr == pytest.approx(np.corrcoef([1, -1, 2], [2, -2, 2])[0, 1])
    assert (audio.clips, audio.mean, audio.turned) == (2, -1.5, 0.5)


def test_agreement_is_over_the_clips_that_have_both() -> None:
    human = {"a": {"text": 2.0, "audio": 0.0}, "b": {"text": -2.5}, "c": {"text": 1.0}, "z": {}}
    text, audio = agreement(LABELS, human)
    assert text.clips == 3
    assert text.mae == pytest.approx((0 + 0.5 + 1) / 3)
    assert text.mae_before == pytest.approx((1 + 1.5 + 1) / 3)
    assert text.offset_corr == pytest.approx(np.corrcoef([1, -1.5, -1], [1, -1, 0])[0, 1])
    assert audio.clips == 1
    assert np.isnan(audio.corr)
    with pytest.raises(InfofuseError, match="of other clips or modalities"):
        agreement(LABELS, {"A": {"text": 1.0}})


def test_the_farthest_clips_come_first() -> None:
    assert LABELS.farthest(2) == [0, 1]  # by 2 in audio, by 1 in text


def test_read_back_from_a_run(tmp_path: Path) -> None:
    seed = tmp_path / "run" / "seed-1"
    (seed / "checkpoint").mkdir(parents=True)
    (seed / "checkpoint/config.json").write_text("{}")
    with pytest.raises(InfofuseError, match="generated no labels"):
        generated_labels(tmp_path / "run")
    table = {"id": ["a", "b"], "multimodal": [1.0, None], "text": [0.5, None]}
    (seed / "training_clips.json").write_text(json.dumps(table))
    found = generated_labels(seed)
    assert found.to_csv() == "id,multimodal,text\na,1,0.5\nb,,\n"
