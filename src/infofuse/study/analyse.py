"""What the models of a system's seeds do when a modality goes wrong, and how their views depend.

Both look at validation clips, unless the study says otherwise: the test split was opened once for
each cell already.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from infofuse.analysis.robustness import robustness
from infofuse.analysis.views import Views, views_of_model
from infofuse.data.corpus import open_corpus
from infofuse.measures import CKA
from infofuse.training.checkpoint import load
from infofuse.training.protocol import find_checkpoint
from infofuse.types import Json

CORRUPTIONS = ("masked", "absent", "noised")
RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
FEWEST = 16
"""Clips; of fewer, nothing is said about how views depend."""


def analyse(data: str, runs: Sequence[Path], split: str = "valid") -> Json:
    """Robustness curves over all runs, and the mean debiased CKA of each pair of views."""
    corpus = open_corpus(data)
    clips = corpus.split(split)
    models = [load(find_checkpoint(run)) for run in runs]
    curves = robustness(models, clips, corpus.spec.task, corruptions=CORRUPTIONS, rates=RATES)
    views = [views_of_model(model, clips) for model in models]
    return {
        "runs": [run.name for run in runs],
        "split": split,
        "curves": [curve.to_json() for curve in curves],
        "dependence": _dependence(views),
    }


def _dependence(models: Sequence[Views]) -> list[Json]:
    """CKA from 0 to 1 (debiased, so it may be a little below), which needs no critic to be fitted.

    Linear kernel; Nguyen et al. 2021 (arXiv 2010.15327), eq. 3.
    """
    found = []
    for one, other in combinations(models[0].values, 2):
        values = [
            float(CKA(unbiased=True)(*(torch.from_numpy(m.values[v]) for v in (one, other))))
            for m in models
            if len(m.labels) >= FEWEST
        ]
        if values:
            found.append({"views": [one, other], "cka": float(np.mean(values))})
    return found
