#!/usr/bin/env python3
"""Self-MM and deep modal alignment on real CMU-MOSI, beside MMIM: both splits, five seeds.

    python benchmarks/dma.py run --jobs 2    about an hour; goes on where it stopped
    python benchmarks/dma.py page            write the results page

Each cell is an ordinary `infofuse train recipes/mosi/….toml …` in a folder of its own under
runs/dma/. The text is the frozen MiniLM's token states, computed once a split and stored there as
features. What a finished cell measured is kept in benchmarks/results/dma_mosi/, and such a cell
is not run again.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, stdev

from infofuse.files import write_json

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "runs" / "dma"
PAGE = ROOT / "benchmarks" / "results" / "dma_mosi.md"
CELLS = PAGE.with_suffix("")
SEEDS = (1111, 1112, 1113, 1114, 1115)
SPLITS = {"bclstm": "data/mosi_bclstm.pkl", "official": "data/mosi_official.pkl"}
PAIRS = ("text_audio", "text_vision", "audio_vision")


def dma(*kept: str, weight: float = 1.0, **choices: str) -> list[str]:
    """DMA's recipe with these pairs of one weight, and other choices of the model."""
    pairs = {pair: weight if pair in kept else 0.0 for pair in PAIRS}
    sets = [f"model.{key}={value}" for key, value in {**pairs, **choices}.items()]
    return ["recipes/mosi/dma.toml", *(word for s in sets for word in ("--set", s))]


SYSTEMS = {
    "self_mm": ("Self-MM", ["recipes/mosi/self_mm.toml"]),
    "mmim": ("MMIM", ["recipes/mosi/mmim.toml"]),
    "dma": ("Self-MM + all three pairs (DMA)", dma(*PAIRS)),
    "ulgm_off": (
        "Self-MM without generated labels",
        ["recipes/mosi/self_mm.toml", "--set", "model.unimodal=0.0"],
    ),
    "dma_100": ("Self-MM + all three pairs, weight 100", dma(*PAIRS, weight=100.0)),
    "mmim_dma": (
        "MMIM + DMA, weight 100",
        [
            "recipes/mosi/mmim.toml",
            *(word for pair in PAIRS for word in ("--set", f"plus.dma.{pair}=100.0")),
        ],
    ),
    "cross": ("Self-MM + all three pairs, cross", dma(*PAIRS, align="cross")),
    "ta": ("Self-MM + text-audio", dma("text_audio")),
    "tv": ("Self-MM + text-vision", dma("text_vision")),
    "av": ("Self-MM + audio-vision", dma("audio_vision")),
    "ta_tv": ("Self-MM + text-audio, text-vision", dma("text_audio", "text_vision")),
    "ta_av": ("Self-MM + text-audio, audio-vision", dma("text_audio", "audio_vision")),
    "tv_av": ("Self-MM + text-vision, audio-vision", dma("text_vision", "audio_vision")),
    "release": (
        "Self-MM (release)",
        ["recipes/mosi/self_mm.toml", "--set", "model.variant=release"],
    ),
}
# The official split has no vision, so only the pair text-audio.
ORDER = [
    *(("bclstm", system) for system in SYSTEMS),
    *(
        ("official", system)
        for system in SYSTEMS
        if system not in ("tv", "av", "ta", "ta_tv", "ta_av", "tv_av")
    ),
]
METRICS = ("mae", "corr", "acc7", "acc5", "acc2_has0", "f1_has0", "acc2_non0", "f1_non0")
HEADINGS = ("MAE", "Corr", "Acc-7", "Acc-5", "Acc-2 has0", "F1 has0", "Acc-2 non0", "F1 non0")


def store(split: str) -> Path:
    return RUNS / f"{split}_minilm"


def write_states(split: str) -> None:
    """The corpus of a split, its words replaced by the frozen text encoder's token states."""
    import dataclasses

    from infofuse import Corpus, open_corpus
    from infofuse.data.store import write_store
    from infofuse.encoders import FrozenSequence, TextSequence

    if store(split).is_dir():
        return
    corpus, states = open_corpus(ROOT / SPLITS[split]), FrozenSequence(TextSequence())
    spec = dataclasses.replace(
        corpus.spec, text=False, features={**corpus.spec.features, "text": states.width}
    )
    splits = {}
    for name, clips in corpus.splits.items():
        text = states.column(clips)
        splits[name] = dataclasses.replace(clips, features={**clips.features, "text": text})
    write_store(Corpus(spec, splits, corpus.notes), store(split))


def cell(split: str, system: str, seed: int) -> Path:
    return CELLS / f"{split}-{system}-{seed}.json"


def measured(split: str, system: str, seed: int) -> dict | None:
    path = cell(split, system, seed)
    return json.loads(path.read_text()) if path.is_file() else None


