"""The examples run as they stand."""

import importlib.util
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
NEEDS = {"lightning_module": "lightning", "hf_trainer": "accelerate"}  # the dev extra has them


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_it_runs(path: Path) -> None:
    needed = NEEDS.get(path.stem)
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"needs {needed}")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_measure_in_ones_own_loop_raises_the_dependence() -> None:
    example = runpy.run_path(str(EXAMPLES[[p.stem for p in EXAMPLES].index("own_loop")]))
    (error, nats), (with_error, with_nats) = (example["train"](w) for w in (0.0, 0.1))
    assert with_nats > nats + 0.5
    assert with_error < error + 0.05
