"""Batches: every clip once, deterministic, of like length, padded to their own longest."""

import numpy as np
import pytest
import torch

from infofuse.data.loader import Loader, drop_modalities, pad
from infofuse.types import Batch, Padded, Ragged


def loader(n: int = 1000, batch: int = 32, seed: int = 0) -> Loader:
    rng = np.random.default_rng(1)
    lengths = np.clip(rng.lognormal(2.5, 0.7, n), 0, 200).astype(int)
    column = Ragged.of([np.full((length, 2), i, np.float32) for i, length in enumerate(lengths)])
    return Loader({"audio": column}, rng.normal(size=(n, 1)).astype(np.float32), batch, seed)


def test_every_clip_comes_once() -> None:
    batches = loader(n=101, batch=16)
    for of in (batches.epoch(1), batches.ordered()):
        seen = torch.cat([b.index for b in of])
        assert sorted(seen.tolist()) == list(range(101))
    assert len(batches) == 7 == len(list(batches.epoch(1)))


def test_values_labels_and_lengths_belong_to_the_clip() -> None:
    batches = loader()
    for batch in batches.epoch(3):
        audio = batch.inputs["audio"]
        np.testing.assert_array_equal(batch.labels, batches.labels[batch.index])
        np.testing.assert_array_equal(audio.lengths, batches.columns["audio"].lengths[batch.index])
        expected = batch.index[:, None, None] * audio.mask[:, :, None]
        assert torch.equal(audio.values, expected.expand_as(audio.values).float())
        assert audio.values.shape[1] == max(1, int(audio.lengths.max()))


def test_an_epoch_is_a_function_of_seed_and_number() -> None:
    def order(seed: int, number: int) -> list[int]:
        return torch.cat([b.index for b in loader(seed=seed).epoch(number)]).tolist()

    assert order(1, 5) == order(1, 5)
    assert order(1, 5) != order(1, 6)
    assert order(1, 5) != order(2, 5)


def padded_share(batches: Loader) -> float:
    real = total = 0
    for batch in batches.epoch(1):
        mask = batch.inputs["audio"].mask
        real, total = real + int(mask.sum()), total + mask.numel()
    return 1 - real / total


def test_little_of_a_batch_is_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    bucketed = padded_share(loader())
    monkeypatch.setattr("infofuse.data.loader.BUCKET", 1)
    assert bucketed < 0.5 * padded_share(loader())


def test_lengths_in_a_batch_still_vary() -> None:
    """Buckets are of a random part of the data, so no batch is of one length in every epoch."""
    batches = loader()
    partners = [{frozenset(b.index.tolist()) for b in batches.epoch(number)} for number in (1, 2)]
    assert not partners[0] & partners[1]


def test_an_absent_modality_keeps_a_shape() -> None:
    column = Ragged.absent(3, 5)
    padded = pad(column, np.arange(3))
    assert padded.values.shape == (3, 1, 5)
    assert not padded.present.any()
    assert not padded.mask.any()


def test_modality_dropout_never_takes_the_last_one() -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([3] * 300 + [0] * 100)
    text, audio = (Padded(torch.ones(400, 3, 2), n) for n in (torch.full((400,), 3), lengths))
    batch = Batch({"text": text, "audio": audio}, torch.zeros(400, 1), torch.arange(400))
    assert drop_modalities(batch, 0.0) is batch
    left = torch.stack([p.present for p in drop_modalities(batch, 0.5).inputs.values()])
    assert left.any(0).all()
    assert left[0, 300:].all()
    # Of four equal outcomes for two modalities, the one that leaves none is not carried out.
    share = left[:, :300].float().mean(1)
    torch.testing.assert_close(share, torch.full((2,), 0.75), atol=0.08, rtol=0)
    assert batch.inputs["audio"].present[:300].all()
