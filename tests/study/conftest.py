"""Puts `small_study` within reach of the tests beside it; data, and a study that has ended."""

import sys
from pathlib import Path

import pytest

from infofuse.data import write_store
from infofuse.data.synthetic import synthesize
from infofuse.study.results import Results, open_results
from infofuse.study.runner import run_study
from infofuse.study.spec import resolve_study

sys.path.append(str(Path(__file__).parent))

from small_study import small


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 32 / 20 / 20 clips."""
    path = tmp_path_factory.mktemp("study") / "made"
    write_store(synthesize("demo", 3, ["train=32", "valid=20", "test=20"]), path)
    return path


@pytest.fixture(scope="session")
def finished(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Two rows and one treatment on two splits, two seeds, with analyses."""
    out = tmp_path_factory.mktemp("finished") / "out"
    tables = small(
        made,
        title="Late & early <fusion>",
        seeds="1-2",
        analyse=True,
        data={"made": {"path": str(made), "title": "Made up", "splits": ["given", 1]}},
        treatments={"kl": {"plus": {"mdm": {"penalty": "kl"}}, "title": "KL"}},
    )
    tables["rows"]["early"]["treatments"] = []
    assert run_study(resolve_study(tables), out, jobs=0) == {}
    return open_results(out)