def run_cell(split: str, system: str, seed: int) -> None:
    if measured(split, system, seed):
        return
    out = RUNS / split / f"{system}-{seed}"
    words = [
        sys.executable, "-m", "infofuse", "train", *SYSTEMS[system][1], "--data", store(split),
        "--seeds", seed, "--out", out,
    ]  # fmt: skip
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        list(map(str, words)), cwd=ROOT, env=one_thread, capture_output=True, text=True
    )
    if done.returncode:
        print(f"{split} {system} {seed} failed: {done.stderr[-500:]}", flush=True)
        return
    found = json.loads((out / "metrics.json").read_text())["seeds"][str(seed)]
    CELLS.mkdir(parents=True, exist_ok=True)
    write_json(cell(split, system, seed), found)
    print(f"{split} {system} {seed}: {found['test']['mae']:.3f}", flush=True)


def run(jobs: int, most: int | None) -> None:
    todo = [(*where, seed) for where in ORDER for seed in SEEDS if not measured(*where, seed)]
    for split in dict.fromkeys(split for split, _, _ in todo[:most]):
        write_states(split)
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda one: run_cell(*one), todo[:most]))


def row(name: str, cells: list[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def spread(values: list[float], form: str = ".3f") -> str:
    middle = f"{mean(values):{form}}"
    return middle if len(values) < 2 else f"{middle} ± {stdev(values):.3f}"


def table(split: str, base: str | None) -> list[str]:
    """Scores of each system, or its paired differences from the base, seed by seed."""
    heading = f"minus {SYSTEMS[base][0]}, paired" if base else "test split"
    lines = [row(heading, [*HEADINGS, "seeds"]), "|---" * (len(HEADINGS) + 2) + "|"]
    for where, system in ORDER:
        found = [
            (one["test"], than["test"])
            for seed in SEEDS
            if (one := measured(split, system, seed))
            and (than := measured(split, base or system, seed))
        ]
        if where != split or system == base or not found:
            continue
        cells = [
            spread([one[m] - than[m] for one, than in found], "+.3f")
            if base
            else spread([one[m] for one, _ in found])
            for m in METRICS
        ]
        lines.append(row(SYSTEMS[system][0], [*cells, str(len(found))]))
    return [*lines, ""] if len(lines) > 2 else []


def costs(split: str) -> list[str]:
    lines = [row("cost", ["epochs", "best epoch", "seconds an epoch"]), "|---|---|---|---|"]
    for where, system in ORDER:
        found = [m for seed in SEEDS if (m := measured(split, system, seed))]
        if where == split and found:
            numbers = [[m["epochs"] for m in found], [m["epoch"] for m in found]]
            seconds = mean(m["seconds"] / m["epochs"] for m in found)
            lines.append(
                row(SYSTEMS[system][0], [*(f"{mean(n):.1f}" for n in numbers), f"{seconds:.2f}"])
            )
    return [*lines, ""] if len(lines) > 2 else []


def page() -> None:
    from infofuse.environment import versions

    every = [(*where, seed) for where in ORDER for seed in SEEDS]
    done = sum(measured(*one) is not None for one in every)
    lines = [PREFACE.format(done=done, all=len(every)).strip(), ""]
    for split, title in (("bclstm", BCLSTM), ("official", OFFICIAL)):
        lines += [title.strip(), "", *table(split, None), *table(split, "self_mm")]
        lines += [*table(split, "mmim"), *costs(split)]
    lines += ["## Versions", "", ", ".join(f"{k} {v}" for k, v in versions().items()), ""]
    PAGE.write_text("\n".join(lines))
    print(f"written: {PAGE.relative_to(ROOT)}")


PREFACE = """
# Self-MM and deep modal alignment on CMU-MOSI

Made by `python benchmarks/dma.py run --jobs 2`, then `page`. **{done} of {all} cells are
finished**; the same command finishes the rest. Each cell is `infofuse train` on a recipe of
recipes/mosi (self_mm, dma, mmim), with `--set` for what its name says (see the script).

The text is not fine-tuned here: the token states of MiniLM (6 layers, 384 wide) were computed
once and are read by an LSTM, so that all cells together take about an hour. Scores are therefore
below those of a fine-tuned encoder, for every row alike. float32, one torch thread a job. The
checkpoint of each run is chosen by validation MAE; the test split was opened once a cell. mean ±
standard deviation over seeds. Nothing was tuned: hyper-parameters are the releases', the
alignment's weight is 1 where a row does not say 100. At weight 1 the marginal term is small: its
gap, divided by 4 d², is of the order of 1e-4 for MMIM's views of width 16.

The alignment is a reconstruction (docs/dma.md): its paper's text could not be read in full.
"""
BCLSTM = """
## bc-LSTM split (1,228 / 219 / 752 clips, disjoint in videos; text, audio and vision)
"""
OFFICIAL = """
## Official split (1,284 / 229 / 686 clips; text and audio)

Vision is left out: the visual features at hand come from a network that was trained with labels
of clips that this split tests on. So there is one pair, text and audio.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--most", type=int, help="cells to run at most")
    arguments = parser.parse_args()
    run(arguments.jobs, arguments.most) if arguments.what == "run" else page()


if __name__ == "__main__":
    main()
