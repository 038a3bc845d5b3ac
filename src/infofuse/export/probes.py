"""Clips to try an exported model on, like no data set, and how far it is from the checkpoint."""

from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from infofuse.data.loader import Loader
from infofuse.data.spec import DataSpec
from infofuse.encoders import Transcript
from infofuse.encoders.cache import nothing_kept
from infofuse.encoders.frames import FeatureReader
from infofuse.export.graph import Graph, named
from infofuse.models import columns
from infofuse.training.predict import in_order
from infofuse.types import Clips, Sample

SIZES = (1, 5, 32)
"""Of the batches that are compared."""


def probe_clips(graph: Graph, spec: DataSpec, seed: int = 0) -> Clips:
    """Clips of every subset of the modalities, in lengths from 1 step to dozens, seeded.

    Texts are random pieces of the vocabulary, the first beyond the longest that is read; features
    are random on the scale of the training set. Every other clip has as many steps in all
    modalities, as aligned ones do.
    """
    rng, readers = np.random.default_rng(seed), graph.readers
    subsets = [s for n in range(len(readers), 0, -1) for s in combinations(readers, n)]
    samples = []
    for i in range(4 * len(subsets)):
        steps = rng.integers(1, 40, 1 if i % 2 else len(readers))
        lengths = dict(zip(readers, np.broadcast_to(steps, len(readers)).tolist(), strict=True))
        text, features = "", {}
        for modality in subsets[i % len(subsets)]:
            reader = readers[modality]
            if isinstance(reader, FeatureReader):
                features[modality] = _frames(reader, lengths[modality], rng)
            else:
                text = _words(reader, lengths[modality] + (0 if i else reader.max_tokens), rng)
        samples.append(Sample(str(i), features, text))
    return Clips.of(samples, spec.features, spec.outputs)


def _words(reader: Transcript, tokens: int, rng: np.random.Generator) -> str:
    ids = rng.integers(0, len(reader.tokenizer), tokens)
    return reader.tokenizer.decode(ids, skip_special_tokens=True)


def _frames(reader: FeatureReader, steps: int, rng: np.random.Generator) -> np.ndarray:
    mean, scale = reader.standardize.mean.numpy(), reader.standardize.scale.numpy()
    deviation = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    noise = rng.normal(size=(steps, reader.features))
    return (mean + deviation * noise).astype(np.float32)


def difference(graph: Graph, clips: Clips, folder: Path) -> float:
    """The largest of |ONNX - torch| over all outputs, clips and `SIZES`; NaN if any is NaN.

    The exported folder is read by `infofuse_runtime`, so its tokens are compared as well. torch
    reads the clips as in training, a frozen encoder's states as they would be cached.
    """
    from infofuse_runtime import Runtime

    runtime = Runtime.load(folder, threads=torch.get_num_threads())
    texts, features = None, {}
    for name, reader in graph.readers.items():
        if isinstance(reader, FeatureReader):
            features[name] = [clips.features[name][i] for i in range(len(clips))]
        else:
            texts = list(clips.texts)
    with nothing_kept():
        read = columns(graph.model, clips)
    worst = [0.0]
    for size in SIZES:
        found = runtime.run(texts, features, size)
        expected = in_order(graph.model, Loader(read, clips.labels, size), named)
        worst += [float(np.abs(found[name] - x).max()) for name, x in expected.items()]
    return float(np.max(worst))
