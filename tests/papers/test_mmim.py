"""MMIM: the paper's loss restated, the release's arithmetic restated, and what a model must do."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from infofuse.data import Corpus, DataSpec
from infofuse.data.loader import Loader
from infofuse.models import LateFusion, columns, fit_inputs
from infofuse.objectives import Objective
from infofuse.papers import mmim
from infofuse.training.optimizers import optimizers
from infofuse.training.recipe import TrainConfig
from infofuse.types import Batch, Output


def build(
    corpus: Corpus, tiny_bert: str, **choices: Any
) -> tuple[LateFusion, Objective, list[Batch]]:
    """A seeded MMIM with a tiny text encoder, and the training clips in batches of 16."""
    torch.manual_seed(1)
    model, objective = mmim.build(mmim.Config(text_encoder=tiny_bert, **choices), corpus.spec)
    clips = corpus.split("train")
    fit_inputs(model, clips)
    loader = Loader(columns(model, clips), clips.labels, 16, seed=1)
    return model, objective, list(loader.epoch(1))


def cpc(objective: Objective, term: int, z: Tensor, h: Tensor, release: bool) -> Tensor:
    """The contrastive loss as the paper (or the released code) writes it, row by row."""
    predicted = objective.parts[term].measure.critic.predict(z)
    cosines = (h / h.norm(dim=1, keepdim=True)) @ (
        predicted / predicted.norm(dim=1, keepdim=True)
    ).T  # [target, prediction]
    summed = cosines.logsumexp(1 if release else 0)
    return -(cosines.diagonal() - summed).mean()


def ba_term(objective: Objective, term: int) -> Any:
    return objective.parts[term].measure


def restated(
    objective: Objective, outputs: list[Output], batches: list[Batch], release: bool
) -> list[Tensor]:
    """The training loss of consecutive batches of one epoch, by the formulas alone."""
    losses = []
    for number, (out, batch) in enumerate(zip(outputs, batches, strict=True)):
        y, views = batch.labels[:, 0], out.views
        loss = (out.prediction[:, 0] - y).abs().mean()
        for term, other in ((1, "audio"), (2, "vision")):
            q = ba_term(objective, term).conditional
            mean, s = q.mean(views["text"]), q.log_variance(views["text"])
            likelihood = -((views[other] - mean) ** 2) / 2 / s.exp()
            if not release:
                likelihood = likelihood - 0.5 * s - 0.5 * math.log(2 * math.pi)
            previous = outputs[number - 1].views[other].detach() if number else None
            history = batches[number - 1].labels[:, 0] if number else None
            entropy = mixture(ba_term(objective, term), views[other], y, previous, history, release)
            if release and number < 2:
                entropy = torch.zeros(())
            loss = loss - 0.1 * (likelihood.sum(1).mean() + entropy)
        for term, name in ((3, "text"), (4, "audio"), (5, "vision")):
            loss = loss + 0.3 * cpc(objective, term, views["fused"], views[name], release)
        losses.append(loss)
    return losses


def mixture(
    measure: Any,
    h: Tensor,
    y: Tensor,
    previous: Tensor | None,
    history: Tensor | None,
    release: bool,
) -> Tensor:
    """1/4 (logdet S_pos + logdet S_neg) over this batch and the one before."""
    if release:
        h = measure.entropy.projection(h)
        previous = None if previous is None else measure.entropy.projection(previous)
    rows = h if previous is None else torch.cat([previous, h])
    labels = y if history is None else torch.cat([history, y])
    positive, negative = labels > 0 if release else labels >= 0, labels < 0
    total = h.new_zeros(()).double()
    for members in (positive, negative):
        centred = (rows[members] - rows[members].mean(0)).double()
        total = total + 0.25 * torch.logdet(centred.T @ centred / len(centred))
    if not release:
        total = total + 0.5 * h.shape[1] * math.log(2 * math.pi * math.e)
    return total


def losses(objective: Objective, outputs: list[Output], batches: list[Batch]) -> list[float]:
    """The objective's own, with the constant by which InfoNCE and the papers' loss differ."""
    found = []
    for out, batch in zip(outputs, batches, strict=True):
        terms = objective(out, batch)
        total = sum(term.loss.item() for term in terms.values())
        found.append(total + 3 * 0.3 * math.log(len(batch)))
    return found


@pytest.mark.parametrize("variant", ["paper", "release"])
def test_loss_is_the_formula(small_corpus: Corpus, tiny_bert: str, variant: str) -> None:
    """Three batches in a row; widths so small that covariances are regular, no shrinkage."""
    model, objective, batches = build(
        small_corpus, tiny_bert, variant=variant, width=4, memory=16, dropout=0.0
    )
    for part in objective.parts[1:3]:
        part.measure.entropy.shrink = False
    model.eval()
    with torch.no_grad():
        outputs = [model(batch) for batch in batches]
        expected = restated(objective, outputs, batches, release=variant == "release")
        found = losses(objective, outputs, batches)
    np.testing.assert_allclose(found, [e.item() for e in expected], rtol=1e-5)


def test_the_variants_differ_in_numbers(small_corpus: Corpus, tiny_bert: str) -> None:
    """On the same views with the same networks, in the third batch of an epoch."""
    model, paper, batches = build(small_corpus, tiny_bert, variant="paper")
    _, release, _ = build(small_corpus, tiny_bert, variant="release")
    networks = {k: v for k, v in paper.state_dict().items() if "entropy" not in k}
    release.load_state_dict(networks, strict=False)
    with torch.no_grad():
        outputs = [(model.eval()(b), b) for b in batches]
        one, two = ([objective(*o) for o in outputs][-1] for objective in (paper, release))
    assert one["task"].loss == two["task"].loss
    for name in ("I(text;audio)", "I(text;vision)", "I(fused;text)", "I(fused;audio)"):
        assert one[name].value.item() != pytest.approx(two[name].value.item(), abs=1e-5)
    # Without -1/2 log-variance and the constant, the release reads many nats off.
    assert abs(one["I(text;audio)"].value - two["I(text;audio)"].value) > 5


def test_only_the_release_counts_fixed_networks_in_the_gradient_norm(
    small_corpus: Corpus, tiny_bert: str
) -> None:
    for variant, counted in (("paper", False), ("release", True)):
        model, objective, batches = build(small_corpus, tiny_bert, variant=variant)
        terms = objective(model(batches[0]), batches[0])
        torch.stack([t.loss for t in terms.values()]).sum().backward()
        assert all((p.grad is not None) == counted for p in objective.estimators())


def test_gradient_reaches_every_parameter(small_corpus: Corpus, tiny_bert: str) -> None:
    model, objective, batches = build(small_corpus, tiny_bert)
    out = model(batches[0])
    torch.stack([t.loss for t in objective(out, batches[0]).values()]).sum().backward()
    objective.learning_loss(out, batches[0]).backward()
    left = [
        n
        for m in (model, objective)
        for n, p in m.named_parameters()
        if p.requires_grad and p.grad is None
    ]
    assert left == []


def test_weights_of_zero_leave_terms_and_networks_out(small_corpus: Corpus, tiny_bert: str) -> None:
    _, objective, _ = build(small_corpus, tiny_bert, alpha=0.0, beta=0.0)
    assert [p.name for p in objective.parts] == ["task"]
    assert list(objective.parameters()) == []


def step(loss: Tensor, optimizer: torch.optim.Optimizer, *modules: torch.nn.Module) -> None:
    loss.backward()
    for module in modules:
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()
    for module in modules:
        module.zero_grad()


@pytest.mark.slow
def test_overfits_sixteen_clips(small_corpus: Corpus, tiny_bert: str) -> None:
    corpus = Corpus(small_corpus.spec, {"train": small_corpus.split("train").take(range(16))}, ())
    model, objective, batches = build(corpus, tiny_bert)
    main, estimators = optimizers(model, objective, TrainConfig(lr_text=1e-4, lr_estimator=4e-4))
    assert estimators is not None
    model.eval()  # without dropout
    errors = []
    for _ in range(250):
        step(objective.learning_loss(model(batches[0]), batches[0]), estimators, model, objective)
        terms = objective(model(batches[0]), batches[0])
        step(torch.stack([t.loss for t in terms.values()]).sum(), main, model, objective)
        errors.append(terms["task"].value.item())
    assert errors[0] > 1
    assert min(errors) < 0.1


SUBSETS = [
    ("text",), ("audio",), ("vision",), ("text", "audio"), ("text", "vision"),
    ("audio", "vision"), ("text", "audio", "vision"),
]  # fmt: skip


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_built_and_trained_on_any_subset(
    small_corpus: Corpus, tiny_bert: str, subset: tuple[str, ...]
) -> None:
    model, objective, batches = build(small_corpus, tiny_bert, modalities=subset)
    assert tuple(model.encoders) == subset
    terms = objective(model(batches[0]), batches[0])
    assert ("I(text;audio)" in terms) == ({"text", "audio"} <= set(subset))
    torch.stack([t.loss for t in terms.values()]).sum().backward()


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_absent_clips_equal_masked_ones(
    small_corpus: Corpus, tiny_bert: str, subset: tuple[str, ...]
) -> None:
    """A trimodal model on clips that lack modalities, masked in the batch or absent in the data."""
    model, objective, batches = build(small_corpus, tiny_bert)
    model.eval()
    masked = batches[0].only(subset)
    clips = small_corpus.split("train").take(batches[0].index.numpy())
    bare = {
        m: r if m in subset else r.absent(len(clips), r.width) for m, r in clips.features.items()
    }
    texts = clips.texts if "text" in subset else [""] * len(clips)
    clips = type(clips)(clips.ids, clips.labels, bare, texts, clips.groups)
    absent = Loader(columns(model, clips), clips.labels, 16).batch(np.arange(len(clips)))
    torch.testing.assert_close(model(absent).prediction, model(masked).prediction)
    for term in objective(model(masked), masked).values():
        assert term.loss.isfinite()


def test_a_modality_the_data_lacks_is_refused(tiny_bert: str) -> None:
    spec = DataSpec("x", {"audio": 3}, text=True)
    with pytest.raises(ValueError, match="no modality 'vison'"):
        mmim.build(mmim.Config(text_encoder=tiny_bert, modalities=("vison",)), spec)


def test_published_size() -> None:
    """With MiniLM and CMU-MOSI's widths: everything but the text encoder is under 100 thousand."""
    model, objective = mmim.build(mmim.Config(), DataSpec("mosi", {"audio": 5, "vision": 20}, True))
    rest = sum(p.numel() for n, p in model.named_parameters() if "encoders.text" not in n)
    lstm = lambda d: 4 * 32 * (d + 32) + 8 * 32 + 32 * 16 + 16  # noqa: E731
    assert rest == lstm(5) + lstm(20) + (384 + 32) * 128 + 128 + 128 * 128 + 128 + 128 + 1
    cpc_size = 129 * (384 + 16 + 16) + 3  # G_m, and three fixed temperatures
    ba_size = 2 * 2 * (385 * 16 + 17 * 16)
    assert sum(p.numel() for p in objective.parameters()) == cpc_size + ba_size
