"""The tasks: samples of known information, from benchmark-mi's list and one of high information.

    python benchmarks/mi/samples.py TASK SEED N FILE

Made in a process of its own, so that jax and torch do not share threads, and kept in a file.
"""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np

GAUSSIAN = (
    "gaussian-20-20-4"  # 20 coordinates, 4 nats: what critics of a finite batch fall short of
)
TASKS = (
    GAUSSIAN,
    "1v1-normal-0.75",
    "student-identity-5-5-2",
    "spiral-multinormal-sparse-3-3-2-2.0",
    "multinormal-sparse-25-25-2-2.0",
    "half_cube-multinormal-sparse-25-25-2-2.0",
    "spiral-multinormal-sparse-25-25-2-2.0",
    "student-identity-2-2-1",
    "multinormal-dense-25-25-0.5",
    "multinormal-sparse-5-5-2-2.0",
    "1v1-additive-0.1",
    "swissroll_x-normal_cdf-1v1-normal-0.75",
)
LIKE_FOR_LIKE = (  # where the peer also runs with a critic like ours, at ten times its cost
    GAUSSIAN,
    "1v1-additive-0.1",
    "multinormal-sparse-25-25-2-2.0",
    "student-identity-5-5-2",
)


def gaussians(dim: int, nats: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n pairs of standard Gaussians, each coordinate of x correlated with that of y."""
    rho = math.sqrt(1 - math.exp(-2 * nats / dim))
    x, noise = np.random.default_rng(seed).standard_normal((2, n, dim))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def make(task: str, seed: int, n: int, file: Path) -> None:
    """Write 2n pairs and their mutual information in nats, each column standardised."""
    if task == GAUSSIAN:
        (x, y), truth = gaussians(20, 4.0, 2 * n, seed), 4.0
    else:
        from bmi.benchmark import BENCHMARK_TASKS

        x, y = map(np.asarray, BENCHMARK_TASKS[task].sample(2 * n, seed))
        truth = BENCHMARK_TASKS[task].mutual_information
    x, y = ((v - v.mean(0)) / v.std(0) for v in (x, y))  # as benchmark-mi's own estimators do
    np.savez(file, x=x.astype(np.float32), y=y.astype(np.float32), truth=np.float64(truth))


def samples(task: str, seed: int, n: int, folder: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """x, y and their information in nats; made if they are not there."""
    file = folder / f"{task}-{seed}-{n}.npz"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"partial-{file.name}")
        words = [sys.executable, __file__, task, str(seed), str(n), str(partial)]
        subprocess.run(words, check=True)
        partial.replace(file)
    with np.load(file, allow_pickle=False) as found:
        return found["x"], found["y"], float(found["truth"])


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
