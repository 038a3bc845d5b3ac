"""Batches: every clip once, deterministic, of like length, padded to their own longest."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infofuse.data.loader import Loader, drop_modalities, pad
from infofuse.errors import InfofuseError
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


def test_one_modality_is_sorted_by_length() -> None:
    """A shuffled order, cut into buckets, sorted, cut into batches, shuffled."""
    batches = loader(n=1000, batch=24, seed=3)
    lengths = batches.columns["audio"].lengths
    rng = np.random.default_rng([3, 7])
    order, expected = rng.permutation(1000), []
    for i in range(0, 1000, 24 * 21):  # of 42 batches, half
        bucket = order[i : i + 24 * 21]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        expected += [bucket[j : j + 24].tolist() for j in range(0, len(bucket), 24)]
    expected = [expected[i] for i in rng.permutation(len(expected))]
    assert [b.index.tolist() for b in batches.epoch(7)] == expected


def test_several_modalities_that_go_their_own_ways_are_little_padded() -> None:
    """Durations of .6 and words a second of .32 (sd of the logarithm): as people speak."""
    rng = np.random.default_rng(0)
    seconds = np.clip(rng.lognormal(1.8, 0.6, 4200), 1, 25)
    steps = {"text": 2.7 * seconds * rng.lognormal(0, 0.32, 4200) + 2, "audio": 20 * seconds}
    lengths = {
        "text": np.minimum(steps["text"], 50).astype(int),
        "audio": steps["audio"].astype(int),
    }
    columns = {
        name: Ragged(np.zeros((int(n.sum()), width), np.float32), np.cumsum([0, *n]))
        for (name, n), width in zip(lengths.items(), (9, 1), strict=True)
    }
    batches = list(Loader(columns, np.zeros((4200, 1), np.float32), 32).epoch(1))
    for name, most in (("text", 0.15), ("audio", 0.2)):
        masks = [batch.inputs[name].mask for batch in batches]
        real, whole = sum(int(m.sum()) for m in masks), sum(m.numel() for m in masks)
        by_duration = np.argsort(lengths["audio"])
        cut = [lengths[name][by_duration[i : i + 32]] for i in range(0, 4200, 32)]
        sorted_by_one = 1 - lengths[name].sum() / sum(len(c) * c.max() for c in cut)
        assert 1 - real / whole < most
        if name == "text":
            assert 1 - real / whole < 0.6 * sorted_by_one


class Watched(Ragged):
    """Notes which sequences are read."""

    def __getitem__(self, i: int) -> np.ndarray:
        vars(self).setdefault("read", []).append(i)
        return super().__getitem__(i)


def test_an_epoch_goes_on_where_it_was_and_reads_nothing_before() -> None:
    whole = list(loader(n=300, batch=16).epoch(2))
    for done in (0, 1, 7, len(whole)):
        again = loader(n=300, batch=16)
        plain = again.columns["audio"]
        watched = Watched(plain.values, plain.offsets)
        again.columns["audio"] = watched
        rest = list(again.epoch(2, done))
        assert len(rest) == len(whole) - done
        for a, b in zip(rest, whole[done:], strict=True):
            assert torch.equal(a.index, b.index)
            assert torch.equal(a.inputs["audio"].values, b.inputs["audio"].values)
        indices = [b.index for b in whole[done:]]
        expected = torch.cat(indices).tolist() if indices else []
        assert vars(watched).get("read", []) == expected


@settings(max_examples=100, deadline=None)
@given(
    n=st.integers(1, 400), batch=st.integers(1, 40), ranks=st.integers(1, 9), seed=st.integers(0, 9)
)
def test_processes_share_an_epoch_evenly(n: int, batch: int, ranks: int, seed: int) -> None:
    """Every clip once; as many steps on each; sizes within one of each other, and of the limit."""
    column = Ragged(np.zeros((0, 1), np.float32), np.zeros(n + 1, np.int64))
    labels = np.zeros((n, 1), np.float32)

    def share(rank: int) -> Loader:
        return Loader({"audio": column}, labels, batch, seed, rank=rank, ranks=ranks)

    if n < ranks:
        with pytest.raises(InfofuseError, match="cannot be shared among"):
            share(0)
        return
    shares = [[b.index.tolist() for b in share(rank).epoch(4)] for rank in range(ranks)]
    assert sorted(i for each in shares for rows in each for i in rows) == list(range(n))
    assert {len(each) for each in shares} == {len(share(0))}
    sizes = [len(rows) for each in shares for rows in each]
    assert min(sizes) >= 1
    assert max(sizes) <= (batch if ranks == 1 else max(2, batch))
    if ranks > 1:
        assert max(sizes) - min(sizes) <= 1
        # As few steps as the batch size allows, unless some process would go without.
        fewest = -(-n // (batch * ranks))
        assert len(share(0)) == fewest or (len(share(0)) + 1) * ranks > n


def test_the_batches_of_a_step_are_of_like_length() -> None:
    """Processes wait for each other, so that the longest batch of a step is what it costs."""

    def longest(ranks: int) -> list[list[int]]:
        base = loader()
        shares = [
            Loader(base.columns, base.labels, 8, rank=rank, ranks=ranks).epoch(1)
            for rank in range(ranks)
        ]
        steps = zip(*shares, strict=True)
        return [[int(b.inputs["audio"].lengths.max()) for b in step] for step in steps]

    steps = np.array(longest(4))
    assert np.median(steps.max(1) / steps.mean(1)) < 1.15


def test_max_steps_keeps_the_beginning() -> None:
    whole = loader(n=60, batch=16)
    cut = Loader(whole.columns, whole.labels, 16, max_steps={"audio": 9})
    assert cut.lengths.max() == 9
    for batch in cut.epoch(1):
        audio, rows = batch.inputs["audio"], batch.index.numpy()
        full = pad(whole.columns["audio"], rows)
        assert torch.equal(audio.lengths, full.lengths.clamp(max=9))
        assert torch.equal(audio.values, full.values[:, :9])
    with pytest.raises(InfofuseError, match="unknown modality 'audoi'; did you mean 'audio'"):
        Loader(whole.columns, whole.labels, 16, max_steps={"audoi": 9})


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
