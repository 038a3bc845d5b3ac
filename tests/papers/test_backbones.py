"""What every paper must do: each test runs for every module of `infofuse.papers`."""

import dataclasses
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import batch_of, build, tiny
from torch import Tensor, nn

from infofuse import papers
from infofuse.data import Corpus, DataSpec
from infofuse.data.loader import Loader
from infofuse.errors import InfofuseError
from infofuse.models import columns, encoders
from infofuse.objectives import Objective
from infofuse.objectives.objective import start_epoch
from infofuse.papers import self_mm
from infofuse.training import checkpoint
from infofuse.training.recipe import Recipe
from infofuse.types import Batch, Clips, Sample

MODALITIES = ("text", "audio", "vision")
SUBSETS = [s for n in (1, 2, 3) for s in combinations(MODALITIES, n)]

SLOWER = {"misa": (1e-3, {"width": 32, "inner": 64})}
"""Learning rates of papers whose own terms are least where all clips look the same, and which at
1e-2 get there before the task has told the clips apart; and widths with which they learn so."""

every_paper = pytest.mark.parametrize("paper", papers.names())


def loss_of(model: nn.Module, objective: Objective, batch: Batch) -> Tensor:
    terms = objective(model(batch), batch)
    return torch.stack([term.loss for term in terms.values()]).sum()


def begin(objective: Objective, clips: Clips) -> None:
    """As training begins: with room for the clips, and the first epoch."""
    objective.begin(clips)
    start_epoch(objective)


@every_paper
def test_says_what_it_is(paper: str) -> None:
    module = papers.get(paper)
    assert isinstance(module, papers.paper.PaperModule)
    assert module.PAPER.title
    assert module.PAPER.summary
    assert paper in module.PAPER.bibtex(paper)
    assert dataclasses.is_dataclass(module.Config)
    assert module.Config.__dataclass_params__.frozen


@every_paper
def test_views_are_one_a_modality_and_fused(paper: str, corpus: Corpus, text: str) -> None:
    model, _ = build(paper, corpus.spec, text)
    batch = batch_of(model, corpus, size=5)
    output = model.eval()(batch)
    assert tuple(encoders(model)) == MODALITIES
    assert set(MODALITIES) | {"fused"} <= set(output.views)
    assert all(view.shape[0] == 5 and view.isfinite().all() for view in output.views.values())
    assert set(MODALITIES) <= set(output.present) < set(output.views)
    assert output.prediction.shape == (5, 1)


@every_paper
def test_gradient_reaches_every_parameter(paper: str, corpus: Corpus, text: str) -> None:
    model, objective = build(paper, corpus.spec, text)
    begin(objective, corpus.split("train"))
    batch = batch_of(model, corpus, size=16)
    loss_of(model, objective, batch).backward()
    for apart in ("epoch", "inner"):
        learning = objective.learning_loss(model(batch), batch, apart)
        if learning is not None:
            learning.backward()
    modules = {"model": model, "objective": objective}
    left = [
        f"{part}.{name}"
        for part, module in modules.items()
        for name, p in module.named_parameters()
        if p.requires_grad and p.grad is None
    ]
    assert left == []


@every_paper
def test_overfits_sixteen_clips(paper: str, corpus: Corpus) -> None:
    """On a batch it sees again and again, a small model's error falls to a fraction."""
    rate, choices = SLOWER.get(paper, (1e-2, {}))
    model, objective = build(paper, corpus.spec, "features", **choices)
    begin(objective, corpus.split("train"))
    batch = batch_of(model, corpus, size=16)
    optimizer = torch.optim.Adam([*model.parameters(), *objective.parameters()], lr=rate)
    errors = []
    for _ in range(120):
        output = model(batch)
        terms = objective(output, batch)
        optimizer.zero_grad()
        torch.stack([term.loss for term in terms.values()]).sum().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        errors.append((output.prediction - batch.labels).abs().mean().item())
    assert min(errors) < 0.25 * errors[0]


@every_paper
def test_a_clip_alone_equals_the_clip_in_a_longer_batch(
    paper: str, corpus: Corpus, text: str
) -> None:
    model, _ = build(paper, corpus.spec, text)
    together = batch_of(model, corpus, "test")
    model.eval()
    clips = corpus.split("test")
    loader = Loader(columns(model, clips), clips.labels, 16)
    with torch.no_grad():
        expected = model(together)
        for i in (0, 1, 2, 3, 7):
            alone = model(loader.batch(np.array([i])))
            torch.testing.assert_close(
                alone.prediction[0], expected.prediction[i], atol=1e-5, rtol=1e-5
            )
            for found, among in (
                (alone.views, expected.views),
                (alone.unimodal, expected.unimodal),
            ):
                for name, rows in found.items():
                    torch.testing.assert_close(rows[0], among[name][i], atol=1e-5, rtol=1e-5)


