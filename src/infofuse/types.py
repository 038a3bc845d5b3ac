"""What flows through the library: a clip, many clips, a batch of them, and a model's answer.

A clip's text, audio and vision are ragged: each modality has as many steps as the clip has.
Columns of clips (`Clips`) keep them so, one after the other; only a batch is padded, to its
own longest member. A modality that a clip lacks has no steps, and is absent by mask.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

_BLOCK = 2**22  # numbers


@dataclass(frozen=True, eq=False)
class Ragged:
    """Sequences of different lengths, stored end to end.

    Sequence i is `values[offsets[i]:offsets[i + 1]]`; a sequence of no steps is an absent one.
    `values` may be a view of a memory-mapped file.
    """

    values: Shaped[np.ndarray, "steps ..."]
    offsets: Int[np.ndarray, "n_plus_1"]

    @classmethod
    def of(cls, sequences: Iterable[np.ndarray]) -> "Ragged":
        """Join sequences of shape (steps_i, ...); at least one is needed to know the width."""
        parts = list(sequences)
        return cls.laid(np.concatenate(parts), [len(p) for p in parts])

    @classmethod
    def laid(
        cls,
        values: Shaped[np.ndarray, "steps ..."],
        lengths: Sequence[SupportsIndex] | Int[np.ndarray, "n"],
    ) -> "Ragged":
        """Sequences of these lengths, which lie end to end already."""
        return cls(values, np.concatenate([[0], np.cumsum(np.fromiter(lengths, np.int64))]))

    @classmethod
    def absent(cls, n: int, width: int) -> "Ragged":
        """n sequences of no steps."""
        return cls(np.zeros((0, width), np.float32), np.zeros(n + 1, np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> Int[np.ndarray, "n"]:
        return np.diff(self.offsets)

    @property
    def width(self) -> int:
        """Features a step; 1 for a sequence of numbers such as token ids."""
        return int(np.prod(self.empty.shape[1:], dtype=int))

    @property
    def empty(self) -> np.ndarray:
        """A sequence of no steps, of the type and shape that these have."""
        return self.values[:0]

    @property
    def emptied(self) -> "Ragged":
        """As many sequences of the same kind, of no steps."""
        return Ragged(self.empty, np.zeros_like(self.offsets))

    def blocks(self) -> Iterator[np.ndarray]:
        """All steps in order, some megabytes at a time: what is mapped is never in memory whole."""
        begin, end = int(self.offsets[0]), int(self.offsets[-1])
        steps = max(1, _BLOCK // max(1, self.width))
        for i in range(begin, end, steps):
            yield self.values[i : min(i + steps, end)]

    def without(self, gone: Bool[np.ndarray, "n"]) -> "Ragged":
        """The same sequences, those marked `gone` emptied."""
        kept = np.repeat(~gone, self.lengths)
        return Ragged.laid(self.values[kept], np.where(gone, 0, self.lengths))

    @property
    def contentless(self) -> Bool[np.ndarray, "n"]:
        """Which sequences have steps, and no number in them that is finite and not 0.

        Extractors write zeros, or NaN, for what they did not find.
        """
        first = int(self.offsets[0])
        said, done = np.zeros(int(self.offsets[-1]) - first + 1, np.int64), 1
        for block in self.blocks():
            steps = np.isfinite(block) & (block != 0)
            said[done : done + len(block)] = steps.reshape(len(block), -1).any(1)
            done += len(block)
        there = np.diff(np.cumsum(said)[self.offsets - first])
        return (self.lengths > 0) & (there == 0)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Ragged":
        """The named sequences, copied, in the order given."""
        if len(rows) == 0:
            return Ragged(self.empty, np.zeros(1, np.int64))
        return Ragged.of([self[int(i)] for i in rows])


@dataclass(frozen=True, eq=False)
class Sample:
    """One clip: features (steps, width) by modality, words if known, label if known."""

    id: str
    features: Mapping[str, np.ndarray] = field(default_factory=dict)
    text: str = ""
    label: float | Sequence[float] | None = None
    group: str = ""


@dataclass(frozen=True, eq=False)
class Clips:
    """Columns of n clips.

    ids: unique within their data set. groups: what must not be split (video or speaker).
    labels: (n, k), NaN where unknown. texts: "" where a clip has none.
    features: ragged sequences by modality; a clip without a modality has no steps there.
    unimodal: labels that people gave by one modality alone, (n, k) by modality, where there are any
    (as in CH-SIMS).
    """

    ids: Sequence[str]
    labels: Float[np.ndarray, "n k"]
    features: Mapping[str, Ragged]
    texts: Sequence[str]
    groups: Sequence[str]
    unimodal: Mapping[str, Float[np.ndarray, "n k"]] = field(default_factory=dict)

    @classmethod
    def of(cls, samples: Sequence[Sample], widths: Mapping[str, int], outputs: int = 1) -> "Clips":
        """Columns from single clips; `widths` names the feature modalities and their widths."""
        nothing = {name: np.zeros((0, width), np.float32) for name, width in widths.items()}
        unknown = [float("nan")] * outputs
        labels = [unknown if s.label is None else np.atleast_1d(s.label) for s in samples]
        return cls(
            ids=[s.id for s in samples],
            labels=np.array(labels, np.float32).reshape(len(samples), outputs),
            features={
                m: Ragged.of([s.features.get(m, empty) for s in samples])
                for m, empty in nothing.items()
            },
            texts=[s.text for s in samples],
            groups=[s.group for s in samples],
        )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Clips":
        """The named clips, in the order given."""
        return Clips(
            ids=[self.ids[int(i)] for i in rows],
            labels=self.labels[np.asarray(rows, int)],
            features={m: r.take(rows) for m, r in self.features.items()},
            texts=[self.texts[int(i)] for i in rows],
            groups=[self.groups[int(i)] for i in rows],
            unimodal={m: labels[np.asarray(rows, int)] for m, labels in self.unimodal.items()},
        )


@dataclass(eq=False)
class Padded:
    """Sequences of a batch, padded at the end to the longest of them.

    A length of 0 means that the clip lacks this modality; one padding step is kept, so that
    a batch in which nobody has it still has a shape.
    """

    values: Shaped[Tensor, "batch time *width"]
    lengths: Int[Tensor, "batch"]

    @property
    def mask(self) -> Bool[Tensor, "batch time"]:
        """True at real steps."""
        steps = torch.arange(self.values.shape[1], device=self.values.device)
        return steps[None, :] < self.lengths[:, None]

    @property
    def present(self) -> Bool[Tensor, "batch"]:
        """True where the clip has this modality."""
        return self.lengths > 0

    @property
    def mean(self) -> Float[Tensor, "batch width"]:
        """The mean over the real steps, zero where there are none."""
        real = self.values.masked_fill(~self.mask[:, :, None], 0)
        return real.sum(1) / self.lengths.clamp(min=1)[:, None]

    @property
    def last(self) -> Float[Tensor, "batch width"]:
        """The vector of the last real step; the first one where there is none."""
        rows = torch.arange(self.values.shape[0], device=self.values.device)
        return self.values[rows, self.lengths.clamp(min=1) - 1]

    def to(self, device: torch.device | str) -> "Padded":
        return Padded(self.values.to(device), self.lengths.to(device))

    def without(self, absent: Bool[Tensor, "batch"]) -> "Padded":
        """The same batch with this modality taken from the clips marked `absent`."""
        return Padded(self.values, self.lengths.masked_fill(absent, 0))


@dataclass(eq=False)
class Batch:
    """Clips ready for a model.

    inputs: by modality, every modality of the model, present or not.
    labels: (batch, k). index: each clip's row in its split, by which objectives keep state.
    """

    inputs: dict[str, Padded]
    labels: Float[Tensor, "batch k"]
    index: Int[Tensor, "batch"]

    def __len__(self) -> int:
        return len(self.index)

    def to(self, device: torch.device | str) -> "Batch":
        inputs = {m: p.to(device) for m, p in self.inputs.items()}
        return Batch(inputs, self.labels.to(device), self.index.to(device))

    def only(self, modalities: Iterable[str]) -> "Batch":
        """The same clips with every other modality absent."""
        keep = set(modalities)
        everyone = torch.ones_like(self.index, dtype=torch.bool)
        inputs = {m: p if m in keep else p.without(everyone) for m, p in self.inputs.items()}
        return Batch(inputs, self.labels, self.index)


@dataclass(eq=False)
class Output:
    """What a model says of a batch.

    prediction: (batch, k) in the task's own unit (a score, or class logits).
    views: the named representations, each (batch, width): one a modality, and "fused".
    present: by modality, which clips had it; a view of an absent modality is zero.
    unimodal: predictions of single modalities, where a model makes them.
    codes: what the encoders made of each modality, where these are vectors that the model fuses
    (`infofuse.models.OfVectors`), each (batch, width).
    autocast: the precision under which the model computed all this; None for its own.
    """

    prediction: Float[Tensor, "batch k"]
    views: dict[str, Float[Tensor, "batch _"]]
    present: dict[str, Bool[Tensor, "batch"]]
    unimodal: dict[str, Float[Tensor, "batch k"]] = field(default_factory=dict)
    codes: dict[str, Float[Tensor, "batch _"]] = field(default_factory=dict)
    autocast: torch.dtype | None = None

    def __post_init__(self) -> None:
        device = self.prediction.device.type
        if self.autocast is None and torch.is_autocast_enabled(device):
            self.autocast = torch.get_autocast_dtype(device)

    def complete(self, views: Iterable[str]) -> Bool[Tensor, "batch"]:
        """True where the clip has all of these views; all have what `present` does not name."""
        everyone = torch.ones_like(self.prediction[:, 0], dtype=torch.bool)
        here = (self.present[name] for name in views if name in self.present)
        return torch.stack([everyone, *here]).all(0)


Json = dict[str, Any]

if TYPE_CHECKING:
    Size = int
else:
    Size = int | Int[Tensor, ""]
    """The size of a dimension; while a graph is traced from a model torch gives a tensor."""
