#!/usr/bin/env python3
"""What an epoch of one of our papers costs; prints one JSON line. See bench.py.

    python benchmarks/speed/ours.py mmim FILE [--set KEY=VALUE …] [--limit]

With --limit also the epoch's pure text encoder: its forward and backward pass and its fused Adam
step over the same clips in batches of the same size, and nothing else.
"""

import argparse
import json
import resource
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import torch

from infofuse.data import Corpus, open_corpus
from infofuse.data.loader import Loader
from infofuse.encoders import TextEncoder
from infofuse.models import columns
from infofuse.training.loop import Trainer, TrainingData, Workplace
from infofuse.training.observer import Observer, Step
from infofuse.training.predict import predict
from infofuse.training.prepare import prepare
from infofuse.training.recipe import Recipe, resolve

ROOT = Path(__file__).parents[2]
Mark = tuple[float, float]


def now() -> Mark:
    """CPU seconds of this process, and the clock's."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, time.perf_counter()


def recipe_of(paper: str, changes: list[str]) -> Recipe:
    file = ROOT / "recipes" / "mosi" / f"{paper}.toml"
    tables = (
        tomllib.loads(file.read_text()) if file.is_file() else {"paper": paper, "data": "given"}
    )
    return resolve(tables, ["seeds=1", "train.epochs=2", *changes])


def trained(recipe: Recipe, corpus: Corpus) -> dict[str, Any]:
    """The last epoch's training passes, and a pass over the test split."""
    train, valid, test = (corpus.split(name) for name in ("train", "valid", "test"))
    model, objective = prepare(recipe, corpus.spec, train, 1)
    size = recipe.train.batch_size
    loaders = [Loader(columns(model, c), c.labels, size) for c in (train, valid, test)]
    marks: dict[str, Mark] = {}

    class Watch(Observer):
        def step(self, step: Step) -> None:
            validation = step.what == "validation"
            if step.epoch == recipe.train.epochs and (step.done == 0 or validation):
                marks["end" if validation else "start"] = now()

    with tempfile.TemporaryDirectory() as folder:
        data = TrainingData(*loaders[:2], corpus.spec)
        Trainer(model, objective, data, recipe, Workplace(Path(folder)), Watch()).fit()
    before = now()
    predict(model.eval(), loaders[2])
    after = now()
    return {
        "epoch_cpu": marks["end"][0] - marks["start"][0],
        "epoch_wall": marks["end"][1] - marks["start"][1],
        "test_cpu": after[0] - before[0],
        "steps": len(loaders[0]),
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }


def encoder_alone(source: str, corpus: Corpus, size: int) -> float:
    """CPU seconds of the second epoch of a text encoder that learns from nothing but itself."""
    train = corpus.split("train")
    encoder = TextEncoder(source).train()
    loader = Loader({"text": encoder.column(train)}, train.labels, size)
    adam = torch.optim.Adam(encoder.parameters(), lr=5e-5, fused=True)
    spent = 0.0
    for epoch in (1, 2):
        start = now()[0]
        for batch in loader.epoch(epoch):
            encoder(batch.inputs["text"]).square().mean().backward()
            adam.step()
            adam.zero_grad()
        spent = now()[0] - start
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paper")
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--limit", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe, corpus = recipe_of(arguments.paper, arguments.set), open_corpus(arguments.data)
    found = trained(recipe, corpus)
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if arguments.limit:
        size = recipe.train.batch_size
        found["encoder_cpu"] = encoder_alone(recipe.model.text_encoder, corpus, size)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
