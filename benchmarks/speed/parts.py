#!/usr/bin/env python3
"""What single parts cost: steps of measures, epochs of more clips and in two processes, a start.

    python benchmarks/speed/parts.py            minutes; writes results/speed/parts.json
    python benchmarks/speed/parts.py devices    one of: start, folds, measures, critics, devices

One torch thread a process. A step of a measure is its value and gradient with respect to two or
three views of 32 columns (CPU milliseconds, least of several). `Wasserstein` with its gradient
penalty is `MutualDependency` as `objectives.DependencyPenalty` fits it: a step of its critic.
"""

import inspect
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from infofuse import measures
from infofuse.data import from_arrays, open_corpus, write_store
from infofuse.files import write_json
from infofuse.measures.catalogue import build
from infofuse.measures.measure import Measure

ROOT = Path(__file__).parents[2]
FILE = ROOT / "benchmarks" / "results" / "speed" / "parts.json"
SIZES = (32, 256, 2048)
WIDTH, REPEATS, MOST_SECONDS = 32, 5, 8.0
FOLDS = (1, 4, 16)
DATA = ROOT / "data" / "speed" / "unaligned_50.pkl"
DEVICES, EPOCHS = (1, 2), 3


def least(step: Callable[[], Any]) -> float:
    """CPU milliseconds of the quickest of some runs."""
    spent: list[float] = []
    while len(spent) <= REPEATS and sum(spent) < MOST_SECONDS:
        start = time.process_time()
        step()
        spent.append(time.process_time() - start)
    return 1000 * min(spent)


def step_of(measure: Measure, count: int, size: int) -> Callable[[], None]:
    views = [torch.randn(size, WIDTH, requires_grad=True) for _ in range(count)]
    extra = {"labels": torch.randn(size)} if measure.uses_labels else {}

    def step() -> None:
        measure(*views, **extra).backward()

    return step


def of_measures() -> dict[str, list[float]]:
    """Milliseconds at each batch size, by measure; KSG has no gradient and is for evaluation."""
    torch.manual_seed(0)
    found = {}
    for name in measures.__all__:
        kind = getattr(measures, name)
        if not (inspect.isclass(kind) and issubclass(kind, Measure)) or inspect.isabstract(kind):
            continue
        if kind is measures.KSG:
            continue
        dims = [WIDTH] * (3 if kind.many_views else 2)
        found[name] = [least(step_of(build(name, dims), len(dims), size)) for size in SIZES]
    return found


def of_critics() -> dict[str, list[float]]:
    """A critic's learning step of each divergence of three views."""
    found = {}
    for divergence in ("kl", "f", "wasserstein"):
        measure = measures.MutualDependency([WIDTH] * 3, divergence=divergence)
        adam = torch.optim.Adam(measure.parameters(), fused=True)
        times = []
        for size in SIZES:
            views = [torch.randn(size, WIDTH) for _ in range(3)]

            def step(views: list[torch.Tensor] = views, adam: Any = adam, m: Any = measure) -> None:
                m.learning_loss(*views).backward()
                adam.step()
                adam.zero_grad()

            times.append(least(step))
        found[divergence] = times
    return found


def corpus(fold: int, folder: Path) -> None:
    """`fold` times CMU-MOSI's training clips, audio and vision of its lengths."""
    rng = np.random.default_rng(0)

    def part(n: int) -> dict[str, Any]:
        seconds = rng.lognormal(np.log(3.5), 0.6, n).clip(0.7, 20)
        columns = {
            name: [rng.standard_normal((int(rate * s), width), np.float32) for s in seconds]
            for name, rate, width in (("audio", 12.5, 5), ("vision", 15, 20))
        }
        return {"labels": rng.uniform(-3, 3, n).astype(np.float32), **columns}

    splits = {"train": part(1284 * fold), "valid": part(64), "test": part(64)}
    write_store(from_arrays(splits, f"mosi times {fold}"), folder)


def epoch(folder: str) -> dict[str, float]:
    """In a process of its own: seconds of the second epoch's training, and peak memory."""
    sys.path.insert(0, str(Path(__file__).parent))
    from ours import recipe_of, trained

    torch.set_num_threads(1)
    # The least fusion: what is left is the data's way into it and the bookkeeping.
    found = trained(recipe_of("lf_dnn", []), open_corpus(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": found["epoch_cpu"], "peak_mb": peak}


def of_folds() -> dict[str, dict[str, float]]:
    found = {}
    for fold in FOLDS:
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store"
            corpus(fold, store)
            words = [sys.executable, __file__, "epoch", str(store)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            found[str(fold)] = json.loads(done.stdout.splitlines()[-1])
    return found


def of_start() -> dict[str, float]:
    """Seconds on the clock, least of several: of `infofuse --help`, and of imports."""
    commands = {
        "infofuse --help": ["-m", "infofuse", "--help"],
        "import torch": ["-c", "import torch"],
        "import infofuse": ["-c", "import infofuse; infofuse.train"],
        "python": ["-c", ""],
    }
    return {name: min(clocked(words) for _ in range(REPEATS)) for name, words in commands.items()}


def clocked(words: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - start


def of_devices() -> dict[str, float]:
    """Seconds on the clock of an epoch of MMIM, by processes; bench.py makes the clips."""
    recipe = ROOT / "recipes" / "mosi" / "mmim.toml"
    found = {}
    for devices in DEVICES:
        with tempfile.TemporaryDirectory() as folder:
            words = ["-m", "infofuse", "train", recipe, "--data", DATA, "--seeds", 1, "--no-test"]
            words += ["--set", f"train.epochs={EPOCHS}", "--devices", devices, "--out", folder]
            run = [sys.executable, *map(str, words)]
            subprocess.run(run, check=True, capture_output=True, cwd=ROOT)
            seeds = json.loads((Path(folder) / "metrics.json").read_text())["seeds"]
            found[str(devices)] = seeds["1"]["seconds"] / EPOCHS
    return found


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "start": of_start,
    "folds": of_folds,
    "measures": of_measures,
    "critics": of_critics,
    "devices": of_devices,
}


def main() -> None:
    if sys.argv[1:2] == ["epoch"]:
        print(json.dumps(epoch(sys.argv[2])))
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    found = json.loads(FILE.read_text()) if FILE.is_file() else {}
    for part in sys.argv[1:] or PARTS:
        found[part] = PARTS[part]()
        print(json.dumps({part: found[part]}, indent=1))
        FILE.parent.mkdir(parents=True, exist_ok=True)
        write_json(FILE, found)


if __name__ == "__main__":
    main()
