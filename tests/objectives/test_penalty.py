"""The dependency penalty: what it compares, who learns by it, and that its critic sees conflict."""

import math
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infofuse.data import DataSpec
from infofuse.data.loader import Loader
from infofuse.measures import MutualDependency
from infofuse.models import columns, encoders, fit_inputs, view_widths
from infofuse.objectives import DependencyPenalty, Objective, Sum
from infofuse.objectives.penalty import Placement, bounded, shuffle_modalities
from infofuse.papers import lmf, mdm, mmim
from infofuse.types import Batch, Clips, Output, Padded, Sample

SPEC = DataSpec("planted", {"text": 4, "audio": 3, "vision": 5}, metrics="mosi")


def planted(n: int, seed: int, conflict: float = 0.0) -> tuple[Clips, np.ndarray]:
    """Clips whose modalities all show one score, but for those whose text shows its opposite."""
    rng = np.random.default_rng(seed)
    directions = {m: np.linspace(0.5, 1.5, width) for m, width in SPEC.features.items()}
    score, against = rng.standard_normal(n), rng.random(n) < conflict
    samples = []
    for i in range(n):
        said = dict.fromkeys(directions, score[i]) | {"text": score[i] * (-1 if against[i] else 1)}
        frames = {
            m: (said[m] * d + 0.3 * rng.standard_normal((rng.integers(4, 9), len(d)))).astype("f4")
            for m, d in directions.items()
        }
        samples.append(Sample(str(i), frames, label=float(np.clip(1.5 * score[i], -3, 3))))
    return Clips.of(samples, SPEC.features), against


def build(clips: Clips, **choices: Any) -> tuple[nn.Module, Objective, Loader]:
    torch.manual_seed(0)
    options = {
        "text_encoder": "features",
        "alpha": 0.0,
        "beta": 0.0,
        "fusion": 16,
        "width": 8,
        "dropout": 0.0,
    }
    config = mdm.Config(backbone="mmim", options=options, **choices)
    model, objective = mdm.build(config, SPEC)
    fit_inputs(model, clips)
    return model, objective, Loader(columns(model, clips), clips.labels, 64, seed=1)


def on_backbone(backbone: str) -> tuple[nn.Module, Objective, Batch]:
    """A paper of features alone with the penalty, not trained, and thirty clips."""
    clips, _ = planted(30, 9)
    options = {"text_encoder": "features"}
    model, objective = mdm.build(mdm.Config(backbone=backbone, options=options), SPEC)
    fit_inputs(model.eval(), clips)
    return model, objective, Loader(columns(model, clips), clips.labels, 30).batch(np.arange(30))


def penalty_of(objective: Objective) -> DependencyPenalty:
    return next(m for m in objective.modules() if isinstance(m, DependencyPenalty))


def fit_critic(model: nn.Module, objective: Objective, loader: Loader, epochs: int) -> None:
    adam = torch.optim.Adam(objective.estimators("inner"), lr=5e-3)
    for epoch in range(epochs):
        for batch in loader.epoch(epoch):
            with torch.no_grad():
                output = model(batch)
            loss = objective.learning_loss(output, batch, "inner")
            assert loss is not None
            adam.zero_grad()
            loss.backward()
            adam.step()


def value(model: nn.Module, objective: Objective, loader: Loader) -> float:
    """The penalty's reading, as a mean over batches."""
    part = penalty_of(objective)
    with torch.no_grad():
        read = [part(model(b), b)[part.name].value.item() for b in loader.epoch(99)]
    return float(np.mean(read))


def independent(clips: Clips) -> Clips:
    """The same clips with audio and vision of other clips: modalities that share nothing."""
    rng = np.random.default_rng(7)
    features = dict(clips.features)
    for name in ("audio", "vision"):
        features[name] = features[name].take(rng.permutation(len(clips)))
    return Clips(clips.ids, clips.labels, features, clips.texts, clips.groups)


def test_shuffling_moves_whole_sequences_and_keeps_the_marginals() -> None:
    clips, _ = planted(40, 0)
    _, _, loader = build(clips)
    batch = loader.batch(np.arange(40))
    rows = torch.arange(5, 35)
    torch.manual_seed(3)
    found = shuffle_modalities(batch, rows)
    assert torch.equal(found.labels, batch.labels[rows])
    assert torch.equal(found.inputs["text"].values, batch.inputs["text"].values[rows])

    def key(x: Tensor, lengths: Tensor) -> list[tuple[float, int]]:
        return sorted(zip(x.sum((1, 2)).tolist(), lengths.tolist(), strict=True))

    orders = []
    for name in ("audio", "vision"):
        before, after = batch.inputs[name], found.inputs[name]
        assert key(after.values, after.lengths) == key(before.values[rows], before.lengths[rows])
        orders.append(after.values[:, 0, 0])
        assert not torch.equal(after.values, before.values[rows])
    assert not torch.equal(orders[0].argsort(), orders[1].argsort())


