"""How far off a checkpoint is on validation clips, kept in its folder as calibration.json."""

from pathlib import Path

import numpy as np

from infofuse.conformal import Calibration
from infofuse.errors import InfofuseError
from infofuse.files import read_json, write_json
from infofuse.models import columns
from infofuse.training.checkpoint import CALIBRATION as FILE
from infofuse.training.checkpoint import load, read_config, spec_of
from infofuse.training.predict import predict_subsets
from infofuse.training.seal import check_seal, seal_also
from infofuse.types import Clips


def calibrate(folder: Path, clips: Clips) -> Calibration:
    """Predict the clips from every subset of the modalities, and keep the nonconformities.

    folder: a checkpoint. clips: those of the validation split, with labels.
    """
    model, task = load(folder), spec_of(read_config(folder)).task
    read = columns(model, clips)
    scores = {}
    for subset, prediction in predict_subsets(model, read).items():
        if subset:
            whole = np.all([read[m].lengths > 0 for m in subset], axis=0)
            off = task.nonconformity(task.readable(prediction), clips.labels)[whole]
            scores[subset] = tuple(np.sort(column[~np.isnan(column)]) for column in off.T)
    calibration = Calibration(scores)
    write_json(folder / FILE, calibration.to_json())
    seal_also(folder, FILE)
    return calibration


def read_calibration(folder: Path) -> Calibration | None:
    """What `calibrate` kept in a checkpoint folder; None in one from before there was any.

    Raises InfofuseError if it is damaged, or of another checkpoint.
    """
    check_seal(folder, read_config(folder), [FILE])
    if not (folder / FILE).is_file():
        return None
    try:
        return Calibration.from_json(read_json(folder / FILE))
    except InfofuseError as error:
        raise InfofuseError(f"{folder / FILE}: {error}") from None
