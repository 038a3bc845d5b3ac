"""Explanations: of a run with a penalty and of one without, as an object, JSON and a page."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from infofuse.analysis.explanation import explain
from infofuse.analysis.explanation_page import page
from infofuse.cli import app
from infofuse.data import Corpus, DataSpec, write_store
from infofuse.training import resolve, train
from infofuse.training.checkpoint import load_with_penalties
from infofuse.types import Clips, Sample

SPEC = DataSpec("planted", {"audio": 3, "vision": 4}, text=True, metrics="mosi")


def clips(n: int, seed: int) -> Clips:
    """Audio and vision that show one score; the words are a trap for whoever writes HTML."""
    rng = np.random.default_rng(seed)
    samples = []
    for i in range(n):
        score = rng.standard_normal()
        frames = {
            m: (score + 0.3 * rng.standard_normal((rng.integers(3, 7), width))).astype("f4")
            for m, width in SPEC.features.items()
        }
        text = '<script>alert("x")</script>'
        samples.append(Sample(f"clip & {i}", frames, text, float(np.clip(score, -3, 3))))
    return Clips.of(samples, SPEC.features)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    sizes = {"train": 160, "valid": 32, "test": 60}
    return Corpus(SPEC, {name: clips(n, seed) for seed, (name, n) in enumerate(sizes.items())})


@pytest.fixture(scope="module")
def run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("explain") / "run"
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"modalities": ["audio", "vision"], "alpha": 0.0, "beta": 0.0},
        "plus": {"mdm": {"penalty": "f", "placement": "codes", "unroll": 2}},
        "train": {"epochs": 8, "lr": 3e-3, "patience": 8},
    }
    train(resolve(tables), out, corpus=corpus)
    return out / "seed-1111"


def test_the_critic_of_the_checkpoint_tells_clips_from_mixtures(run: Path, corpus: Corpus) -> None:
    model, penalties = load_with_penalties(run / "checkpoint")
    found = explain(model, corpus.split("test"), corpus.spec.task, penalties[0])
    assert found.auc is not None
    assert found.auc > 0.7
    assert found.agreement is not None
    ordered = found.agreement[found.order()]
    assert (np.diff(ordered) >= 0).all()
    values = found.attribution.values
    total = sum(values.values()) + found.attribution.predictions[()]
    np.testing.assert_allclose(total, found.attribution.whole, atol=1e-5)


def test_without_a_penalty_nothing_is_said_of_agreement(run: Path, corpus: Corpus) -> None:
    model, _ = load_with_penalties(run / "checkpoint")
    found = explain(model, corpus.split("valid"), corpus.spec.task)
    assert found.agreement is None
    assert found.to_json()["auc"] is None
    assert "without a dependency penalty" in page(found, "x")


def test_classes_are_explained_by_the_chance_of_the_likeliest(
    corpus: Corpus, tmp_path: Path
) -> None:
    spec = replace(
        SPEC, metrics="classification", classes=("down <b>", "middling", "up"), label_range=None
    )
    splits = {
        name: replace(part, labels=(np.digitize(part.labels, [-0.5, 0.5])).astype(np.float32))
        for name, part in corpus.splits.items()
    }
    moods = Corpus(spec, splits)
    tables = {
        "paper": "lf_dnn",
        "data": "given",
        "model": {"modalities": ["audio", "vision"]},
        "train": {"epochs": 3},
    }
    train(resolve(tables), tmp_path / "run", corpus=moods)
    model, _ = load_with_penalties(tmp_path / "run/seed-1111/checkpoint")
    found = explain(model, moods.split("test"), moods.spec.task)
    chances, likeliest = found.attribution.whole, found.answers[:, 0].astype(int)
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-5)
    assert [found.shown(i) for i in range(60)] == likeliest.tolist()
    assert found.words(found.answers[0]) == spec.classes[likeliest[0]]
    first = found.to_json()["clips"][0]
    assert first["answer"] == [spec.classes[likeliest[0]]]
    text = page(found, "x")
    assert "down &lt;b&gt;" in text or "down <b>" not in str(first)
    assert "<b>" not in text
    assert f">{chances[0, likeliest[0]]:.2f}<" in text
    write_store(moods, tmp_path / "data")
    shown = CliRunner().invoke(app, ["explain", str(tmp_path / "run"), str(tmp_path / "data")])
    assert shown.exit_code == 0, shown.output
    assert any(name in shown.output for name in spec.classes)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_in_a_browser(run: Path, corpus: Corpus, browser: Any, width: int, scheme: str) -> None:
    model, penalties = load_with_penalties(run / "checkpoint")
    found = explain(model, corpus.split("test"), corpus.spec.task, penalties[0])
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown.set_content(page(found, "x"))
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    words = shown.query_selector("td.text.long")
    assert words.bounding_box()["width"] > 200
    paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    shown.close()


class Tags(HTMLParser):
    """Counts tags, and checks that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass


def test_the_page_is_whole_and_what_clips_say_is_escaped(
    run: Path, corpus: Corpus, tmp_path: Path
) -> None:
    write_store(corpus, tmp_path / "data")
    words = ["explain", str(run), str(tmp_path / "data"), "--clips", "3"]
    out = tmp_path / "page.html"
    shown = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert shown.exit_code == 0, shown.output
    assert max(map(len, shown.output.splitlines())) <= 80
    text = out.read_text()
    assert "alert(&quot;x&quot;)" in text
    assert "http" not in text
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.count["script"] == 1
    assert tags.count["tr"] == 1 + 2 + 1 + 60
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert len(told["clips"]) == 60
    assert sum(told["modalities"].values()) == pytest.approx(1)
    refused = CliRunner().invoke(app, [*words, "--out", "a.csv"])
    assert "should end in .html" in str(refused.exception)
