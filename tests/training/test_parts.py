"""Rates of parts, gradients over several batches, added terms, and what is kept of each clip."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from infofuse import papers
from infofuse.data import Corpus, DataSpec
from infofuse.data.loader import Loader
from infofuse.errors import InfofuseError
from infofuse.models import columns, fit_inputs
from infofuse.papers import self_mm
from infofuse.training import load, resolve, train
from infofuse.training.observer import Observer, Step
from infofuse.training.optimizers import clip_gradients, optimizers
from infofuse.training.prepare import untrained
from infofuse.training.recipe import Part, TrainConfig, recipe


def go(corpus: Corpus, out: Path, paper: str = "self_mm", **more: Any) -> dict[str, Any]:
    made = recipe(paper, **{"train": {"epochs": 1, "batch_size": 16}, "seeds": 5, **more})
    return train(made, out, corpus=corpus, test=False, snapshot_seconds=0.0)


def test_parts_learn_at_their_own_rates(small_corpus: Corpus, tiny_bert: str) -> None:
    model, objective = self_mm.build(self_mm.Config(text_encoder=tiny_bert), small_corpus.spec)
    config = TrainConfig(
        lr=1e-3,
        lr_text=1e-5,
        weight_decay=0.1,
        parts={
            "encoders": Part(weight_decay=0.0),
            "encoders.audio": Part(lr=5e-3),
            "encoders.smell": Part(lr=1.0),  # a modality that this data lacks
        },
    )
    optimizer, _ = optimizers(model, objective, config)
    rates = {
        id(p): (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]
    }
    found = {
        name.split(".")[1] if name.startswith("enc") else "": rates[id(p)]
        for name, p in model.named_parameters()
    }
    assert found == {"text": (1e-5, 0), "audio": (5e-3, 0), "vision": (1e-3, 0), "": (1e-3, 0.1)}
    with pytest.raises(InfofuseError, match="did you mean 'encoders'"):
        optimizers(model, objective, TrainConfig(parts={"encoder.audio": Part(lr=1.0)}))


def test_what_learns_apart_has_a_decay_of_its_own() -> None:
    """A backbone's decay, which may be large, would hold down what sees the dependence."""
    spec = DataSpec("x", {"audio": 3, "vision": 4})
    config = recipe("lf_dnn", train={"weight_decay": 0.5}, plus={"mdm": {}})
    model, objective = papers.build(config.paper, config.model, spec, config.plus)
    first, second = optimizers(model, objective, config.train)
    assert {group["weight_decay"] for group in first.param_groups} == {0.5}
    assert second is not None
    assert {group["weight_decay"] for group in second.param_groups} == {1e-4}
    free = dataclasses.replace(config.train, weight_decay_estimator=0.0)
    assert optimizers(model, objective, free)[1].defaults["weight_decay"] == 0


def test_parts_and_added_terms_in_a_recipe() -> None:
    tables = {"paper": "mmim", "data": "x", "plus": {"dma": {"text_audio": 0.5}}}
    made = resolve(tables, ['train.parts."encoders.audio".lr=0.1', "plus.dma.align=cross"])
    assert made.train.parts == {"encoders.audio": Part(lr=0.1)}
    assert made.plus["dma"].align == "cross"
    assert resolve(made.to_dict()) == made
    assert "plus" not in recipe("mmim").to_dict()
    with pytest.raises(InfofuseError, match=r"mmim has no term to add .* known: dma"):
        recipe("mmim", plus={"mmim": {}})
    with pytest.raises(InfofuseError, match=r"plus\.dma\.text_adio.*plus\.dma\.text_audio"):
        recipe("mmim", plus={"dma": {"text_adio": 1}})
    with pytest.raises(InfofuseError, match="lrr"):
        recipe("mmim", train={"parts": {"encoders": {"lrr": 1}}})


QUIET = {"modalities": ["audio", "vision"], "unimodal": 0.0, "fusion_dropout": 0.0}


