"""Frames: the clips' own features, on the training set's scale."""

import numpy as np
import pytest
import torch

from infofuse.data.loader import pad
from infofuse.encoders import Frames
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Sample


def clips(width: int = 3) -> Clips:
    rng = np.random.default_rng(0)
    draws = [rng.normal(5, 4, (n, width)).astype(np.float32) for n in (40, 0, 70)]
    return Clips.of([Sample(str(i), {"audio": x}) for i, x in enumerate(draws)], {"audio": width})


def test_frames_are_standardised_by_the_training_steps() -> None:
    frames = Frames("audio", 3)
    frames.fit(clips())
    x = frames(pad(frames.column(clips()), np.arange(3)))
    assert frames.width == 3
    assert x.lengths.tolist() == [40, 0, 70]
    real = x.values[x.mask]
    torch.testing.assert_close(real.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(real.std(0, correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_a_modality_that_clips_lack_is_absent_and_other_widths_are_refused() -> None:
    assert Frames("vision", 4).column(clips()).lengths.tolist() == [0, 0, 0]
    with pytest.raises(InfofuseError, match="audio has 3 features a step here"):
        Frames("audio", 4).column(clips())
