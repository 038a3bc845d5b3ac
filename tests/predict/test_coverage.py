"""Coverage of a trained model's intervals on clips that it has not seen."""

from pathlib import Path

import numpy as np

from infofuse.data.synthetic import synthesize
from infofuse.predict import Predictor
from infofuse.training import resolve, train

VALID, TEST, CONFIDENCE = 200, 600, 0.8


def test_intervals_of_every_subset_cover_what_they_promise(tmp_path: Path) -> None:
    """Within three standard errors, of both the calibration and the test clips."""
    corpus = synthesize("demo", 1, ["train=100", f"valid={VALID}", f"test={TEST}"])
    tables = {
        "paper": "lf_dnn",
        "data": "given",
        "model": {"modalities": ["audio", "vision"]},
        "train": {"epochs": 2},
    }
    train(resolve(tables), tmp_path, corpus=corpus, test=False)
    predictor, clips = Predictor.load(tmp_path, confidence=CONFIDENCE), corpus.split("test")
    error = (CONFIDENCE * (1 - CONFIDENCE) * (1 / VALID + 1 / TEST)) ** 0.5
    for only in (["audio"], ["vision"], ["audio", "vision"]):
        found = predictor(clips, only)
        low, high = np.array([p.interval[0] for p in found]).T
        truth = clips.labels[:, 0]
        covered = ((low - 1e-6 <= truth) & (truth <= high + 1e-6)).mean()
        assert abs(covered - CONFIDENCE) < 3 * error
        assert (high - low).mean() < 4.5  # of a scale of 6
