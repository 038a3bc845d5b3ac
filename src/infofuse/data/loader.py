"""Columns of clips to batches: of like length, padded to their own longest member only."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from infofuse.types import Batch, Padded, Ragged

BUCKET = 16
"""Batches that are sorted by length together: enough for little padding, and still shuffled."""


def pad(column: Ragged, rows: Int[np.ndarray, "batch"]) -> Padded:
    """The named sequences, zero-padded at the end to the longest of them (at least one step)."""
    lengths = column.lengths[rows]
    shape = (len(rows), max(1, int(lengths.max(initial=0))), *column.values.shape[1:])
    values = np.zeros(shape, column.values.dtype)
    for i, row in enumerate(rows):
        values[i, : lengths[i]] = column[int(row)]
    return Padded(torch.from_numpy(values), torch.from_numpy(lengths.astype(np.int64)))


class Loader:
    """Batches of a split. `epoch(n)` shuffles by (seed, n) alone; `ordered()` goes by length.

    columns: one ragged column a modality, as the model's encoders read them. Every clip comes
    once an epoch; the last batch may be smaller. Batches are drawn from shuffled buckets of
    `BUCKET` batches, sorted by length within, so that a batch holds clips of like length.
    """

    def __init__(
        self,
        columns: Mapping[str, Ragged],
        labels: Float[np.ndarray, "n k"],
        batch_size: int,
        seed: int = 0,
    ):
        self.columns, self.labels = dict(columns), labels
        self.batch_size, self.seed = batch_size, seed
        self.length = self._relative_length()

    def __len__(self) -> int:
        return -(-len(self.labels) // self.batch_size)

    def _relative_length(self) -> Float[np.ndarray, "n"]:
        """Steps of a clip over the mean, summed over modalities: what its place costs."""
        total = np.zeros(len(self.labels))
        for column in self.columns.values():
            total += column.lengths / max(column.lengths.mean(), 1e-9)
        return total

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, in an order of its own."""
        rng = np.random.default_rng([self.seed, number])
        order = rng.permutation(len(self.labels))
        span = self.batch_size * BUCKET
        buckets = [order[i : i + span] for i in range(0, len(order), span)]
        batches = [b for bucket in buckets for b in self._by_length(bucket)]
        for i in rng.permutation(len(batches)):
            yield self.batch(batches[i])

    def ordered(self) -> Iterator[Batch]:
        """Every clip once, shortest first: for prediction, by `Batch.index`."""
        for rows in self._by_length(np.arange(len(self.labels))):
            yield self.batch(rows)

    def _by_length(self, rows: Int[np.ndarray, "m"]) -> list[Int[np.ndarray, "_"]]:
        rows = rows[np.argsort(self.length[rows], kind="stable")]
        return [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]

    def batch(self, rows: Int[np.ndarray, "batch"]) -> Batch:
        """The named clips as a batch."""
        inputs = {name: pad(column, rows) for name, column in self.columns.items()}
        labels: Tensor = torch.from_numpy(self.labels[rows])
        return Batch(inputs, labels, torch.from_numpy(rows.astype(np.int64)))


def drop_modalities(batch: Batch, rate: float) -> Batch:
    """Take each modality from each clip with this chance, but never all that a clip has."""
    if rate == 0:
        return batch
    names = list(batch.inputs)
    present = torch.stack([batch.inputs[m].present for m in names])
    gone = present & (torch.rand(present.shape) < rate).to(present.device)
    gone &= (present & ~gone).any(0)
    inputs = {m: batch.inputs[m].without(gone[i]) for i, m in enumerate(names)}
    return Batch(inputs, batch.labels, batch.index)