@pytest.mark.parametrize("backbone", ["lf_dnn", "misa", "self_mm"])
def test_codes_are_shuffled_as_clips_are_and_encoded_once(backbone: str) -> None:
    model, objective, batch = on_backbone(backbone)
    rows = torch.arange(3, 27)
    torch.manual_seed(5)
    expected = model(shuffle_modalities(batch, rows)).views["fused"]
    output = model(batch)
    calls: list[str] = []
    for name, encoder in encoders(model).items():
        encoder.register_forward_hook(lambda *_, name=name: calls.append(name))
    torch.manual_seed(5)
    found = penalty_of(objective)._shuffled(output, batch, rows).views["fused"]
    assert not calls
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("backbone", ["lf_dnn", "misa", "ef_lstm"])
def test_what_is_shuffled_is_computed_in_the_precision_of_what_is_not(backbone: str) -> None:
    """Else T would tell the one from the other by their digits."""
    model, objective, batch = on_backbone(backbone)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(batch)
    assert output.autocast == torch.bfloat16
    samples = penalty_of(objective)._samples(output, batch)
    assert samples is not None
    for some in samples:
        assert some.dtype == torch.float32
        torch.testing.assert_close(some.bfloat16().float(), some, atol=0, rtol=0)
    assert objective(output, batch)[penalty_of(objective).name].loss.isfinite()
    assert model(batch).autocast is None


@pytest.mark.parametrize("placement", ["fused", "codes"])
@pytest.mark.parametrize("penalty", ["kl", "f", "wasserstein"])
def test_the_critic_tells_dependence_from_independence(penalty: str, placement: str) -> None:
    clips, _ = planted(512, 1)
    read = {}
    for name, data in (("dependent", clips), ("independent", independent(clips))):
        model, objective, loader = build(data, penalty=penalty, placement=placement)
        fit_critic(model, objective, loader, epochs=12)
        read[name] = value(model, objective, loader)
    assert read["dependent"] > 0.05
    assert read["independent"] < 0.35 * read["dependent"]


class Added(nn.Module):
    """A model whose fused view is one number, as a score is: the sum of its modalities."""

    def forward(self, batch: Batch) -> Output:
        views = {m: x.values[:, 0] for m, x in batch.inputs.items()}
        everyone = torch.ones(len(batch), dtype=torch.bool)
        total = torch.stack(list(views.values())).sum(0)
        return Output(total, views | {"fused": total}, dict.fromkeys(views, everyone))


@pytest.mark.parametrize("correlation", [0.3, 0.8])
def test_a_fused_score_shows_little_of_what_codes_show(correlation: float) -> None:
    """Three standard Gaussian modalities, every two of them with correlation c.

    Of their codes T sees the total correlation, -ln det(C) / 2. The variance of their sum is
    3 + 6c, and 3 where they are shuffled: with r = 1 + 2c the divergence is (r - 1 - ln r) / 2.
    """
    c, n = correlation, 1024
    r, modalities = 1 + 2 * c, ("text", "audio", "vision")
    root = torch.linalg.cholesky(torch.full((3, 3), c) + (1 - c) * torch.eye(3))
    truth = {
        "fused": (r - 1 - math.log(r)) / 2,
        "codes": -math.log((1 - c) ** 2 * (1 + 2 * c)) / 2,
    }
    model, found = Added(), {}
    for placement in get_args(Placement):
        torch.manual_seed(4)
        widths = [1] if placement == "fused" else [1, 1, 1]
        measure = MutualDependency(widths, "kl", hidden=64)
        part = DependencyPenalty(model, modalities, measure, 1.0, placement=placement)
        adam = torch.optim.Adam(part.estimators("inner"), lr=5e-3)
        read = []
        for _ in range(250):
            clips = (torch.randn(n, 3) @ root.T).T[..., None, None]
            lengths = torch.ones(n, dtype=torch.int64)
            inputs = {m: Padded(x, lengths) for m, x in zip(modalities, clips, strict=True)}
            batch = Batch(inputs, torch.zeros(n, 1), torch.arange(n))
            output = model(batch)
            read.append(part(output, batch)[part.name].value.item())
            loss = part.learning_loss(output, batch, "inner")
            assert loss is not None
            adam.zero_grad()
            loss.backward()
            adam.step()
        found[placement] = np.mean(read[-100:])
    assert found == pytest.approx(truth, rel=0.1, abs=0.01)


