"""Real data as corpora, by the script that the benchmark of the audit reads them with."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def real_corpora() -> ModuleType:
    """The module `benchmarks/audit.py`: `mosi`, `mfn` and `corpora` read the shared data."""
    path = Path(__file__).parents[2] / "benchmarks/audit.py"
    spec = importlib.util.spec_from_file_location("benchmark_audit", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
