#!/usr/bin/env python3
"""Training and evaluation beside MMSA 2.2.1: same file, text encoder, batches and steps, in turn.

    make speed-env                                           # once: MMSA in .venv-mmsa
    python benchmarks/speed/bench.py run                     # goes on where it stopped
    python benchmarks/speed/bench.py page                    # writes results/speed.md

Each measurement is a process of its own with one torch thread; the peer's and ours alternate, and
what changes places is who begins. CPU seconds of an epoch's training (all its passes) and of
the test split's evaluation, and the process's peak resident memory. Where a whole epoch of
the peer takes minutes, it is given its first steps only: it pads all clips to the same length, so
that its steps cost the same. Ours is the second of two epochs, or the first where it takes minutes.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from page import write

from infofuse.encoders.pretrained import minilm_folder
from infofuse.files import write_json

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATA = ROOT / "data" / "speed"
BASE = ROOT / "data" / "bert_base_like"
PEER = ROOT / ".venv-mmsa" / "bin" / "python"
CELLS = ROOT / "benchmarks" / "results" / "speed"
FEATURES = "model.text_encoder=features"
TUNED = "model.freeze_text=false"


@dataclass(frozen=True)
class System:
    """One of MMSA's models and the paper that is ours.

    sets: choices of our recipe: sizes, batch size and accumulation are MMSA's. goal: how
    many times faster. peer_steps: of the peer's epoch, if not all. text: the encoder. pairs: of
    measurements, one of each side.
    """

    peer: str
    paper: str
    sets: tuple[str, ...]
    goal: float
    peer_steps: int | None = None
    text: str = "minilm"
    aligned: bool = False
    pairs: int = 3

    @property
    def name(self) -> str:
        return f"{self.peer}-{self.text}"


def sizes(**choices: int) -> tuple[str, ...]:
    """What makes ours as large as MMSA 2.2.1's, where the recipe is otherwise."""
    return tuple(f"model.{name}={value}" for name, value in choices.items())


MFN = sizes(
    text_hidden=256, audio_hidden=32, vision_hidden=256,
    attention=32, proposal=64, retain=256, update=32, fusion=128,
)  # fmt: skip
EF_LSTM = sizes(hidden=128, layers=4)
TFN = sizes(text_width=32, audio_width=32, fusion=64)
LMF = sizes(text_hidden=128, text_width=64, audio_width=16, vision_width=128, fusion=1, rank=3)


def batches(size: int, accumulate: int = 1) -> tuple[str, ...]:
    return f"train.batch_size={size}", f"train.accumulate={accumulate}"


FINE_TUNED = {
    "mmim": System("mmim", "mmim", batches(32), 8, pairs=2),
    "self_mm": System("self_mm", "self_mm", batches(16, 4), 6, pairs=2),
    "misa": System("misa", "misa", (TUNED, *batches(16, 2)), 6, pairs=2),
    "bert_mag": System("bert_mag", "mag", (TUNED, *batches(32)), 6, aligned=True, pairs=2),
}
SYSTEMS = [
    *FINE_TUNED.values(),
    System("mult", "mult", (FEATURES, *batches(16, 8)), 50, peer_steps=4, pairs=2),
    System("mfn", "mfn", (FEATURES, *MFN, *batches(128)), 5, aligned=True),
    System("ef_lstm", "ef_lstm", (FEATURES, *EF_LSTM, *batches(32)), 3, aligned=True),
    System("tfn", "tfn", (FEATURES, *TFN, *batches(32)), 3),
    System("lmf", "lmf", (FEATURES, *LMF, *batches(64)), 2),
    System("lf_dnn", "lf_dnn", (FEATURES, *batches(128)), 2),
    *(
        System(s.peer, s.paper, s.sets, goal, 6, "bert-base-like", s.aligned, pairs=1)
        for s, goal in zip(FINE_TUNED.values(), (12, 8, 8, 8), strict=True)
    ),
]


