"""Estimators of mutual information beside torch-mist's, on samples of known information.

    make bench-env     an environment with the peers, from PyPI only
    export PYTHONPATH=src OMP_NUM_THREADS=1
    .venv-bench/bin/python benchmarks/mi/bench.py run     45 minutes of an idle core; goes on
                                                          where it stopped
    .venv-bench/bin/python benchmarks/mi/bench.py page    writes benchmarks/results/mi.md

A cell is one task, estimator, critic of the peer, and seed. Both sides are given the same samples,
the same batches, the same optimiser and as many steps, block by block in turn, so that what else
the machine does falls on both. They are then read on as many clips that neither has seen, as the
mean over batches. Cells that the file already holds are not run again.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from page import write
from samples import GAUSSIAN, LIKE_FOR_LIKE, TASKS, samples
from sides import BOUNDS, Side, ours, peer
from torch import Tensor

ROOT = Path(__file__).parents[2]
CELLS = ROOT / "benchmarks" / "results" / "mi.jsonl"
CACHE = ROOT / "data" / "mi"
BLOCK = 50  # steps of one side before the other has its turn

Cell = tuple[str, str, str, int]


def fit(sides: dict[str, Side], x: Tensor, y: Tensor, a: argparse.Namespace, seed: int) -> dict:
    """Fit both by Adam on the same batches; median milliseconds of a step, by clock and processor.

    A step is the estimate, its gradient and the update.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(x), (a.steps, a.batch), generator=generator)
    optimisers = {n: torch.optim.Adam(s.module.parameters(), a.rate) for n, s in sides.items()}
    clock: dict[str, list[float]] = {name: [] for name in sides}
    processor: dict[str, list[float]] = {name: [] for name in sides}
    for first in range(0, a.steps, BLOCK):
        for name, side in sides.items():
            for row in rows[first : first + BLOCK]:
                batch = x[row], y[row]
                start, cpu = time.perf_counter(), time.process_time()
                optimisers[name].zero_grad()
                side.loss(*batch).backward()
                optimisers[name].step()
                clock[name].append(1e3 * (time.perf_counter() - start))
                processor[name].append(1e3 * (time.process_time() - cpu))
    return {
        name: {
            "ms": round(statistics.median(clock[name]), 3),
            "cpu_ms": round(statistics.median(processor[name]), 3),
        }
        for name in sides
    }


@torch.no_grad()
def read(side: Side, x: Tensor, y: Tensor, batch: int) -> float:
    """Mean estimate over whole batches, in nats."""
    side.module.eval()
    pairs = zip(x.split(batch), y.split(batch), strict=True)
    values = [float(side.estimate(a, b)) for a, b in pairs if len(a) == batch]
    return round(statistics.fmean(values), 4)


def measure(cell: Cell, a: argparse.Namespace) -> dict[str, object]:
    task, estimator, critic, seed = cell
    x, y, truth = samples(task, seed, a.n, CACHE)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    dims = x.shape[1], y.shape[1]
    torch.manual_seed(seed)
    sides = {"infofuse": ours(estimator, *dims), "torch-mist": peer(estimator, *dims, critic)}
    found = fit(sides, x[: a.n], y[: a.n], a, seed)
    for name, side in sides.items():
        found[name]["estimate"] = read(side, x[a.n :], y[a.n :], a.batch)
    return {
        "task": task, "estimator": estimator, "critic": critic, "seed": seed,
        "true": round(truth, 4), "dims": dims, **found, "load": round(os.getloadavg()[0], 2),
        "steps": a.steps, "batch": a.batch, "n": a.n, "rate": a.rate,
    }  # fmt: skip


def planned(a: argparse.Namespace) -> Iterator[Cell]:
    """What tells most for its time first: seed by seed, and InfoNCE, the peer's slowest, last."""
    cheap = [name for name in BOUNDS if name != "InfoNCE"]
    for seed in range(a.seeds):
        yield GAUSSIAN, "BarberAgakov", "default", seed  # it is given the entropy, known here only
        for estimators in (cheap, ["InfoNCE"]):
            yield from ((t, e, "default", seed) for t in TASKS for e in estimators)
    yield from ((t, e, "separable", 0) for t in LIKE_FOR_LIKE for e in cheap)


def load() -> list[dict]:
    lines = CELLS.read_text().splitlines() if CELLS.exists() else []
    return [json.loads(line) for line in lines]


def run(a: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    done = {(c["task"], c["estimator"], c["critic"], c["seed"]) for c in load()}
    for cell in planned(a):
        if cell not in done:
            line = json.dumps(measure(cell, a))
            with CELLS.open("a") as lines:
                lines.write(line + "\n")
            print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--n", type=int, default=10_000, help="clips to fit on, and to read")
    a = parser.parse_args()
    if a.what == "run":
        run(a)
    else:
        write(load(), len(list(planned(a))), CELLS.with_suffix(".md"))


if __name__ == "__main__":
    main()
