"""The dependence meter against Gaussians of known information, and what it warns of."""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import Call
from infofuse.analysis import Report, cautions, dependence, draw, views_of_clips, views_of_model
from infofuse.analysis.split import cut, half, units_of
from infofuse.data import Corpus
from infofuse.data.store import write_store
from infofuse.errors import InfofuseError
from infofuse.papers import mmim
from infofuse.training import checkpoint
from infofuse.training.recipe import recipe
from infofuse.types import Clips, Sample

QUICK = {"steps": 240, "permutations": 49, "resamples": 40}


def normal(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def partner(x: torch.Tensor, nats: float, seed: int) -> torch.Tensor:
    """y with I(x; y) = -d/2 ln(1 - rho^2)."""
    rho = math.sqrt(1 - math.exp(-2 * nats / x.shape[1]))
    return rho * x + math.sqrt(1 - rho**2) * normal(*x.shape, seed)


def three_views(n: int = 1600) -> dict[str, torch.Tensor]:
    """text and audio share 1.5 nats, text and vision 0.5, through different halves of text."""
    a, b = normal(n, 3, 1), normal(n, 3, 2)
    return {"text": torch.cat([a, b], 1), "audio": partner(a, 1.5, 3), "vision": partner(b, 0.5, 4)}


@pytest.fixture(scope="module")
def report() -> Report:
    return dependence(three_views(), **QUICK)


@pytest.mark.parametrize(
    ("pair", "truth"),
    [(("text", "audio"), 1.5), (("text", "vision"), 0.5), (("audio", "vision"), 0.0)],
)
def test_known_information_is_read_from_below(
    report: Report, pair: tuple[str, str], truth: float
) -> None:
    found = next(e for e in report.pairs if e.views == pair)
    assert found.nats == pytest.approx(truth, abs=0.3)
    assert found.interval[0] < found.nats < found.interval[1]
    assert found.interval[0] < truth
    assert found.interval[1] > truth - 0.25  # a bound: it may end a little under the truth
    assert (found.p <= 0.02) == (truth > 0)
    assert found.ceiling == pytest.approx(math.log(800))


def test_the_joint_value_is_the_total_correlation(report: Report) -> None:
    assert report.joint is not None
    assert report.joint.views == ("text", "audio", "vision")
    assert report.joint.estimator == "InfoNCE"
    assert report.joint.ceiling == pytest.approx(2 * math.log(800))
    assert 1.4 < report.joint.nats < 2.1  # the two parts add up: 1.5 + 0.5, read from below
    assert report.joint.nats > max(e.nats for e in report.pairs)
    assert report.joint.p <= 0.02


def test_a_view_made_of_the_others_on_few_clips_does_not_run_away() -> None:
    """Its total correlation has no limit: the estimate must stay under its ceiling, and high."""
    text, audio = normal(120, 6, 1), normal(120, 6, 2)
    views = {"text": text, "audio": audio, "fused": torch.tanh(torch.cat([text, audio], 1))}
    found = dependence(views, permutations=19, resamples=20)
    assert found.joint is not None
    assert found.joint.ceiling is not None
    assert 0.5 < found.joint.nats < found.joint.ceiling
    assert found.joint.interval[1] - found.joint.interval[0] < 2
    assert found.joint.p == 0.05


@pytest.mark.parametrize("estimator", ["GaussianInformation", "KSG"])
def test_measures_that_fit_nothing_read_all_clips(estimator: str) -> None:
    rho, common = 0.6, normal(900, 1, 5)
    views = {
        f"v{i}": math.sqrt(rho) * common + math.sqrt(1 - rho) * normal(900, 1, 6 + i)
        for i in range(3)
    }
    found = dependence(views, estimator, permutations=19, resamples=40)
    assert (found.fitted_on, found.estimated_on) == (0, 900)
    pair, total = -0.5 * math.log(1 - rho**2), -0.5 * math.log((1 - rho) ** 2 * (1 + 2 * rho))
    assert found.joint is not None
    for one, truth in [*((e, pair) for e in found.pairs), (found.joint, total)]:
        assert one.estimator == estimator
        assert one.nats == pytest.approx(truth, abs=0.1)
        assert one.interval[0] - 0.03 < truth < one.interval[1] + 0.03
        assert one.p == 0.05


def test_the_order_of_many_clips_does_not_matter() -> None:
    """Two clusters, one after the other, and nothing else that is shared: ln 2 nats."""
    cluster = torch.arange(2048).ge(1024).float().mul(10)[:, None]
    views = {name: cluster + normal(2048, 1, seed) for seed, name in enumerate(("text", "audio"))}
    found = dependence(views, "KSG", permutations=19, resamples=10).pairs[0]
    assert found.nats == pytest.approx(math.log(2), abs=0.05)
    assert found.interval[0] < math.log(2) < found.interval[1]
    assert found.p == 0.05


def test_a_half_holds_whole_groups_in_the_order_of_rows() -> None:
    units = torch.arange(40).remainder(8)
    rows = half(units)
    assert len(rows) == 20
    assert (rows.diff() > 0).all()
    assert units[rows].bincount(minlength=8).eq(0).sum() >= 3


def test_the_interval_is_as_wide_as_the_estimate_is_uncertain() -> None:
    """Over fresh samples, the deviation of an estimate is a quarter of its 95 % interval."""
    found = [
        dependence(
            {"x": (x := normal(300, 1, 100 + s)), "y": partner(x, 0.5, 200 + s)},
            "GaussianInformation", permutations=1, resamples=40,
        ).pairs[0]
        for s in range(50)
    ]  # fmt: skip
    widths = [e.interval[1] - e.interval[0] for e in found]
    assert np.mean(widths) / 3.92 == pytest.approx(np.std([e.nats for e in found]), rel=0.3)
    covered = [e.interval[0] < 0.5 < e.interval[1] for e in found]
    assert np.mean(covered) > 0.85


def test_without_dependence_p_is_spread_evenly() -> None:
    p = [
        dependence(
            {"x": normal(60, 2, 300 + s), "y": normal(60, 2, 400 + s)},
            "MutualDependency", seed=s, steps=20, permutations=9, resamples=2,
        ).pairs[0].p
        for s in range(40)
    ]  # fmt: skip
    assert 0.35 < np.mean(p) < 0.75
    assert np.mean(np.array(p) <= 0.1) < 0.3


def test_a_seed_gives_the_same_numbers_and_leaves_the_callers_randomness_alone() -> None:
    x = normal(120, 2, 7)
    views = {"x": x, "y": partner(x, 0.5, 8), "z": normal(120, 2, 9)}
    before = torch.get_rng_state()
    few = {"steps": 40, "permutations": 9, "resamples": 9}
    one, same, other = (dependence(views, seed=s, **few) for s in (3, 3, 4))
    assert one == same != other
    assert torch.equal(torch.get_rng_state(), before)
    alone = dependence({"x": x.numpy(), "z": views["z"].double().numpy()}, seed=3, **few)
    assert alone.pairs[0] == one.pairs[1]  # a pair does not hang on what else is measured
    assert json.loads(json.dumps(one.to_json()))["joint"]["views"] == ["x", "y", "z"]


def test_numbers_do_not_depend_on_units_of_measurement() -> None:
    x = normal(200, 2, 10)
    y, few = partner(x, 0.7, 11), {"steps": 60, "permutations": 9, "resamples": 9}
    plain = dependence({"x": x, "y": y}, **few).pairs[0]
    scaled = dependence({"x": 1024 * x, "y": y / 1024}, **few).pairs[0]
    assert scaled.nats == pytest.approx(plain.nats, abs=1e-3)


def test_warnings_come_when_they_should(report: Report) -> None:
    assert not any("near" in w or "few" in w or "collapsed" in w for w in report.warnings)
    few = {"steps": 20, "permutations": 9, "resamples": 9}

    constant = dependence({"x": normal(100, 2, 1), "y": torch.full((100, 2), 0.1)}, **few)
    assert constant.warnings[0].startswith("y has collapsed: it is the same for every clip")
    assert constant.pairs[0].p > 0.05
    half_dead = torch.cat([normal(100, 1, 2), 5 + 1e-6 * normal(100, 1, 3)], 1)
    partly = dependence({"x": normal(100, 2, 1), "y": half_dead}, **few)
    assert "y has collapsed in part: 1 of its 2 dimensions hardly vary." in partly.warnings

    small = dependence({"x": normal(20, 16, 1), "y": normal(20, 16, 2)}, **few)
    assert any("8 clips are few for the 32 dimensions:" in w for w in small.warnings)

    x = normal(200, 3, 4)
    at_ceiling = dependence({"x": x, "y": partner(x, 6.0, 5)}, **QUICK)
    assert at_ceiling.pairs[0].ceiling == pytest.approx(math.log(100))
    assert any("near the most that InfoNCE can show here (4.61)" in w for w in at_ceiling.warnings)

    dims = {("x", "y"): 4, ("x", "z"): 20, ("y", "z"): 30}
    assert cautions.of_sizes(dims, clips=200) == []
    (said,) = cautions.of_sizes(dims, clips=50)
    assert said.startswith("50 clips are few for the 20 to 30 dimensions of x, z; y, z:")


def test_an_estimate_under_zero_and_one_that_diverged_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = {"permutations": 9, "resamples": 9}
    views = {"x": normal(100, 2, 12), "y": normal(100, 2, 13)}
    untrained = dependence(views, steps=0, **few)
    assert untrained.pairs[0].nats < 0
    assert "under zero" in untrained.warnings[0]
    assert untrained.warnings[0].endswith("read it as none found.")
    unsure = dataclasses.replace(untrained.pairs[0], p=0.005)
    assert "there is some (p = 0.005)" in cautions.of_estimate(unsure)[0]
    monkeypatch.setattr("infofuse.analysis.critic.LEARNING_RATE", 1e30)
    assert "x, y: training diverged; do not use this number." in (
        dependence(views, "MINE", steps=50, **few).warnings
    )


def test_no_group_is_on_both_sides() -> None:
    groups = [f"video {i % 24}" for i in range(240)]
    units = units_of(groups, 240)
    parts = cut(units, 2)
    sides = [set(units[rows].tolist()) for rows in (parts.fit, parts.watched, parts.held)]
    assert [len(side) for side in sides] == [9, 3, 12]
    assert len(set.union(*sides)) == 24
    rows = torch.cat([parts.fit, parts.watched, parts.held])
    assert torch.equal(rows.sort().values, torch.arange(240))
    drawn = half(parts.units)
    assert len(drawn) == len(set(drawn.tolist())) == 60
    assert len(parts.units[drawn].unique()) == 6
    assert len(units_of(["", "", "a", "a"], 4).unique()) == 3


def test_groups_tell_memory_from_dependence() -> None:
    """Within a video both views are one point, and points of videos are independent."""
    videos = torch.arange(12).repeat_interleave(40)
    views = {"x": normal(12, 2, 14)[videos], "y": normal(12, 2, 15)[videos]}
    noisy = {name: v + 0.05 * normal(480, 2, i) for i, (name, v) in enumerate(views.items())}
    few = {"steps": 200, "permutations": 9, "resamples": 30}
    naive = dependence(noisy, **few)
    honest = dependence(noisy, groups=[f"v{int(i)}" for i in videos], **few)
    assert naive.pairs[0].nats > 1.5  # which of twelve videos a clip is of: up to ln 12
    assert honest.pairs[0].nats < 0.5
    assert "The estimates are of 6 groups only: intervals and p-values are rough." in (
        honest.warnings
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: dependence({"x": x, "y": x}, "InfoNEC"), "did you mean 'InfoNCE'"),
        (lambda x: dependence({"x": x, "y": x}, "CMD"), "unknown estimator in nats 'CMD'"),
        (lambda x: dependence({"x": x}), "found 1"),
        (lambda x: dependence({"x": x, "y": x[1:]}), "different numbers"),
        (lambda x: dependence({"x": x[:9], "y": x[:9]}), "at least 16 clips"),
        (lambda x: dependence({"x": x, "y": x / 0}), "'y' holds numbers that are not finite"),
        (lambda x: dependence({"x": x, "y": x}, groups=["a"] * 40), "40 clips in 1 groups"),
        (lambda x: dependence({"x": x, "y": x}, groups=["a"]), "1 groups; give one a clip"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    call: Callable[[torch.Tensor], Report], sentence: str
) -> None:
    with pytest.raises(InfofuseError, match=sentence):
        call(normal(40, 2, 16))


def test_the_picture_is_png_or_svg(report: Report, tmp_path: Path) -> None:
    draw(report, tmp_path / "a.png")
    draw(report, tmp_path / "a.svg")
    draw(report, tmp_path / "b.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    with pytest.raises(InfofuseError, match=r"\.png or \.svg"):
        draw(report, tmp_path / "a.gif")
    assert len(list(tmp_path.iterdir())) == 3


def test_views_of_clips_are_means_and_leave_out_the_incomplete() -> None:
    audio = np.arange(6, dtype=np.float32).reshape(3, 2)
    samples = [
        Sample("a", {"audio": audio, "vision": audio[:1]}, group="g"),
        Sample("b", {"audio": audio}, group="h"),
        Sample("c", {"audio": audio[1:], "vision": audio[2:]}, group="i"),
    ]
    clips = Clips.of(samples, {"audio": 2, "vision": 2})
    found = views_of_clips(clips)
    assert found.values["audio"].tolist() == [[2, 3], [3, 4]]
    assert found.values["vision"].tolist() == [[0, 1], [4, 5]]
    assert (found.groups, found.left_out) == (["g", "i"], 1)
    assert views_of_clips(clips, ["audio"]).left_out == 0
    with pytest.raises(InfofuseError, match="did you mean 'vision'"):
        views_of_clips(clips, ["vison"])


def test_views_of_a_model_are_in_the_clips_own_order(small_corpus: Corpus, tiny_bert: str) -> None:
    config = mmim.Config(text_encoder=tiny_bert)
    model, _ = mmim.build(config, small_corpus.spec)
    clips = small_corpus.split("train")
    found = views_of_model(model, clips)
    assert list(found.values) == ["text", "audio", "vision", "fused"]
    alone = views_of_model(model, clips.take([5]), ["audio"])
    np.testing.assert_allclose(found.values["audio"][5], alone.values["audio"][0], atol=1e-5)
    assert found.left_out == 0


def test_the_verb_measures_a_data_set(
    small_corpus: Corpus,
    tmp_path: Path,
    call: Call,
) -> None:
    data, picture = tmp_path / "corpus", tmp_path / "picture.png"
    write_store(small_corpus, data)
    words = (data, "--split", "train", "--estimator", "GaussianInformation")
    status, said, _ = call("measure", *words, "--json", "--out", picture)
    assert status == 0
    found = json.loads(said)
    assert found["pairs"][0]["views"] == ["audio", "vision"]
    assert (found["left_out"], found["estimated_on"], found["joint"]) == (0, 48, None)
    assert picture.read_bytes().startswith(b"\x89PNG")
    status, spoken, _ = call("measure", *words)
    assert status == 0
    assert "audio, vision" in spoken
    assert "95 % interval" in spoken
    assert "clips are few for" in spoken
    status, _, error = call("measure", data, "--split", "test")
    assert (status, "openings of the test split" in error) == (2, True)
    status, _, error = call("measure", data, "--out", "a.gif")
    assert (status, "should end in .png or .svg" in error) == (2, True)


def test_the_verb_measures_a_run_and_counts_what_it_opens(
    small_corpus: Corpus,
    tiny_bert: str,
    tmp_path: Path,
    call: Call,
) -> None:
    data, out = tmp_path / "corpus", tmp_path / "run" / "seed-1111"
    write_store(small_corpus, data)
    chosen = recipe("mmim", model={"text_encoder": tiny_bert})
    model, objective = mmim.build(mmim.Config(text_encoder=tiny_bert), small_corpus.spec)
    checkpoint.save(out / "checkpoint", model, objective, chosen, small_corpus.spec, {})
    words = ("--views", "audio,fused", "--estimator", "KSG", "--json")
    status, said, _ = call("measure", out, data, *words)
    assert status == 0
    found = json.loads(said)
    assert [pair["views"] for pair in found["pairs"]] == [["audio", "fused"]]
    assert found["estimated_on"] == len(small_corpus.split("valid"))
    assert not (out / "openings.json").exists()
    assert call("measure", out, data, *words, "--split", "test")[0] == 0
    assert len(json.loads((out / "openings.json").read_text())) == 1
    status, _, error = call("measure", tmp_path / "run")
    assert (status, "is a run: give the data set" in error) == (2, True)
    status, _, error = call("measure", out, data, "--views", "fusd,text")
    assert (status, "did you mean 'fused'" in error) == (2, True)