def bert_base_like() -> None:
    """A BERT of bert-base's size with random weights, and MiniLM's tokenizer."""
    import shutil

    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    BertModel(BertConfig()).save_pretrained(BASE)
    for file in minilm_folder().iterdir():
        if "vocab" in file.name or "token" in file.name:
            shutil.copy(file, BASE)


def measure(system: System, side: str) -> dict[str, Any]:
    file = DATA / f"{'aligned' if system.aligned else 'unaligned'}_50.pkl"
    text = minilm_folder() if system.text == "minilm" else BASE
    if side == "peer":
        words: list[Any] = [PEER, HERE / "peer.py", system.peer, "--data", DATA, "--text", text]
        words += ["--steps", system.peer_steps] if system.peer_steps else []
    else:
        sets = list(system.sets)
        if system.text != "minilm":
            sets += [f"model.text_encoder={text}", "train.epochs=1"]
        words = [sys.executable, HERE / "ours.py", system.paper, file]
        words += [word for setting in sets for word in ("--set", setting)]
        words += [] if FEATURES in sets or system.text != "minilm" else ["--limit"]
    one = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(list(map(str, words)), env=one, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{system.name}, {side}: {done.stderr[-800:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def run(only: Sequence[str]) -> None:
    if not DATA.is_dir():
        subprocess.run([sys.executable, HERE / "corpus.py", DATA], check=True)
    if not BASE.is_dir():
        bert_base_like()
    for pair in range(max(system.pairs for system in SYSTEMS)):
        for system in SYSTEMS:
            cell = CELLS / f"{system.name}-{pair}.json"
            if cell.is_file() or pair >= system.pairs or (only and system.name not in only):
                continue
            sides = ("peer", "ours") if pair % 2 == 0 else ("ours", "peer")
            found = {side: measure(system, side) for side in sides}
            CELLS.mkdir(parents=True, exist_ok=True)
            write_json(cell, found)
            ratio = found["peer"]["epoch_cpu"] / found["ours"]["epoch_cpu"]
            print(f"{system.name} {pair}: {ratio:.1f} times", flush=True)


def pairs_of(system: System) -> list[dict[str, Any]]:
    return [json.loads(f.read_text()) for f in sorted(CELLS.glob(f"{system.name}-[0-9]*.json"))]


def times(values: Sequence[float]) -> str:
    """The median of ratios, with the least and the largest."""
    return f"{median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


def rows() -> Iterator[list[str]]:
    for system in SYSTEMS:
        found = pairs_of(system)
        if not found:
            continue

        def ratios(key: str, found: list[dict[str, Any]] = found) -> list[float]:
            return [pair["peer"][key] / pair["ours"][key] for pair in found]

        faster = ratios("epoch_cpu")
        limit = [p["ours"]["epoch_cpu"] / p["ours"]["encoder_cpu"] for p in found
                 if "encoder_cpu" in p["ours"]]  # fmt: skip
        yield [
            system.paper,
            "features" if FEATURES in system.sets else system.text,
            *(f"{median(p[side]['epoch_cpu'] for p in found):.1f}" for side in ("peer", "ours")),
            times(faster),
            f"{system.goal:g}: {'reached' if median(faster) >= system.goal else 'missed'}",
            times(ratios("test_cpu")),
            f"{median(p['peer']['peak_mb'] for p in found):,.0f} / "
            f"{median(p['ours']['peak_mb'] for p in found):,.0f}",
            f"{median(limit):.2f}" if limit else "–",
            str(len(found)),
        ]


HEADINGS = [
    "paper", "text", "MMSA, CPU s an epoch", "ours", "times faster", "goal", "test split, times",
    "peak MB, MMSA / ours", "epoch / encoder alone", "pairs",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("--only", nargs="+", default=[], help="systems, such as mmim-minilm")
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(arguments.only)
    else:
        write(HEADINGS, list(rows()))


if __name__ == "__main__":
    main()