@every_paper
@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_built_on_any_subset(paper: str, corpus: Corpus, subset: tuple[str, ...]) -> None:
    model, objective = build(paper, corpus.spec, "features", modalities=subset)
    begin(objective, corpus.split("train"))
    batch = batch_of(model, corpus, size=16)
    assert tuple(encoders(model)) == subset
    loss = loss_of(model, objective, batch)
    loss.backward()
    assert loss.isfinite()


@every_paper
@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_absent_equals_masked(paper: str, corpus: Corpus, subset: tuple[str, ...]) -> None:
    """Clips that lack modalities, masked in the batch or absent in the data; zero views."""
    model, _ = build(paper, corpus.spec, "features")
    masked = batch_of(model, corpus, size=8).only(subset)
    clips = without(corpus.split("train").take(range(8)), subset)
    absent = Loader(columns(model, clips), clips.labels, 8).batch(np.arange(8))
    model.eval()
    with torch.no_grad():
        one, two = model(masked), model(absent)
    torch.testing.assert_close(one.prediction, two.prediction, atol=1e-5, rtol=1e-5)
    for name in set(MODALITIES) - set(subset):
        assert not one.views[name].any()
        assert not one.present[name].any()


def without(clips: Clips, subset: tuple[str, ...]) -> Clips:
    """The clips with the features of the subset alone."""
    features = {
        m: r if m in subset else r.absent(len(clips), r.width) for m, r in clips.features.items()
    }
    return dataclasses.replace(clips, features=features)


@every_paper
def test_bfloat16(paper: str, corpus: Corpus, text: str) -> None:
    model, _ = build(paper, corpus.spec, text)
    batch = batch_of(model, corpus, size=8)
    model.eval()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(batch)
    torch.testing.assert_close(
        output.prediction.float(), model(batch).prediction, atol=0.1, rtol=0.1
    )
    output.prediction.float().sum().backward()


@every_paper
def test_checkpoint_round_trip(paper: str, corpus: Corpus, text: str, tmp_path: Path) -> None:
    model, objective = build(paper, corpus.spec, text)
    batch = batch_of(model, corpus, size=4)
    recipe = Recipe(paper, "given", tiny(paper, text))
    checkpoint.save(
        tmp_path / "checkpoint", model, objective, recipe, corpus.spec, {"epoch": 1, "valid": {}}
    )
    again = checkpoint.load(tmp_path / "checkpoint")
    with torch.no_grad():
        torch.testing.assert_close(
            again(batch).prediction, model.eval()(batch).prediction, atol=0, rtol=0
        )


@every_paper
@pytest.mark.parametrize(
    "spec",
    [
        DataSpec("traits", {"audio": 4, "vision": 3}, outputs=17),
        DataSpec(
            "classes", {"audio": 4, "vision": 3}, metrics="classification", classes=("a", "b", "c")
        ),
        DataSpec(
            "labels", {"text": 5, "audio": 4}, outputs=2, metrics="multilabel", classes=("a", "b")
        ),
    ],
    ids=lambda spec: spec.name,
)
def test_the_head_is_the_tasks(paper: str, spec: DataSpec) -> None:
    if issubclass(papers.get(paper).Config, self_mm.Config):  # its labels are made on one scale
        with pytest.raises(InfofuseError, match="one label column of scores"):
            build(paper, spec, "features")
        return
    model, objective = build(paper, spec, "features")
    rng = np.random.default_rng(0)
    clips = Clips.of(
        [
            Sample(
                str(i),
                {m: rng.normal(size=(4, w)).astype(np.float32) for m, w in spec.features.items()},
                label=rng.integers(0, 2, spec.outputs).astype(float).tolist(),
            )
            for i in range(12)
        ],
        spec.features,
        spec.outputs,
    )
    begin(objective, clips)
    batch = Loader(columns(model, clips), clips.labels, 12).batch(np.arange(12))
    assert model(batch).prediction.shape == (12, spec.task.width)
    assert loss_of(model, objective, batch).isfinite()
