"""The LSTM encoder: indifferent to padding, equal to plain torch, on the training set's scale."""

import numpy as np
import pytest
import torch

from infofuse.data.loader import pad
from infofuse.encoders import LSTMEncoder
from infofuse.encoders.recurrent import run
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Padded, Ragged, Sample


def clips(lengths: tuple[int, ...] = (4, 9, 1), width: int = 5) -> Clips:
    rng = np.random.default_rng(0)
    draw = {"audio": width}
    return Clips.of(
        [
            Sample(str(i), {"audio": rng.normal(3, 7, (n, width)).astype(np.float32)})
            for i, n in enumerate(lengths)
        ],
        draw,
    )


@pytest.mark.parametrize("bidirectional", [False, True])
def test_equals_plain_torch_clip_by_clip(bidirectional: bool) -> None:
    encoder = LSTMEncoder("audio", 5, 8, 6, bidirectional=bidirectional).eval()
    column = encoder.column(clips())
    together = encoder(pad(column, np.arange(3)))
    for i in range(3):
        x = torch.from_numpy(column[i].copy()).clamp(-10, 10)[None]
        _, (state, _) = encoder.lstm(x)
        alone = encoder.project(torch.cat(list(state), dim=1))[0]
        torch.testing.assert_close(together[i], alone, atol=1e-5, rtol=1e-5)


def test_padding_changes_nothing() -> None:
    encoder = LSTMEncoder("audio", 5, 8, 6).eval()
    x = pad(encoder.column(clips()), np.arange(3))
    longer = torch.cat([x.values, torch.full((3, 20, 5), 99.0)], dim=1)
    torch.testing.assert_close(encoder(x), encoder(Padded(longer, x.lengths)))


def test_features_are_brought_to_the_training_sets_scale() -> None:
    data = clips((400, 300))
    encoder = LSTMEncoder("audio", 5, 8, 6)
    encoder.fit(data)
    scaled = encoder.standardize(torch.from_numpy(data.features["audio"].values)[None])[0]
    torch.testing.assert_close(scaled.mean(0), torch.zeros(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0), torch.ones(5), atol=1e-2, rtol=0)
    assert "standardize.mean" in encoder.state_dict()


def test_a_constant_feature_becomes_zero() -> None:
    encoder = LSTMEncoder("audio", 2, 4, 3)
    values = np.stack([np.full(9, 5.0), np.arange(9.0)], axis=1).astype(np.float32)
    encoder.standardize.fit(Ragged.of([values]))
    assert not encoder.standardize(torch.from_numpy(values)[None])[..., 0].any()


def test_other_features_are_refused() -> None:
    encoder = LSTMEncoder("audio", 7, 8, 6)
    with pytest.raises(
        InfofuseError, match="5 features a step here, and the model was built for 7"
    ):
        encoder.column(clips())
    assert len(LSTMEncoder("vision", 7, 8, 6).column(clips())) == 3


@pytest.mark.parametrize("bidirectional", [False, True])
def test_without_avx512_an_lstm_leaves_autocast(
    bidirectional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    lstm = torch.nn.LSTM(3, 4, bidirectional=bidirectional, batch_first=True)
    x = Padded(torch.randn(2, 5, 3).bfloat16(), torch.tensor([5, 3]))
    with torch.autocast("cpu", torch.bfloat16):
        found = run(lstm, x).values
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, run(lstm, Padded(x.values.float(), x.lengths)).values)
