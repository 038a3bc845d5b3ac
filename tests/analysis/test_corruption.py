"""Corruptions: what each does at every rate, and that larger rates keep what smaller ones did."""

from pathlib import Path

import numpy as np
import pytest

from infofuse.analysis.corruption import CORRUPTIONS
from infofuse.encoders import LSTMEncoder, Reader, TextEncoder, Transcript, WordPieces
from infofuse.types import Clips, Ragged, Sample

LENGTHS = (40, 0, 60, 35, 80)


def features() -> tuple[Reader, Ragged]:
    rng = np.random.default_rng(0)
    column = Ragged.of([rng.normal(3.0, 2.0, (n, 6)).astype(np.float32) for n in LENGTHS])
    reader = LSTMEncoder("audio", 6, 4, 4)
    reader.standardize.fit(column)
    return reader, column


def tokens(tiny_bert: str, kind: type[Transcript] = TextEncoder) -> tuple[Reader, Ragged]:
    reader = kind(tiny_bert)
    texts = ("a fine film with a dull end", "", "no", "it was never boring and rarely good")
    return reader, reader.column(
        Clips.of([Sample(str(i), text=t) for i, t in enumerate(texts)], {})
    )


def apply(name: str, reader: Reader, column: Ragged, p: float) -> Ragged:
    return CORRUPTIONS[name](reader, column, p, np.random.default_rng(1))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_rate_zero_changes_nothing_and_nothing_changes_its_input(name: str, tiny_bert: str) -> None:
    for reader, column in (features(), tokens(tiny_bert)):
        before = column.values.copy()
        found = apply(name, reader, column, 0.0)
        np.testing.assert_allclose(found.values, before, rtol=1e-6)
        assert found.offsets.tolist() == column.offsets.tolist()
        apply(name, reader, column, 0.7)
        np.testing.assert_array_equal(column.values, before)


def test_masking_puts_the_mean_in_that_share_of_the_steps() -> None:
    reader, column = features()
    mean = reader.blank()
    hit = {p: (apply("masked", reader, column, p).values == mean).all(1) for p in (0.3, 0.6, 1.0)}
    assert hit[0.3].mean() == pytest.approx(0.3, abs=0.1)
    assert hit[1.0].all()
    assert (hit[0.6] | ~hit[0.3]).all()  # what p = .3 lost is lost at .6 as well


def test_tokens_keep_their_marks(tiny_bert: str) -> None:
    reader, column = tokens(tiny_bert)
    mask = int(reader.blank())
    assert mask == reader.tokenizer.mask_token_id  # type: ignore[attr-defined]
    for name in ("masked", "noised", "delayed"):
        found = apply(name, reader, column, 1.0)
        for i in (0, 2, 3):
            assert found[i][0] == column[i][0]
            assert found[i][-1] == column[i][-1]
    assert (apply("masked", reader, column, 1.0)[0][1:-1] == mask).all()


@pytest.mark.parametrize("name", ["masked", "noised", "delayed"])
def test_tokens_keep_their_places(name: str, tiny_bert: str) -> None:
    """A reader of pairs (token, place of its word) gets the tokens that one of tokens gets."""
    alone, pairs = tokens(tiny_bert), tokens(tiny_bert, WordPieces)
    found = apply(name, *pairs, 0.7)
    np.testing.assert_array_equal(found.values[:, 0], apply(name, *alone, 0.7).values)
    np.testing.assert_array_equal(found.values[:, 1], pairs[1].values[:, 1])


def test_absence_takes_whole_clips() -> None:
    reader, column = features()
    found = apply("absent", reader, column, 0.5)
    for i, length in enumerate(found.lengths):
        assert length in (0, LENGTHS[i])
        if length:
            np.testing.assert_array_equal(found[i], column[i])
    assert apply("absent", reader, column, 1.0).lengths.tolist() == [0] * 5


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_noise_has_its_signal_to_noise_ratio(p: float) -> None:
    rng = np.random.default_rng(2)
    column = Ragged.of([rng.normal(5.0, 3.0, (20_000, 2))])
    reader = LSTMEncoder("audio", 2, 2, 2)
    found = apply("noised", reader, column, p).values
    signal = column.values - column.values.mean(0)
    coefficient = (signal * (found - found.mean(0))).mean(0) / (signal**2).mean(0)
    residual = found - found.mean(0) - coefficient * signal
    ratio = coefficient**2 * signal.var(0) / residual.var(0)
    np.testing.assert_allclose(ratio, (1 - p) / p, rtol=0.06)
    np.testing.assert_allclose(found.var(0), column.values.var(0), rtol=0.05)


def test_delay_shifts_in_time() -> None:
    reader, column = features()
    found = apply("delayed", reader, column, 0.25)
    np.testing.assert_array_equal(found[0][10:], column[0][:30])
    assert (found[0][:10] == reader.blank()).all()
    assert (apply("delayed", reader, column, 1.0).values == reader.blank()).all()


def test_swapping_gives_every_clip_another_ones() -> None:
    rng = np.random.default_rng(0)
    column = Ragged.of([np.full((rng.integers(1, 5), 1), float(i)) for i in range(50)])
    found = apply("swapped", LSTMEncoder("audio", 1, 2, 2), column, 1.0)
    sources = [found[i][0, 0] for i in range(50)]
    assert all(source != i for i, source in enumerate(sources))
    for i, source in enumerate(sources):
        np.testing.assert_array_equal(found[i], column[int(source)])


def test_a_single_clip_has_nobody_to_swap_with(tmp_path: Path) -> None:
    column = Ragged.of([np.ones((3, 1))])
    assert apply("swapped", LSTMEncoder("audio", 1, 2, 2), column, 1.0) is column
