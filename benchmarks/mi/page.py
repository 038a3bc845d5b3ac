"""The page of results, from the cells that are there."""

import platform
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median, stdev

sys.path.append(str(Path(__file__).parents[1]))
from markdown_table import tabled

OURS, PEER = "infofuse", "torch-mist"
PACKAGES = ("torch", "torch-mist", "benchmark-mi", "numpy")

Group = dict[tuple[str, str], list[dict]]


def write(cells: Sequence[dict], planned: int, path: Path) -> None:
    """Every group of cells that differ in the seed alone is a row."""
    default, separable = (
        _groups(c for c in cells if c["critic"] == critic) for critic in ("default", "separable")
    )
    first = cells[0]
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    text = f"""# Mutual information, beside torch-mist

Made by `make bench-env`, then `.venv-bench/bin/python benchmarks/mi/bench.py run` and `page`, with
`PYTHONPATH=src OMP_NUM_THREADS=1`. **{len(cells)} of {planned} cells are finished**; the same
commands finish the rest.

A cell is one estimator of each side on one task and seed: {first["n"]:,} clips to fit on, the same
batches of {first["batch"]} in the same order, {first["steps"]:,} steps of Adam at {first["rate"]},
both sides in turn by blocks of 50 steps; then {first["n"]:,} fresh clips, read as the mean over
batches of {first["batch"]}. Tasks are benchmark-mi's (columns standardised, as its own estimators
do) and 20 independent pairs of Gaussians with 4 nats. Hidden layers are two of 128 on both sides.
torch-mist is as it comes: a joint critic and one negative a pair, but for InfoNCE, whose critic is
separable. infofuse is as it comes: a separable critic, all other pairs of the batch as negatives.

Bias is the estimate less the truth, in nats: the mean ± standard deviation over seeds, where there
are several. ms: median processor milliseconds of a step, which a busy machine stretches less than
the clock; both sides ran in turn, so their ratio says more than either. One thread of
{platform.machine()}, {platform.system()}, shared with other work; Python
{platform.python_version()}, {versions}.

## Each as it comes

{_verdict(default)}

A joint critic, which mixes both views before its first layer, sees more of one or two columns than
a product of codes does, and one negative is less work than 127: that is where torch-mist is ahead.

{_table(default)}

## The same critic on both sides

torch-mist given what infofuse has, a separable critic of the same size and all other pairs as
negatives (seed 0; InfoNCE, which has that above, is not repeated). It is slow there since it
multiplies and sums codes pair by pair, where one matrix product does.

{_verdict(separable)}

{_table(separable)}
"""
    path.write_text(text, encoding="utf-8")


def _groups(cells: Iterable[dict]) -> Group:
    found: Group = defaultdict(list)
    for cell in cells:
        found[cell["task"], cell["estimator"]].append(cell)
    return found


def _verdict(groups: Group) -> str:
    """In how many rows our bias is no larger, and the ratio of times, estimator by estimator."""
    lines = []
    for name in dict.fromkeys(estimator for _, estimator in groups):
        rows = [cells for (_, estimator), cells in groups.items() if estimator == name]
        wins = sum(abs(_bias(cells, OURS)) <= abs(_bias(cells, PEER)) for cells in rows)
        ratio = median(c[OURS]["cpu_ms"] / c[PEER]["cpu_ms"] for cells in rows for c in cells)
        lines.append([name, len(rows), wins, f"{ratio:.2f}"])
    won = sum(abs(_bias(cells, OURS)) <= abs(_bias(cells, PEER)) for cells in groups.values())
    heading = ["estimator", "tasks", "bias no larger", "median time, ours over theirs"]
    said = f"Of {len(groups)} rows the bias is no larger than torch-mist's in {won}."
    return f"{said}\n\n{tabled(heading, lines)}"


def _table(groups: Group) -> str:
    head = ["task", "truth", "estimator", "bias, infofuse", "bias, torch-mist",
            "ms, infofuse", "ms, torch-mist", "seeds"]  # fmt: skip
    rows = [
        [
            task, f"{cells[0]['true']:.2f}", estimator,
            *(_spread([c[side]["estimate"] - c["true"] for c in cells]) for side in (OURS, PEER)),
            *(f"{median(c[side]['cpu_ms'] for c in cells):.1f}" for side in (OURS, PEER)),
            str(len(cells)),
        ]
        for (task, estimator), cells in sorted(groups.items())
    ]  # fmt: skip
    return tabled(head, rows)


def _bias(cells: Sequence[dict], side: str) -> float:
    return mean(c[side]["estimate"] - c["true"] for c in cells)


def _spread(values: Sequence[float]) -> str:
    one = f"{mean(values):+.3f}"
    return f"{one} ± {stdev(values):.3f}" if len(values) > 1 else one