def test_accumulated_gradients_are_the_mean_over_the_batches(
    small_corpus: Corpus, tmp_path: Path
) -> None:
    """Three batches of 16 in one epoch; a step of the first two, and one of the last alone."""
    settings = {"epochs": 1, "batch_size": 16, "accumulate": 2}
    model_choices = QUIET | {"audio_dropout": 0.0, "vision_dropout": 0.0}
    go(small_corpus, tmp_path / "run", model=model_choices, train=settings)
    found = load_file(tmp_path / "run/seed-5/checkpoint/model.safetensors")

    torch.manual_seed(5)
    made = recipe("self_mm", model=model_choices, train=settings)
    model, objective = self_mm.build(made.model, small_corpus.spec)
    clips = small_corpus.split("train")
    fit_inputs(model, clips)
    optimizer, _ = optimizers(model, objective, made.train)
    batches = list(Loader(columns(model, clips), clips.labels, 16, 5).epoch(1))
    assert len(batches) == 3
    for together in (batches[:2], batches[2:]):
        losses = [objective(model(batch), batch)["task"].loss for batch in together]
        torch.stack(losses).mean().backward()
        clip_gradients([model], 1.0)
        optimizer.step()
        optimizer.zero_grad()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-5)


class Stop(Exception):
    pass


@pytest.mark.parametrize("paper", ["self_mm", "dma"])
def test_generated_labels_survive_a_stop_in_equal_bits(
    small_corpus: Corpus, tmp_path: Path, paper: str
) -> None:
    """Stopped in the middle of the fourth epoch; views and labels of the first three are kept."""
    tables = {
        "paper": paper,
        "data": "given",
        "seeds": 5,
        "model": {"modalities": ["audio", "vision"]},
        "train": {"epochs": 5, "batch_size": 16, "accumulate": 2, "modality_dropout": 0.2},
    }

    def run(name: str, until: int = 99) -> Path:
        class Stopping(Observer):
            def step(self, step: Step) -> None:
                if (step.epoch, step.done, step.what) == (until, 2, "training"):
                    raise Stop

        train(
            resolve(tables), tmp_path / name, corpus=small_corpus, test=False,
            observers=[Stopping()], snapshot_seconds=0.0,
        )  # fmt: skip
        return tmp_path / name / "seed-5"

    whole = run("whole")
    with pytest.raises(Stop):
        run("broken", until=4)
    broken = run("broken")
    one, two = (load_file(f / "checkpoint/model.safetensors") for f in (whole, broken))
    assert all(one[name].equal(two[name]) for name in one)
    one, two = (json.loads((f / "training_clips.json").read_text()) for f in (whole, broken))
    assert one == two
    assert one["id"] == list(small_corpus.split("train").ids)
    assert one["audio"] != one["multimodal"]


def test_a_term_is_added_to_another_paper(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    go(
        small_corpus, tmp_path / "run", "mmim",
        model={"text_encoder": tiny_bert}, plus={"dma": {"text_vision": 0.0}},
    )  # fmt: skip
    history = json.loads((tmp_path / "run/seed-5/history.json").read_text())
    assert {"align(text;audio)", "align(audio;vision)", "I(fused;text)"} <= history[0].keys()
    assert "align(text;vision)" not in history[0]
    card = (tmp_path / "run/seed-5/checkpoint/README.md").read_text()
    assert '"plus.dma"' in card
    assert not (tmp_path / "run/seed-5/training_clips.json").exists()


def test_the_untrained_model_is_the_one_that_training_began_with(
    small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    """Trained at a rate of next to nothing, the two are next to equal."""
    settings = {"epochs": 1, "lr": 1e-12, "lr_text": 1e-12}
    go(small_corpus, tmp_path / "run", model={"text_encoder": tiny_bert}, train=settings)
    folder = tmp_path / "run/seed-5/checkpoint"
    before = untrained(folder, small_corpus.split("train"))
    after = load(folder)
    for name, value in after.state_dict().items():
        torch.testing.assert_close(value, before.state_dict()[name], atol=1e-8, rtol=1e-5)
