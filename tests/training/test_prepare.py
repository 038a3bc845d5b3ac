"""What a model is before its first step."""

import numpy as np
import torch

from infofuse.data import Corpus, DataSpec
from infofuse.tasks import Head, Regression
from infofuse.training import resolve
from infofuse.training.prepare import prepare
from infofuse.types import Clips


def heads(spec: DataSpec, clips: Clips) -> list[torch.Tensor]:
    recipe = resolve({"paper": "tfn", "data": "given", "model": {"modalities": ["audio"]}})
    model, _ = prepare(recipe, spec, clips, seed=3)
    return [m.bias.detach() for m in model.modules() if isinstance(m, Head)]


def test_heads_start_at_the_median_of_labels_that_are_far_from_zero(small_corpus: Corpus) -> None:
    clips = small_corpus.split("train")
    (usual,) = heads(small_corpus.spec, clips)
    raised = Clips(clips.ids, clips.labels + 4, clips.features, clips.texts, clips.groups)
    (moved,) = heads(small_corpus.spec, raised)
    median = float(np.median(clips.labels)) + 4
    torch.testing.assert_close(moved, usual + median)


def test_columns_are_looked_at_one_by_one_and_unknown_labels_do_not_count() -> None:
    nan = np.nan
    labels = np.array([[1.0, -1.0, -5.0, nan], [2.0, 1.0, nan, nan], [7.0, 0.5, -3.0, nan]])
    np.testing.assert_allclose(Regression(outputs=4).start(labels), [2.0, 0.0, -4.0, 0.0])
