"""Mutual-information estimators on correlated Gaussians of known information.

    python benchmarks/mi/bench.py --out mi.jsonl
    python benchmarks/mi/bench.py --out mi.jsonl --dims 20:4 --estimators MINE SMILE --seeds 3

Each row is one estimator, dimension and seed: fitted on `--n` clips by `--steps` steps of
`--batch`, then read on as many clips that it has not seen, as the mean over batches of
`--eval-batch`. Rows that the file already holds are not run again, so a run that was cut off
goes on where it stopped. `true` is the information in nats, `ms` the median milliseconds of a
step (estimate, backward, update), `cpu_ms` the same in processor time, which a busy machine does
not stretch, `load` that of the machine.
"""

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from infofuse.measures import BarberAgakov, InfoNCE, Measure
from infofuse.measures.correlation import GaussianInformation
from infofuse.measures.donsker_varadhan import MINE
from infofuse.measures.entropy import gaussian_constant
from infofuse.measures.f_gan import JS, NWJ, SMILE
from infofuse.measures.ksg import KSG
from infofuse.measures.tuba import TUBA, AlphaTUBA
from infofuse.measures.upper import CLUB, L1Out

FITTED = {c.__name__: c for c in (MINE, NWJ, InfoNCE, SMILE, JS, TUBA, AlphaTUBA, CLUB, L1Out)}
ESTIMATORS = [*FITTED, "BarberAgakov", "KSG", "GaussianInformation"]


def build(name: str, dim: int, hidden: int) -> Measure:
    """The named estimator; Barber-Agakov is given the true entropy, as its peers are."""
    if name == "BarberAgakov":
        return BarberAgakov(dim, dim, hidden=hidden, entropy=gaussian_constant(dim))
    if name in FITTED:
        return FITTED[name](dim, dim, hidden=hidden)
    return {"KSG": KSG, "GaussianInformation": GaussianInformation}[name]()


def gaussians(dim: int, nats: float, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """n pairs of standard Gaussians, each coordinate of x correlated with that of y."""
    rho = math.sqrt(1 - math.exp(-2 * nats / dim))
    x, noise = torch.randn(2, n, dim, generator=torch.Generator().manual_seed(seed))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def fit(
    measure: Measure, x: Tensor, y: Tensor, steps: int, batch: int, rate: float
) -> dict[str, float]:
    """Fit by Adam on batches drawn with replacement; the median milliseconds of a step."""
    optimiser = torch.optim.Adam(measure.parameters(), rate)
    wall, cpu = [], []
    for _ in range(steps):
        rows = torch.randint(len(x), (batch,))
        start, cpu_start = time.perf_counter(), time.process_time()
        loss = measure.learning_loss(x[rows], y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        wall.append(1e3 * (time.perf_counter() - start))
        cpu.append(1e3 * (time.process_time() - cpu_start))
    return {"ms": round(statistics.median(wall), 3), "cpu_ms": round(statistics.median(cpu), 3)}


@torch.no_grad()
def read(measure: Measure, x: Tensor, y: Tensor, batch: int) -> float:
    """Mean estimate over whole batches, in nats."""
    pairs = zip(x.split(batch), y.split(batch), strict=True)
    return statistics.fmean(measure(a, b).item() for a, b in pairs if len(a) == batch)


def row(name: str, dim: int, nats: float, seed: int, a: argparse.Namespace) -> dict[str, object]:
    """One fitted and read estimator; those without parameters are read once, on all clips."""
    torch.manual_seed(seed)
    measure = build(name, dim, a.hidden)
    x, y = gaussians(dim, nats, a.n, seed)
    fresh = gaussians(dim, nats, a.n, 1000 + seed)
    needs_fit = any(p.requires_grad for p in measure.parameters())
    start = time.perf_counter()
    step = fit(measure, x, y, a.steps, a.batch, a.rate) if needs_fit else {}
    measure.eval()
    estimate = read(measure, *fresh, a.eval_batch if needs_fit else a.n)
    return {
        "estimator": name, "dim": dim, "seed": seed, "true": nats, "estimate": round(estimate, 4),
        "bias": round(estimate - nats, 4), **step,
        "seconds": round(time.perf_counter() - start, 2), "load": round(os.getloadavg()[0], 2),
        "steps": a.steps, "batch": a.batch, "hidden": a.hidden, "n": a.n, "threads": a.threads,
    }  # fmt: skip


def finished(out: Path) -> set[tuple[object, ...]]:
    """Estimator, dimension and seed of the rows that are there."""
    lines = out.read_text().splitlines() if out.exists() else []
    rows = (json.loads(line) for line in lines)
    return {(r["estimator"], r["dim"], r["seed"]) for r in rows}


def planned(a: argparse.Namespace) -> Iterator[tuple[str, int, float, int]]:
    for spec in a.dims:
        dim, nats = spec.split(":")
        for name in a.estimators:
            for seed in range(a.seeds):
                yield name, int(dim), float(nats), seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, appended to")
    parser.add_argument("--dims", nargs="+", default=["1:0.5", "5:2", "10:2", "20:4"])
    parser.add_argument("--estimators", nargs="+", choices=ESTIMATORS, default=ESTIMATORS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--eval-batch", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=128, help="width of each hidden layer")
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    done = finished(a.out)
    for name, dim, nats, seed in planned(a):
        if (name, dim, seed) in done:
            continue
        line = json.dumps(row(name, dim, nats, seed, a))
        with a.out.open("a") as lines:
            lines.write(line + "\n")
        print(line, flush=True)


if __name__ == "__main__":
    main()
