"""Columns of clips to batches: of like length, padded to their own longest member only."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from infofuse.errors import InfofuseError, unknown
from infofuse.types import Batch, Padded, Ragged

BUCKET = 32
"""Steps at most whose batches are cut together: enough for little padding."""

LEAST_BUCKETS = 2
"""In which an epoch is cut at least, so that a clip has other company in every epoch."""

_MOST = 2**62


def pad(column: Ragged, rows: Int[np.ndarray, "batch"], most: int | None = None) -> Padded:
    """The named sequences, zero-padded at the end to the longest of them (at least one step).

    most: of each sequence, only so many steps from its beginning.
    """
    sequences = [column[row][:most] for row in rows.tolist()]
    lengths = np.array([len(s) for s in sequences], np.int64)
    shape = (len(rows), max(1, int(lengths.max(initial=0))), *column.empty.shape[1:])
    values = np.empty(shape, column.empty.dtype)
    for place, sequence in zip(values, sequences, strict=True):
        place[: len(sequence)] = sequence
        place[len(sequence) :] = 0
    return Padded(torch.from_numpy(values), torch.from_numpy(lengths))


class Loader:
    """Batches of a split. `epoch(n)` shuffles by (seed, n) alone; `ordered()` does not shuffle.

    columns: one ragged column per modality, as the model's encoders read them. Every clip comes
    once an epoch; the last batch may be smaller. Clips are shuffled and cut into buckets of at
    most `BUCKET` steps. A bucket is halved until its parts are batches, each time by the length in
    that modality by which the halves have the least padding: a batch holds clips that are of like
    length in every modality, though people speak at different speeds.

    max_steps: by modality, the steps at a clip's beginning that are kept of it.

    rank, ranks: with several processes, each makes a loader of its own, with its number. In every
    step each has one batch of at most `batch_size` clips (or 2 where that is 1 and does not come
    out even). So that all have as many steps and every clip comes once, the clips are spread
    evenly: the sizes of all batches differ by one clip at most.

    Raises InfofuseError for fewer clips than processes, and for steps of an unknown modality.
    """

    def __init__(
        self,
        columns: Mapping[str, Ragged],
        labels: Float[np.ndarray, "n k"],
        batch_size: int,
        seed: int = 0,
        *,
        max_steps: Mapping[str, int] | None = None,
        rank: int = 0,
        ranks: int = 1,
    ):
        self.columns, self.labels = dict(columns), labels
        self.batch_size, self.seed = batch_size, seed
        self.max_steps, self.rank, self.ranks = dict(max_steps or {}), rank, ranks
        self._check()
        self.lengths = self._lengths()
        self.widths = np.array([column.width for column in self.columns.values()])
        self.edges = self._edges()

    def _check(self) -> None:
        for name in self.max_steps:
            if name not in self.columns:
                raise unknown("modality", name, self.columns)
        if self.ranks > 1 and len(self.labels) < self.ranks:
            raise InfofuseError(
                f"{len(self.labels)} clips cannot be shared among {self.ranks} processes; use fewer"
            )

    def __len__(self) -> int:
        """Steps of an epoch, the same for every process."""
        return (len(self.edges) - 1) // self.ranks

    def _edges(self) -> Int[np.ndarray, "_"]:
        """Where batches begin and end in an epoch's order."""
        n = len(self.labels)
        if self.ranks == 1:
            return np.append(np.arange(0, n, self.batch_size), n)
        steps = min(-(-n // (self.batch_size * self.ranks)), n // self.ranks)
        batches = steps * self.ranks
        return np.arange(batches + 1) * n // batches

    def _lengths(self) -> Int[np.ndarray, "n modalities"]:
        """Steps that are read of each clip."""
        whole = np.zeros((len(self.labels), len(self.columns)), np.int64)
        for i, (name, column) in enumerate(self.columns.items()):
            whole[:, i] = np.minimum(column.lengths, self.max_steps.get(name, _MOST))
        return whole

    def epoch(self, number: int, done: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, in an order of its own.

        done: steps of it that were taken before; their clips are not read again.
        """
        rng = np.random.default_rng([self.seed, number])
        batches = self._batches(rng.permutation(len(self.labels)))
        for step in rng.permutation(len(self))[done:]:
            yield self.batch(batches[int(step) * self.ranks + self.rank])

    def ordered(self) -> Iterator[Batch]:
        """Every clip once, in batches of like length: for prediction, by `Batch.index`."""
        n = len(self.labels)
        edges = np.append(np.arange(0, n, self.batch_size), n)
        for rows in self._cut(np.arange(n), edges):
            yield self.batch(rows)

    def _batches(self, order: Int[np.ndarray, "n"]) -> list[Int[np.ndarray, "_"]]:
        """The rows of every batch, a step's batches side by side."""
        batches = []
        span = max(1, min(BUCKET, len(self) // LEAST_BUCKETS)) * self.ranks
        for i in range(0, len(self.edges) - 1, span):
            edges = self.edges[i : i + span + 1]
            batches += self._cut(order[edges[0] : edges[-1]], edges)
        return batches

    def _cut(
        self, rows: Int[np.ndarray, "m"], edges: Int[np.ndarray, "_"]
    ) -> list[Int[np.ndarray, "_"]]:
        """A bucket cut where the edges say, into parts of like length."""
        count = len(edges) - 1
        if count < 2:
            return [rows] * count
        middle = count // 2 // self.ranks * self.ranks or count // 2
        half = int(edges[middle] - edges[0])
        orders = [rows[np.argsort(column, kind="stable")] for column in self.lengths[rows].T]
        best = min(orders, key=lambda o: self._cost(o[:half]) + self._cost(o[half:]), default=rows)
        return self._cut(best[:half], edges[: middle + 1]) + self._cut(best[half:], edges[middle:])

    def _cost(self, rows: Int[np.ndarray, "m"]) -> float:
        """Numbers of these clips if they are padded together."""
        return len(rows) * float(self.lengths[rows].max(0) @ self.widths)

    def batch(self, rows: Int[np.ndarray, "batch"]) -> Batch:
        """The named clips as a batch."""
        inputs = {m: pad(c, rows, self.max_steps.get(m)) for m, c in self.columns.items()}
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
