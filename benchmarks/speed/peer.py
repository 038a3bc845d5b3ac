#!/usr/bin/env python3
"""What an epoch of one of MMSA's models costs: run in its own environment, prints one JSON line.

    python benchmarks/speed/peer.py mmim --data FOLDER --text ENCODER [--steps N]

MMSA 2.2.1 does not run as it is without CUDA, with today's torch, or with an encoder of another
width than 768; what is changed below is the least that makes it run, and none of it is slower.
"""

import argparse
import contextlib
import json
import logging
import os
import resource
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}
import MMSA
import torch
from MMSA import run as mmsa


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Cut:
    """The first batches of a loader."""

    def __init__(self, loader: Any, most: int):
        self.loader, self.dataset, self.most = loader, loader.dataset, most

    def __len__(self) -> int:
        return min(self.most, len(self.loader))

    def __iter__(self) -> Any:
        return islice(iter(self.loader), self.most)


class Trained(Exception):
    """The training pass is over."""


def configured(name: str, data: Path, text: Path) -> Any:
    config = MMSA.get_config_regression(name, "mosi")
    kind = "aligned" if config.need_data_aligned else "unaligned"
    folder = tempfile.mkdtemp()
    config.update(
        featurePath=str(data / f"{kind}_50.pkl"),
        pretrained=str(text),
        device=torch.device("cpu"),
        train_mode="regression",
        custom_feature=None,
        feature_T=None,
        feature_A=None,
        feature_V=None,
        cur_seed=1,
        model_save_path=f"{folder}/model.pth",
        res_save_dir=folder,
    )
    return config


def repair(name: str, config: Any, text: Path) -> None:
    """torch's scheduler has lost an argument, and MAG-BERT names its encoder in the code."""
    import sys

    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau
    for module in [m for key, m in sys.modules.items() if key.startswith("MMSA.")]:
        if getattr(module, "ReduceLROnPlateau", None) is plateau:
            module.ReduceLROnPlateau = lambda *a, verbose=None, **k: plateau(*a, **k)
    if name == "bert_mag":
        kind = sys.modules["MMSA.models.singleTask.BERT_MAG"].MAG_BertForSequenceClassification
        load = kind.from_pretrained.__func__
        kind.from_pretrained = classmethod(lambda cls, _, *a, **k: load(cls, str(text), *a, **k))


def built(name: str, config: Any, width: int) -> Any:
    """The model, where the encoder's width was taken to be 768."""
    if config.get("use_bert"):
        config["feature_dims"][0] = width
        if "text_out" in config:
            config["text_out"] = width
    model = mmsa.AMIO(config)
    if name == "misa":
        model.Model.project_t.project_t = torch.nn.Linear(width, config.hidden_size)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="batches of a pass, all where not given")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("MMSA").setLevel(logging.ERROR)
    name, text = arguments.model, arguments.text
    config = configured(name, arguments.data, text)
    repair(name, config, text)
    mmsa.setup_seed(1)
    width = json.loads((text / "config.json").read_text())["hidden_size"]
    if name == "self_mm":
        config["text_out"] = width
    loaders = mmsa.MMDataLoader(config, 0)
    model = built(name, config, width)
    whole = len(loaders["train"])
    steps = min(arguments.steps or whole, whole)
    loaders["train"] = Cut(loaders["train"], steps)
    trainer = mmsa.ATIO().getTrain(config)
    evaluate, marks = trainer.do_test, {}

    def stop(*_: Any, **__: Any) -> None:
        marks["end"] = (cpu(), time.perf_counter())
        raise Trained

    trainer.do_test = stop
    start = (cpu(), time.perf_counter())
    with contextlib.suppress(Trained):
        trainer.do_train(model, loaders)
    trained = [(b - a) * whole / steps for a, b in zip(start, marks["end"], strict=True)]
    before = (cpu(), time.perf_counter())
    evaluate(model, loaders["test"], mode="TEST")
    after = (cpu(), time.perf_counter())
    print(
        json.dumps(
            {
                "epoch_cpu": trained[0],
                "epoch_wall": trained[1],
                "test_cpu": after[0] - before[0],
                "steps": steps,
                "of": whole,
                "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
