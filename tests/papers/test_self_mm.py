"""Self-MM and DMA: the loss restated, sizes, subsets of modalities, and what DMA adds."""

from typing import Any

import pytest
import torch

from infofuse.data import Corpus, DataSpec
from infofuse.data.loader import Loader
from infofuse.errors import InfofuseError
from infofuse.models import MultiTask, columns, fit_inputs
from infofuse.objectives import Objective
from infofuse.papers import dma, self_mm
from infofuse.types import Batch

UNIMODAL = ("task(text)", "task(audio)", "task(vision)")
PAIRS = ("align(text;audio)", "align(text;vision)", "align(audio;vision)")


def build(
    corpus: Corpus, tiny_bert: str, paper: Any = self_mm, **choices: Any
) -> tuple[MultiTask, Objective, list[Batch]]:
    """A seeded model with a tiny text encoder, its objective in its second epoch, and batches."""
    torch.manual_seed(1)
    config = paper.Config(text_encoder=tiny_bert, **choices)
    model, objective = paper.build(config, corpus.spec)
    clips = corpus.split("train")
    fit_inputs(model, clips)
    objective.begin(clips)
    batches = list(Loader(columns(model, clips), clips.labels, 16, seed=1).epoch(1))
    for part in objective.modules():
        if isinstance(part, self_mm.UnimodalLabels):
            part.start_epoch()
    for batch in batches:
        objective(model(batch), batch)
    for part in objective.modules():
        if isinstance(part, self_mm.UnimodalLabels):
            part.start_epoch()
    return model, objective, batches


@pytest.mark.parametrize("variant", ["paper", "release"])
def test_the_loss_is_the_sum_over_heads_by_generated_labels(
    small_corpus: Corpus, tiny_bert: str, variant: str
) -> None:
    model, objective, batches = build(small_corpus, tiny_bert, variant=variant)
    for batch in batches:  # the second epoch moves the labels
        objective(model(batch), batch)
    labels, batch = objective.per_clip(), batches[0]
    out = model.eval()(batch)
    terms = objective.eval()(out, batch)
    y_m = batch.labels[:, 0]
    assert terms["task"].loss == (out.prediction[:, 0] - y_m).abs().mean()
    for m in ("text", "audio", "vision"):
        y_s = labels[m][batch.index]
        expected = ((y_s - y_m).abs().tanh() * (out.unimodal[m][:, 0] - y_s).abs()).mean()
        torch.testing.assert_close(terms[f"task({m})"].loss, expected)
        assert expected > 0


def test_the_mean_over_modalities_is_a_weight(small_corpus: Corpus, tiny_bert: str) -> None:
    found = []
    for weight in (1.0, 1 / 3):
        model, objective, batches = build(small_corpus, tiny_bert, unimodal=weight)
        for batch in batches:
            terms = objective(model.eval()(batch), batch)
        found.append(torch.stack([terms[name].loss for name in UNIMODAL]))
    torch.testing.assert_close(found[0].mean(), found[1].sum())


def test_gradient_reaches_every_parameter(small_corpus: Corpus, tiny_bert: str) -> None:
    model, objective, batches = build(small_corpus, tiny_bert, dma)
    for batch in batches:
        out = model(batch)
        terms = objective(out, batch)
    out = model(batches[0])
    torch.stack([t.loss for t in objective(out, batches[0]).values()]).sum().backward()
    left = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert left == []
    assert list(terms) == ["task", *UNIMODAL, *PAIRS]


def test_without_generated_labels_the_fused_task_is_left(
    small_corpus: Corpus, tiny_bert: str
) -> None:
    model, objective, batches = build(small_corpus, tiny_bert, unimodal=0.0)
    assert list(objective(model(batches[0]), batches[0])) == ["task"]
    assert objective.per_clip() == {}


SUBSETS = [("text",), ("audio",), ("text", "vision"), ("text", "audio", "vision")]


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_built_and_trained_on_any_subset(
    small_corpus: Corpus, tiny_bert: str, subset: tuple[str, ...]
) -> None:
    model, objective, batches = build(small_corpus, tiny_bert, dma, modalities=subset)
    out = model(batches[0])
    assert out.views.keys() == {*subset, "fused"}
    assert out.unimodal.keys() == set(subset)
    terms = objective(out, batches[0])
    assert sum(name in terms for name in PAIRS) == len(subset) * (len(subset) - 1) // 2
    torch.stack([t.loss for t in terms.values()]).sum().backward()


@pytest.mark.parametrize("subset", SUBSETS[:-1], ids="+".join)
def test_an_absent_modality_is_a_zero_view_and_has_no_loss(
    small_corpus: Corpus, tiny_bert: str, subset: tuple[str, ...]
) -> None:
    model, objective, batches = build(small_corpus, tiny_bert, dma)
    masked = batches[0].only(subset)
    out = model(masked)
    terms = objective(out, masked)
    for m in {"text", "audio", "vision"} - set(subset):
        assert out.views[m].count_nonzero() == 0
        assert terms[f"task({m})"].loss == 0
    assert all(t.loss.isfinite() for t in terms.values())
    other = model(Batch({**masked.inputs}, masked.labels, masked.index)).prediction
    assert other.shape == (16, 1)


def test_published_size(tiny_bert: str) -> None:
    """The release's layers, by their formula, with CMU-MOSI's widths and a text of 32."""
    spec = DataSpec("mosi", {"audio": 5, "vision": 20}, True, label_range=(-3.0, 3.0))
    model, _ = self_mm.build(self_mm.Config(text_encoder=tiny_bert), spec)
    rest = sum(p.numel() for n, p in model.named_parameters() if "encoders.text" not in n)
    lstm = lambda d, h, w: 4 * h * (d + h) + 8 * h + h * w + w  # noqa: E731
    branch = lambda d, w: d * w + w + w * w + w + w + 1  # noqa: E731
    branches = branch(32 + 16 + 32, 128) + branch(32, 64) + branch(16, 16) + branch(32, 32)
    assert rest == lstm(5, 32, 16) + lstm(20, 64, 32) + branches


def test_several_labels_are_refused(tiny_bert: str) -> None:
    with pytest.raises(InfofuseError, match="one label column of scores; the data has 2"):
        self_mm.build(self_mm.Config(), DataSpec("x", {"audio": 3}, outputs=2))


def test_dma_with_no_pairs_is_self_mm(small_corpus: Corpus, tiny_bert: str) -> None:
    """The same weights from the same seed, and the same terms."""
    none = {"text_audio": 0.0, "text_vision": 0.0, "audio_vision": 0.0}
    one, base, batches = build(small_corpus, tiny_bert)
    two, plus, _ = build(small_corpus, tiny_bert, dma, **none)
    assert all(a.equal(b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    a, b = (o(m.eval()(batches[0]), batches[0]) for m, o in ((one, base), (two, plus)))
    assert {k: t.loss.item() for k, t in a.items()} == {k: t.loss.item() for k, t in b.items()}


def test_dma_is_said_to_be_a_reconstruction() -> None:
    assert dma.PAPER.reconstruction
    assert not self_mm.PAPER.reconstruction