def test_who_learns_by_what() -> None:
    clips, _ = planted(64, 2)
    model, objective, loader = build(clips)
    batch = next(loader.epoch(1))
    part = penalty_of(objective)
    part(model(batch), batch)[part.name].loss.backward()
    reached = {k for k, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert reached == {k for k, _ in model.named_parameters() if not k.startswith("head")}
    assert all(p.grad is None for p in objective.parameters())
    model.zero_grad()
    loss = objective.learning_loss(model(batch), batch, "inner")
    assert loss is not None
    loss.backward()
    assert all(p.grad is None for p in model.parameters())
    assert all(p.grad is not None for p in part.measure.parameters())
    assert objective.learning_loss(model(batch), batch, "epoch") is None
    assert not list(objective.estimators("epoch"))
    critic = {id(p) for p in objective.estimators("inner")}
    assert critic == {id(p) for p in part.measure.parameters()}
    assert not critic & {id(p) for p in model.parameters()}


def test_the_penalty_raises_what_it_measures() -> None:
    clips, _ = planted(256, 3)
    model, objective, loader = build(clips, penalty="wasserstein", weight=1.0)
    part = penalty_of(objective)
    fit_critic(model, objective, loader, epochs=6)
    before = value(model, objective, loader)
    adam = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(4):
        for batch in loader.epoch(epoch):
            adam.zero_grad()
            part(model(batch), batch)[part.name].loss.backward()
            adam.step()
    assert value(model, objective, loader) > 1.3 * before


@pytest.mark.parametrize("placement", ["fused", "codes"])
def test_scale_alone_raises_no_distance(placement: Placement) -> None:
    """However large a model's views are, the distance is no more than bounded samples allow."""
    clips, _ = planted(64, 3)
    model, _ = lmf.build(lmf.Config(text_encoder="features"), SPEC)
    fit_inputs(model, clips)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(20)
    part = mdm.dependency(model, mdm.Plus("wasserstein", placement=placement))
    batch = next(Loader(columns(model, clips), clips.labels, 64).epoch(1))
    output = model(batch)
    assert output.views["fused"].abs().max() > 1e4
    assert part(output, batch)[part.name].value < 2 * sum(part.measure.dims) ** 0.5
    samples = part._samples(output, batch)
    assert samples is not None
    assert all(sample.square().mean(1).max() < 1.001 for sample in samples)


def test_bounded_samples_keep_their_direction_and_have_slopes_at_zero() -> None:
    x = torch.tensor([[3.0, 4.0], [1e-4, 0.0], [0.0, 0.0]], requires_grad=True)
    found = bounded(x)
    torch.testing.assert_close(found[0], x[0] / (1 + 12.5**0.5))
    torch.testing.assert_close(found[1], x[1], rtol=1e-3, atol=0)
    found.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_scores_rank_clips_in_conflict_last() -> None:
    """Trained with the model on clips that agree, T tells those whose text says the opposite."""
    clips, _ = planted(512, 4)
    tested, against = planted(300, 5, conflict=0.3)
    model, objective, loader = build(clips, penalty="f", placement="codes")
    main = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(6):
        for batch in loader.epoch(epoch):
            terms = objective(model(batch), batch)
            main.zero_grad()
            torch.stack([t.loss for t in terms.values()]).sum().backward()
            main.step()
        fit_critic(model, objective, loader, epochs=2)
    batch = Loader(columns(model, tested), tested.labels, 300).batch(np.arange(300))
    with torch.no_grad():
        score = penalty_of(objective).agreement(model(batch)).numpy()
    strong = np.abs(tested.labels[:, 0]) > 0.5  # the opposite of nearly nothing is no conflict
    agree, conflict = score[strong & ~against], score[strong & against]
    assert (agree[:, None] > conflict[None, :]).mean() > 0.8


def test_clips_that_lack_a_modality_are_left_out() -> None:
    clips, _ = planted(24, 6)
    model, objective, loader = build(clips)
    batch = next(loader.epoch(1))
    part = penalty_of(objective)
    alone = batch.only(["text"])
    assert part(model(alone), alone)[part.name].loss.item() == 0
    assert part.learning_loss(model(alone), alone, "inner") is None
    gone = torch.zeros(len(batch), dtype=torch.bool)
    gone[:20] = True
    inputs = batch.inputs | {"audio": batch.inputs["audio"].without(gone)}
    some = Batch(inputs, batch.labels, batch.index)
    samples = part._samples(model(some), some)
    assert samples is not None
    assert [len(s) for s in samples] == [4, 4]


def test_it_adds_to_any_objective_in_one_expression() -> None:
    clips, _ = planted(32, 8)
    config = mmim.Config(text_encoder="features", fusion=16, width=8)
    model, objective = mmim.build(config, SPEC)
    fit_inputs(model, clips)
    both = Sum(objective, mdm.dependency(model, mdm.Plus("wasserstein", weight=0.2)))
    batch = next(Loader(columns(model, clips), clips.labels, 32).epoch(1))
    terms = both(model(batch), batch)
    assert len(terms) == len(objective(model(batch), batch)) + 1
    assert both.inner_steps == 1
    assert view_widths(model) == {"text": 8, "audio": 8, "vision": 8, "fused": 16}


def test_none_is_the_backbone_by_itself() -> None:
    clips, _ = planted(16, 9)
    _, objective, _ = build(clips, penalty="none")
    assert not any(isinstance(m, DependencyPenalty) for m in objective.modules())
    assert objective.inner_steps == 0
