"""results/speed.md, from what bench.py and parts.py kept."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infofuse.environment import versions
from markdown_table import tabled

PAGE = Path(__file__).parents[1] / "results" / "speed.md"
PARTS = PAGE.with_suffix("") / "parts.json"
SIZES = (32, 256, 2048)

PREFACE = """
# Speed

    make speed-env
    python benchmarks/speed/bench.py run
    python benchmarks/speed/parts.py
    python benchmarks/speed/bench.py page

## Beside MMSA 2.2.1

One file (1,284 / 229 / 686 clips of CMU-MOSI's lengths, random numbers, made by
benchmarks/speed/corpus.py), one text encoder, the same batch size and number of optimiser steps;
a process each, in turn, one torch thread. CPU seconds of one epoch's training with all its
passes, and of evaluating the test split. MMSA runs as it is, but for what keeps it from
starting without CUDA and with today's torch (peer.py says what). Of MulT and with the encoder of
BERT-base's size MMSA was given a few steps of the epoch: it pads every clip to the same
length, so its steps cost the same. "times faster" is the median of pairs (least–largest).
"epoch / encoder alone" is our epoch over the text encoder's own forward and backward pass and fused
Adam step on the same clips, in the same process. float32 on both sides.
"""

EXPLAINED = """
Where a goal is missed, this is why.

* **A fine-tuned text encoder.** What is beside the encoder costs little ("epoch / encoder alone";
  of MMIM's, the forward pass of its first stage is a third of the encoder's arithmetic, and the
  paper asks for it). The encoder's matrix products run at the processor's float32 peak (160
  GFLOP/s a core). MMSA pads to 50 tokens where 15 are real, and MMIM there goes back through the
  encoder twice: in float32, arithmetic alone leaves about 4 times for one pass and 7 for MMIM.
  The goals count on bf16 where a processor has matrix units for it (AMX); this one has none, and
  its bf16 products take twice the time of float32 (84 GFLOP/s), so float32 stays the default.
* **MulT.** Its attention weights are what costs: 10 heads, each 5 wide, of up to 375 x 500 frames.
  They are read and written for softmax, mask and dropout: of a step 22 % are their products, and
  more than a third such passes over memory.
* **MFN.** Two thirds of a step are matrix products, half of them those of the LSTM and the gates at
  each of 50 steps; MMSA, which always pads to 50, computes some three times as many.
* **TFN.** The 9 million weights behind the tensor are the same on both sides, and their three
  products with Adam's step over them take 75 of 107 ms of our step.

Three goals are for every row. Evaluation 6 times as fast: MulT alone reaches it; of one forward
pass over 50 tokens for 15 there is little more than 3 to gain. An epoch of MMIM at most 1.25
times its encoder: it is 1.49, as the first stage's forward pass is .33 of it by arithmetic. Half
the peak memory: Self-MM alone reaches it. Importing torch takes 260 MB and the file's arrays 350
to 450 MB, which is most of the rows of features; the fine-tuned ones add weights, gradients and
Adam's moments (360 MB, with the larger encoder 1.7 GB) and the longest batch's activations, some
300 MB on either side; and what training frees stays with the process.

Other work ran on the second core while this was measured.
"""


def table(heading: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """A table in Markdown, its rows by name."""
    return tabled([heading, *columns], [[name, *cells] for name, cells in rows.items()])


def rounded(values: Sequence[float]) -> list[str]:
    return [f"{value:.1f}" for value in values]


def parts() -> list[str]:
    if not PARTS.is_file():
        return []
    found: dict[str, Any] = json.loads(PARTS.read_text())
    batch = [f"batch {size}" for size in SIZES]
    critics = found["critics"]
    penalty = critics["wasserstein"][1] / critics["kl"][1]
    base = found["folds"]["1"]["cpu"]
    folds = {
        f"{fold} times": [
            f"{f['cpu']:.2f}", f"{f['cpu'] / base / int(fold):.2f}", f"{f['peak_mb']:,.0f}",
        ]
        for fold, f in found["folds"].items()
    }  # fmt: skip
    devices = {count: [f"{seconds:.1f}"] for count, seconds in found["devices"].items()}
    start = {name: [f"{seconds:.2f}"] for name, seconds in found["start"].items()}
    return [
        "## Measures\n\nCPU milliseconds of value and gradient, two views of 32 columns (three for "
        "`MutualDependency` and its like):",
        table("measure", batch, {name: rounded(t) for name, t in found["measures"].items()}),
        f"A learning step of `MutualDependency`'s critic, three views; at batch 256 the "
        f"Wasserstein distance with its gradient penalty takes {penalty:.1f} times a step of KL:",
        table("divergence", batch, {name: rounded(t) for name, t in critics.items()}),
        "## More clips\n\n`lf_dnn` on audio and vision from a store, one training epoch:",
        table("of CMU-MOSI", ["CPU s", "relative to linear", "peak MB"], folds),
        "## Two processes\n\nAn epoch of MMIM that fine-tunes MiniLM, and its validation; a thread "
        "each (`--devices 2`). That they train the weights of one process is tested:",
        table("processes", ["seconds on the clock"], devices),
        "## Starting\n\nSeconds on the clock, the least of five:",
        table("command", ["s"], start),
    ]


def write(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    made_with = ", ".join(f"{name} {version}" for name, version in versions().items())
    every = [PREFACE, tabled(headings, rows), EXPLAINED, *parts(), "## Versions", made_with]
    PAGE.write_text("\n\n".join(part.strip() for part in every) + "\n")
