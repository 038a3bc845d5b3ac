"""Writing a store: clips in, shards out, a shard in memory at a time."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from infofuse.data.corpus import NO_CLIPS, SPLITS, check, digest
from infofuse.data.spec import DataSpec
from infofuse.data.store.arrow import write_clips
from infofuse.data.store.manifest import MANIFEST, Manifest, Shard, Split
from infofuse.files import sha256, write_json
from infofuse.types import Clips, Ragged

SHARD = 2**27
"""Bytes of clips in a shard: enough for few files, few enough to be held in memory or sent."""


class Writer:
    """Takes clips for the splits of a store. Made by `create_store` and `append_store`."""

    def __init__(self, folder: Path, manifest: Manifest, shard_bytes: int):
        self.folder, self.spec, self.shard_bytes = folder, manifest.spec, shard_bytes
        self.notes, self.splits = manifest.notes, dict(manifest.splits)
        self.waiting: dict[str, list[Clips]] = {}
        self.size: dict[str, int] = {}

    def add(self, split: str, clips: Clips) -> None:
        """Put clips at the end of a split, "train", "valid" or "test". They are copied or written.

        A clip whose steps of a modality are all zero or NaN is written as one that lacks it.

        Raises ValueError if they have not the columns of the store's spec.
        """
        check(split, clips, self.spec)
        self.splits.setdefault(split, Split())
        self.waiting.setdefault(split, [])
        begin, sizes = 0, _sizes(clips)
        while begin < len(clips):
            total = self.size.get(split, 0) + np.cumsum(sizes[begin:])
            end = begin + 1 + int(np.searchsorted(total, self.shard_bytes))
            part = clips.take(range(begin, min(end, len(clips))))
            features = {m: r.without(r.contentless) for m, r in part.features.items()}
            self.waiting[split].append(replace(part, features=features))
            self.size[split] = int(total[min(end, len(clips)) - begin - 1])
            if end <= len(clips):
                self._flush(split)
            begin = end

    def finish(self) -> None:
        """Write what waits, and then the manifest: from now on the clips are in the store."""
        for split in self.waiting:
            if self.waiting[split] or not self.splits[split].shards:
                self._flush(split)
        splits = {name: self.splits[name] for name in SPLITS if name in self.splits}
        write_json(self.folder / MANIFEST, Manifest(self.spec, self.notes, splits).to_json())

    def _flush(self, split: str) -> None:
        """Write the waiting clips as the next shard of their split."""
        clips = joined(self.waiting[split], self.spec)
        before = self.splits[split]
        shard = self._write(f"{split}-{len(before.shards):05d}", clips)
        self.splits[split] = Split(
            (*before.shards, shard), digest(clips, before.digest or NO_CLIPS)
        )
        self.waiting[split], self.size[split] = [], 0

    def _write(self, name: str, clips: Clips) -> Shard:
        new = self.folder / f".{name}.new"
        write_clips(new, clips, self.spec)
        checksum, size = sha256(new), new.stat().st_size
        file = f"{name}-{checksum[:12]}.arrow"
        os.replace(new, self.folder / file)
        return Shard(file, len(clips), size, checksum)


def _sizes(clips: Clips) -> Int[np.ndarray, "n"]:
    """About how many bytes each clip takes."""
    words = [len(a) + len(b) for a, b in zip(clips.ids, clips.texts, strict=True)]
    steps = sum(4 * ragged.width * ragged.lengths for ragged in clips.features.values())
    return np.array(words, np.int64) + steps + 64


def joined(parts: list[Clips], spec: DataSpec) -> Clips:
    """Clips one after the other, copied unless they are one."""
    if len(parts) == 1:
        return parts[0]
    nothing = np.zeros((0, spec.outputs), np.float32)
    features = {
        name: _end_to_end([part.features[name] for part in parts], width)
        for name, width in spec.features.items()
    }
    columns: dict[str, Any] = {
        column: [item for part in parts for item in getattr(part, column)]
        for column in ("ids", "texts", "groups")
    }
    labels = np.concatenate([nothing, *(part.labels for part in parts)])
    unimodal = {
        name: np.concatenate([nothing, *(part.unimodal[name] for part in parts)])
        for name in spec.unimodal
    }
    return Clips(labels=labels, features=features, unimodal=unimodal, **columns)


def _end_to_end(parts: list[Ragged], width: int) -> Ragged:
    nothing = np.zeros((0, width), np.float32)
    values = np.concatenate([nothing, *(block for part in parts for block in part.blocks())])
    return Ragged.laid(values, [steps for part in parts for steps in part.lengths])
