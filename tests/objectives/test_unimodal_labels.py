"""Generated unimodal labels: by hand, against recomputation, on planted truth, and at the edges."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, multiprocessing

from infofuse.data.synthetic import make_with_truth, preset
from infofuse.objectives import LearnedWeights, Sum, Supervised, UnimodalLabels
from infofuse.objectives.unimodal_labels import candidate
from infofuse.tasks import Regression
from infofuse.types import Batch, Clips, Output, Ragged


def clips_of(labels: Tensor) -> Clips:
    names = [str(i) for i in range(len(labels))]
    absent = {"audio": Ragged.absent(len(labels), 1)}
    return Clips(names, labels.numpy().reshape(-1, 1), absent, names, names)


def output_of(
    views: Mapping[str, Tensor], rows: Tensor, said: Tensor, lacking: Mapping[str, Tensor] = {}
) -> Output:
    """Views and predictions of these rows; `lacking` marks the rows without a modality."""
    own = [name for name in views if name != "fused"]
    present = {m: ~lacking.get(m, torch.zeros(len(said), dtype=torch.bool))[rows] for m in own}
    return Output(
        said[rows, None],
        {name: view[rows] for name, view in views.items()},
        present,
        dict.fromkeys(own, said[rows, None]),
    )


def step(objective: UnimodalLabels, out: Output, y: Tensor, rows: Tensor) -> dict[str, float]:
    terms = objective(out, Batch({}, y[rows, None], rows))
    return {name: term.loss.item() for name, term in terms.items()}


def begun(views: Mapping[str, Tensor], y: Tensor, **choices: object) -> UnimodalLabels:
    widths = {name: view.shape[1] for name, view in views.items()}
    objective = UnimodalLabels(widths, (-3.0, 3.0), **choices)
    objective.begin(clips_of(y))
    return objective


def run(
    objective: UnimodalLabels,
    y: Tensor,
    views: Callable[[int], Mapping[str, Tensor]],
    epochs: int,
    batch: int,
    each: Callable[[], None] = lambda: None,
) -> None:
    """Epochs of shuffled batches; `views(epoch)` gives the views of all clips."""
    for epoch in range(1, epochs + 1):
        objective.start_epoch()
        for rows in torch.randperm(len(y)).split(batch):
            step(objective, output_of(views(epoch), rows, y), y, rows)
            each()


def random_views(n: int, seed: int = 0) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(n, width, generator=rng) for name, width in (("audio", 3), ("fused", 5))
    }


@pytest.mark.parametrize("variant", ["paper", "release"])
def test_one_update_by_hand_on_four_points(variant: str) -> None:
    """On a line: labels 2, 1, -1, -2; audio at 3, 1, -1, -1; fused at 2, 2, -2, 0.

    Centres after the first epoch: audio (2, -1), fused (2, -1). Second epoch, clip 1 alone:
    audio at 1, so D+ = 1, D- = 2 (squared 1 and 4): a_s = 1 (3). Fused moves to 1.5:
    D+ = .5, D- = 2.5 (squared .25 and 6.25): a_m = 4 (24).
    """
    y = torch.tensor([2.0, 1.0, -1.0, -2.0])
    views = {
        "audio": torch.tensor([[3.0], [1.0], [-1.0], [-1.0]]),
        "fused": torch.tensor([[2.0], [2.0], [-2.0], [0.0]]),
    }
    objective = begun(views, y, variant=variant)
    objective.start_epoch()
    step(objective, output_of(views, torch.arange(4), y), y, torch.arange(4))
    torch.testing.assert_close(objective.centres["audio"].centres(), torch.tensor([[2.0], [-1.0]]))
    objective.start_epoch()
    views["fused"][1] = 1.5
    one = torch.tensor([1])
    step(objective, output_of(views, one, y), y, one)
    a_s, a_m = {"paper": (3.0, 24.0), "release": (1.0, 4.0)}[variant]
    new = 0.5 * a_s / a_m * 1 + 0.5 * (1 + a_s - a_m)  # paper: .0625 - 10 -> -3; release: -.875
    moved = 1 / 3 * 1 + 2 / 3 * max(new, -3.0)
    found = objective.per_clip()["audio"]
    torch.testing.assert_close(found, torch.tensor([2.0, moved, -1.0, -2.0]))
    fused = objective.centres["fused"].centres()
    torch.testing.assert_close(fused, torch.tensor([[1.75], [-1.0]]))


def test_the_loss_is_the_formula_by_the_labels_before_the_update() -> None:
    y, views = torch.tensor([2.0, 1.0, -1.0, -2.0]), random_views(4)
    objective = begun(views, y)
    rows = torch.tensor([3, 0, 2])
    objective.centres["audio"].label.copy_(torch.tensor([1.0, 1.0, 1.0, -2.5]))
    said = torch.tensor([0.5, 9.0, -0.5, -3.0])
    objective.start_epoch()
    found = step(objective, output_of(views, rows, said), y, rows)
    terms = [np.tanh(0.5) * 0.5, np.tanh(1.0) * 0.5, np.tanh(2.0) * 1.5]
    assert found["task(audio)"] == pytest.approx(np.mean(terms), rel=1e-6)


def test_in_the_first_epoch_labels_are_the_human_ones_and_the_loss_is_zero() -> None:
    y, views = torch.randn(20), random_views(20)
    objective = begun(views, y)
    objective.start_epoch()
    for rows in torch.randperm(20).split(6):
        losses = step(objective, output_of(views, rows, torch.randn(20)), y, rows)
        assert losses == {"task(audio)": 0.0}
    assert objective.per_clip()["audio"].equal(y)


def test_equal_positions_give_the_human_label() -> None:
    y, a = torch.randn(50), torch.randn(50) * 3
    torch.testing.assert_close(candidate(y, a, a), y)
    near = torch.tensor([0.0, 1e-9, -1e-5])
    torch.testing.assert_close(candidate(y[:3], near, near), y[:3])
    views = random_views(40)
    views["audio"] = views["fused"].clone()
    objective = begun(views, torch.randn(40).clamp(-3, 3))
    run(objective, objective.centres["fused"].label, lambda _: views, epochs=4, batch=8)
    found = objective.per_clip()
    torch.testing.assert_close(found["audio"], found["multimodal"], atol=1e-5, rtol=1e-5)


def test_between_the_classes_only_the_difference_counts() -> None:
    y, a_s = torch.tensor([1.0, -2.0]), torch.tensor([0.4, -0.4])
    for a_m in (0.0, 1e-12, -1e-4):
        found = candidate(y, a_s, torch.full((2,), a_m))
        torch.testing.assert_close(found, y + a_s - a_m)


@pytest.mark.parametrize("epoch", range(2, 30))
def test_the_weights_of_old_and_new_sum_to_one(epoch: int) -> None:
    """So a candidate that equals the old label leaves it."""
    y = torch.tensor([2.0, 1.0, -1.0, -2.0])
    views = {"audio": y[:, None].clone(), "fused": y[:, None].clone()}
    objective = begun(views, y)
    objective.epoch.fill_(epoch - 1)
    rows = torch.arange(4)
    step(objective, output_of(views, rows, y), y, rows)
    objective.start_epoch()
    step(objective, output_of(views, rows, y), y, rows)
    torch.testing.assert_close(objective.per_clip()["audio"], y)


@pytest.mark.parametrize("variant", ["paper", "release"])
def test_incremental_centres_equal_recomputed_ones(variant: str) -> None:
    """After every batch of 3 epochs, while views and labels change."""
    n = 60
    y = torch.randn(n).mul(2).round()  # with zeros
    objective = begun(random_views(n), y, variant=variant)

    def check() -> None:
        for centres in objective.centres.values():
            seen, label = centres.stored, centres.label
            positive = label >= 0 if variant == "release" else label > 0
            for found, members in zip(centres.centres(), (positive, label < 0), strict=True):
                rows = centres.view[members & seen].double()
                if len(rows):
                    torch.testing.assert_close(found.double(), rows.mean(0), atol=1e-6, rtol=0)
                else:
                    assert found.isnan().all()

    run(objective, y, lambda epoch: random_views(n, epoch), epochs=3, batch=7, each=check)
    assert not objective.per_clip()["audio"].equal(y)


def test_the_variants_differ_in_the_distance_and_in_zero() -> None:
    y = torch.tensor([2.0, 0.0, -1.0, -2.0])
    views = {"audio": torch.randn(4, 4), "fused": torch.randn(4, 4)}
    paper, release = (begun(views, y, variant=v) for v in ("paper", "release"))
    for objective in (paper, release):
        objective.start_epoch()
        step(objective, output_of(views, torch.arange(4), y), y, torch.arange(4))
    assert paper.centres["audio"].counts.tolist() == [1, 2]
    assert release.centres["audio"].counts.tolist() == [2, 2]
    h, c = views["audio"][3:], torch.zeros(4)
    plain = release.centres["audio"]._distance(h, c)
    torch.testing.assert_close(paper.centres["audio"]._distance(h, c), plain**2 / 2)


def planted(seed: int, variant: str) -> tuple[dict[str, Tensor], dict[str, np.ndarray], Tensor]:
    """Generated labels of a planted corpus, and what each modality says of the label there."""
    corpus, truth = make_with_truth(preset("unique", ["train=400", "valid=1", "test=1"]), seed)
    known, y = truth.splits["train"], torch.from_numpy(corpus.split("train").labels[:, 0])
    views = {m: torch.tensor(v, dtype=torch.float32) for m, v in known.views.items()}
    views["fused"] = torch.cat(list(views.values()), 1)
    objective = begun(views, y, variant=variant)
    run(objective, y, lambda _: views, epochs=10, batch=32)
    return objective.per_clip(), known.contributions, y


def unexplained(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What is left of x when its regression on y is taken away."""
    design = np.c_[np.ones_like(y), y]
    return x - design @ np.linalg.lstsq(design, x, rcond=None)[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_offsets_follow_planted_ones(seed: int) -> None:
    """E[y | x_s], in the label's unit, is the planted label of a modality.

    Also beyond what the human label explains of both offsets: a label that is only drawn towards
    zero would correlate with the planted offset too.
    """
    found, contributions, y = planted(seed, "paper")
    for m, contribution in contributions.items():
        offset = found[m].numpy() - y.numpy()
        truth = 1.5 * contribution - y.numpy()
        assert np.corrcoef(offset, truth)[0, 1] > 0.3
        partial = np.corrcoef(*(unexplained(v, y.numpy()) for v in (offset, truth)))[0, 1]
        assert partial > 0.4


def test_one_sided_labels_leave_every_label_as_it_was() -> None:
    y, views = torch.rand(12) + 0.5, random_views(12)
    objective = begun(views, y)
    run(objective, y, lambda epoch: random_views(12, epoch), epochs=3, batch=5)
    assert objective.per_clip()["audio"].equal(y)
    assert objective.centres["audio"].centres()[1].isnan().all()


def test_a_class_that_empties_again_has_no_centre() -> None:
    """Whatever rounding leaves in its sum."""
    y, views = torch.tensor([1.0, 2.0, -1.0, -0.5]), random_views(4)
    objective = begun(views, y)
    objective.start_epoch()
    step(objective, output_of(views, torch.arange(4), y), y, torch.arange(4))
    centres = objective.centres["audio"]
    centres.label.abs_()
    centres.store(torch.arange(4), views["audio"])
    centres.sums[1] += 1e-17
    assert centres.counts.tolist() == [4, 0]
    assert centres.centres()[1].isnan().all()
    assert centres.position(views["audio"]).isnan().all()


def test_without_a_modality_or_a_human_label_there_is_no_label() -> None:
    y = torch.tensor([2.0, 1.0, -1.0, -2.0, float("nan")])
    lacking = {"audio": torch.tensor([False, True, False, False, False])}
    views = random_views(5)
    objective = begun(views, y)
    for _ in range(3):
        objective.start_epoch()
        for rows in (torch.tensor([0, 1, 2]), torch.tensor([4, 3])):
            out = output_of(views, rows, torch.full((5,), 9.0), lacking)
            assert np.isfinite(step(objective, out, y, rows)["task(audio)"])
    found = objective.per_clip()["audio"]
    assert found.isnan().tolist() == [False, True, False, False, True]
    assert objective.centres["audio"].counts.tolist() == [1, 2]
    assert step(
        objective, output_of(views, torch.tensor([1]), y, lacking), y, torch.tensor([1])
    ) == {"task(audio)": 0.0}


def test_in_evaluation_nothing_moves() -> None:
    y, views = torch.randn(9), random_views(9)
    objective = begun(views, y)
    run(objective, y, lambda _: views, epochs=2, batch=4)
    before = {k: v.clone() for k, v in objective.state_dict().items()}
    objective.eval()
    step(objective, output_of(random_views(9, 5), torch.arange(9), y), y, torch.arange(9))
    assert all(v.equal(before[k]) for k, v in objective.state_dict().items())


def test_state_goes_through_a_state_dict_and_through_wrappers() -> None:
    y, views = torch.randn(9), random_views(9)
    first, second = begun(views, y), begun(views, torch.zeros(9))
    run(first, y, lambda _: views, epochs=3, batch=4)
    second.load_state_dict(first.state_dict())
    assert all(v.equal(second.per_clip()[k]) for k, v in first.per_clip().items())
    wrapped = Sum(Supervised(Regression()), LearnedWeights(first))
    assert wrapped.per_clip().keys() == {"multimodal", "audio"}
    wrapped.begin(clips_of(torch.ones(3)))
    assert wrapped.per_clip()["multimodal"].equal(torch.ones(3))


def test_what_must_come_before_is_asked_for() -> None:
    objective = UnimodalLabels({"audio": 3, "fused": 5})
    y, views = torch.randn(4), random_views(4)
    out = output_of(views, torch.arange(4), y)
    with pytest.raises(ValueError, match=r"call begin\(clips\)"):
        step(objective, out, y, torch.arange(4))
    objective.begin(clips_of(y))
    assert objective.label_range == (y.min(), y.max())
    with pytest.raises(ValueError, match=r"call start_epoch\(\)"):
        step(objective, out, y, torch.arange(4))
    two = Clips(["a"], np.zeros((1, 2), np.float32), {}, [""], [""])
    with pytest.raises(ValueError, match="one label column; the data has 2"):
        objective.begin(two)


def _one_of_two(rank: int, folder: str, y: Tensor, views: dict[str, Tensor]) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    objective = begun(views, y)
    for epoch in range(3):
        objective.start_epoch()
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(epoch))
        for rows in order.split(6):
            mine = rows[rank * 4 : rank * 4 + 4]  # of unlike sizes
            step(objective, output_of(views, mine, y), y, mine)
    torch.save(objective.state_dict(), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_keep_the_state_of_one(tmp_path: Path) -> None:
    y, views = torch.randn(24), random_views(24)
    one = begun(views, y)
    for epoch in range(3):
        one.start_epoch()
        order = torch.randperm(24, generator=torch.Generator().manual_seed(epoch))
        for rows in order.split(6):
            step(one, output_of(views, rows, y), y, rows)
    multiprocessing.spawn(_one_of_two, (str(tmp_path), y, views), nprocs=2)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, value in one.state_dict().items():
            torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-6)
