"""Clips to try an exported model on, like no data set, and how far it is from the checkpoint."""

from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from infofuse.data.loader import Loader
from infofuse.data.spec import DataSpec
from infofuse.encoders import Transcript
from infofuse.encoders.cache import nothing_kept
from infofuse.export.graph import Graph, named
from infofuse.models import columns
from infofuse.types import Clips, Sample

SIZES = (1, 5, 32)
"""Of the batches that are compared."""


def probe_clips(graph: Graph, spec: DataSpec, seed: int = 0) -> Clips:
    """Clips of every subset of the modalities, in lengths from 1 step to dozens, seeded.

    Texts are random pieces of the vocabulary, some beyond the encoder's longest; features are
    random on the scale of the training set. Every other clip has as many steps in all modalities.
    """
    rng = np.random.default_rng(seed)
    names = tuple(graph.readers)
    subsets = [s for n in range(len(names), 0, -1) for s in combinations(names, n)]
    samples = []
    for i in range(4 * len(subsets)):
        steps = rng.integers(1, 40, len(names))
        if i % 2:
            steps[:] = steps[0]
        lengths = {m: int(n) for m, n in zip(names, steps, strict=True)}
        samples.append(
            _clip(str(i), {m: lengths[m] for m in subsets[i % len(subsets)]}, graph, rng)
        )
    return Clips.of(samples, spec.features, spec.outputs)


def _clip(name: str, lengths: dict[str, int], graph: Graph, rng: np.random.Generator) -> Sample:
    text, features = "", {}
    for modality, steps in lengths.items():
        reader = graph.readers[modality]
        if isinstance(reader, Transcript):
            many = reader.max_tokens if steps > 36 else 0
            text = reader.tokenizer.decode(
                rng.integers(0, len(reader.tokenizer), steps + many), skip_special_tokens=True
            )
        else:
            scale = reader.standardize
            deviation = torch.where(scale.scale > 0, 1 / scale.scale, 0).numpy()
            noise = rng.normal(size=(steps, reader.features)) * deviation
            features[modality] = (noise + scale.mean.numpy()).astype(np.float32)
    return Sample(name, features, text)


def difference(graph: Graph, spec: DataSpec, clips: Clips, folder: Path) -> float:
    """The largest of |ONNX - torch| over all outputs, clips and `SIZES`; NaN if any is NaN.

    The exported folder is read by `infofuse_runtime`, so its tokens are compared as well. torch
    reads the clips as in training, a frozen encoder's states as they would be cached.
    """
    from infofuse_runtime import Runtime

    runtime = Runtime.load(folder, threads=torch.get_num_threads())
    features = {m: list(clips.features[m]) for m in runtime.modalities if m in clips.features}
    texts = clips.texts if any(isinstance(r, Transcript) for r in graph.readers.values()) else None
    worst = [0.0]
    for size in SIZES:
        found = runtime.run(texts, features, size)
        for name, expected in _expected(graph, clips, size).items():
            worst.append(np.abs(found[name] - expected).max())
    return float(np.max(worst))


@torch.inference_mode()
def _expected(graph: Graph, clips: Clips, size: int) -> dict[str, np.ndarray]:
    """What the checkpoint's model says of the clips, by the names of the graph's outputs."""
    rows, found = [], []
    with nothing_kept():
        read = columns(graph.model, clips)
    for batch in Loader(read, clips.labels, size).ordered():
        output = graph.model(batch)
        rows.append(batch.index)
        found.append(named(output))
    back = torch.cat(rows).argsort()
    return {name: torch.cat([f[name] for f in found])[back].numpy() for name in found[0]}
