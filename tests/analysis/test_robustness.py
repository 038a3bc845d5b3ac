"""Robustness curves: their ends are known, and the modality that matters is the one that hurts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infofuse.analysis.robustness import Curve, robustness
from infofuse.data import Corpus
from infofuse.data.store import write_store
from infofuse.data.synthetic import synthesize
from infofuse.errors import InfofuseError
from infofuse.training import evaluate, load, predictions, resolve, train
from infofuse.training.protocol import find_checkpoint
from infofuse.types import Ragged


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Audio tells the label, vision does not, and there is no text."""
    shares = ["redundant=0", "unique.text=0", "unique.audio=0.9", "unique.vision=0"]
    made = synthesize("demo", 5, [*shares, "train=200", "valid=40", "test=80"])
    splits = {name: _without_text(clips) for name, clips in made.splits.items()}
    return Corpus(replace(made.spec, text=False), splits)


def _without_text(clips):  # type: ignore[no-untyped-def]
    return replace(clips, texts=[""] * len(clips))


@pytest.fixture(scope="module")
def run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("robustness") / "run"
    tables = {
        "paper": "mmim",
        "data": "given",
        "seeds": [1, 2],
        "model": {"alpha": 0.0, "beta": 0.0},
        "train": {"epochs": 12, "lr": 5e-3},
    }
    train(resolve(tables), out, corpus=corpus)
    return out


def test_the_ends_are_known(run: Path, corpus: Corpus) -> None:
    clips, task = corpus.split("test"), corpus.spec.task
    model = load(run / "seed-1/checkpoint")
    curves = robustness([model], clips, task, corruptions=["absent"], rates=[1.0])
    plain = evaluate(find_checkpoint(run / "seed-1"), corpus)["scores"]
    audio = {c.metric: c for c in curves if c.modality == "audio"}
    assert audio["mae"].rates == (0.0, 1.0)
    assert audio["mae"].scores[0, 0] == pytest.approx(plain["mae"], abs=1e-6)
    column = clips.features["audio"]
    gone = Ragged(column.values[:0], np.zeros(len(clips) + 1, np.int64))
    silent = replace(clips, features=clips.features | {"audio": gone})
    expected = task.score(predictions(model, silent), clips.labels)["mae"]
    assert audio["mae"].scores[0, 1] == pytest.approx(expected, abs=1e-6)


def test_the_modality_that_tells_is_the_one_that_is_missed(run: Path, corpus: Corpus) -> None:
    models = [load(run / f"seed-{seed}/checkpoint") for seed in (1, 2)]
    curves = robustness(models, corpus.split("test"), corpus.spec.task, rates=[0.5, 1.0])
    corr = {(c.modality, c.corruption): c for c in curves if c.metric == "corr"}
    assert len(corr) == 10
    for corruption in ("masked", "noised", "swapped"):
        audio, vision = corr["audio", corruption].area, corr["vision", corruption].area
        assert (audio < vision).all(), corruption
    whole = corr["audio", "swapped"].scores[:, 0]
    assert (whole > 0.5).all()
    assert (np.abs(corr["audio", "swapped"].scores[:, -1]) < 0.35).all()


def test_retention_and_area() -> None:
    falling = Curve("audio", "masked", "corr", (0.0, 0.5, 1.0), np.array([[0.8, 0.6, 0.0]]))
    np.testing.assert_allclose(falling.retention, [[1, 0.75, 0]])
    np.testing.assert_allclose(falling.area, [(1 + 0.75) / 4 + 0.75 / 4])
    np.testing.assert_allclose(falling.at(0.5), [0.75])
    assert np.isnan(falling.at(0.25)).all()  # was not measured
    rising = Curve("audio", "masked", "mae", (0.0, 1.0), np.array([[0.5, 1.0]]))
    np.testing.assert_allclose(rising.retention, [[1, 0.5]])
    short = Curve("audio", "masked", "mae", (0.0, 0.3), np.array([[0.5, 1.0]]))
    assert np.isnan(short.at(0.5)).all()
    np.testing.assert_allclose(short.score_at(0.3), [1.0])
    nothing = Curve("audio", "masked", "corr", (0.0, 1.0), np.array([[-0.1, 0.1], [0.0, 0.1]]))
    assert np.isnan(nothing.retention).all()
    assert np.isnan(nothing.area).all()


@pytest.mark.parametrize("rates", [(-0.5, 0.5), (1.5,), (float("nan"), 0.5)])
def test_rates_are_shares(rates: tuple[float, ...], corpus: Corpus) -> None:
    with pytest.raises(InfofuseError, match=r"rates lie in \[0, 1\]; found"):
        robustness([], corpus.split("test"), corpus.spec.task, rates=rates)


def test_an_unknown_corruption_is_answered_with_the_nearest(run: Path, corpus: Corpus) -> None:
    with pytest.raises(InfofuseError, match="masked"):
        robustness([], corpus.split("test"),
                   corpus.spec.task, corruptions=["maskd"])  # fmt: skip


def test_command(run: Path, corpus: Corpus, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from infofuse.cli import app

    write_store(corpus, tmp_path / "data")
    words = ["robustness", str(run), str(run / "seed-1"), str(tmp_path / "data")]
    options = ["--corruptions", "absent,masked,", "--rates", "0,0.5,1"]
    picture = tmp_path / "curves.png"
    shown = CliRunner().invoke(app, [*words, *options, "--metric", "mae", "--out", str(picture)])
    assert shown.exit_code == 0, shown.output
    assert "audio masked" in shown.output
    assert max(map(len, shown.output.splitlines())) <= 80
    assert picture.read_bytes().startswith(b"\x89PNG")
    told = CliRunner().invoke(app, [*words, *options, "--json"])
    answer = json.loads(told.stdout)
    first = answer[str(run)][0]
    assert len(first["scores"]) == 2
    assert first["rates"] == [0.0, 0.5, 1.0]
    assert json.loads((run / "seed-1/openings.json").read_text())
    short = CliRunner().invoke(app, [*words, "--corruptions", "absent", "--rates", "0.3"])
    assert short.output.splitlines()[-1].split()[-4:-1] == ["–", "–", "–"]  # p = .5 and 1, kept
    for option, why in (
        (["--metric", "MAE"], "unknown metric 'MAE'"),
        (["--metric", "uar"], "unknown metric of this data 'uar'"),
        (["--rates", "0"], "no rate is above 0"),
    ):
        refused = CliRunner().invoke(app, [*words, "--corruptions", "absent", *option])
        assert why in str(refused.exception)


def test_scores_are_by_what_the_model_was_trained_for(
    run: Path, corpus: Corpus, tmp_path: Path
) -> None:
    """Labels that stay in [-1, 1] look like another scale; the checkpoint knows its own."""
    from typer.testing import CliRunner

    from infofuse.cli import app

    test = corpus.split("test")
    small = replace(test, labels=test.labels.clip(-1, 1))
    spec = replace(corpus.spec, metrics="sims", label_range=(-1.0, 1.0))
    write_store(Corpus(spec, {"test": small}), tmp_path / "small")
    words = ["robustness", str(run / "seed-1"), str(tmp_path / "small"), "--rates", "1", "--json"]
    told = CliRunner().invoke(app, [*words, "--corruptions", "absent"])
    (curves,) = json.loads(told.stdout).values()
    mae = next(c["scores"][0][0] for c in curves if c["metric"] == "mae")
    assert mae == pytest.approx(
        evaluate(find_checkpoint(run / "seed-1"), Corpus(spec, {"test": small}))["scores"]["mae"]
    )
    two = replace(small, labels=np.repeat(small.labels, 2, axis=1))
    write_store(Corpus(replace(spec, outputs=2), {"test": two}), tmp_path / "two")
    refused = CliRunner().invoke(app, ["robustness", words[1], str(tmp_path / "two")])
    assert "2 label columns and the model predicts 1" in str(refused.exception)
