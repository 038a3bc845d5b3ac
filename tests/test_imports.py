"""The package's face and its shape: flat names, light import, and one direction of dependence."""

import subprocess
import sys
from pathlib import Path

import pytest

import infofuse
from rooms import GROUND, imports, rooms

SOURCE = Path(infofuse.__file__).parent
ROOMS = rooms(SOURCE)

# What each part may import of ours, besides the parts that everything may.
ALLOWED = {
    "types": set(),
    "errors": set(),
    "figures": set(),
    "files": set(),
    "html": set(),
    "config": set(),
    "environment": set(),
    "metrics": set(),
    "measures": set(),
    "conformal": set(),
    "weights": set(),
    "tasks": {"conformal", "metrics"},
    "data": {"tasks"},
    "encoders": {"weights"},
    "fusion": {"encoders"},
    "models": {"encoders", "fusion"},
    "objectives": {"measures", "tasks"},
    "papers": {"data", "encoders", "fusion", "measures", "models", "objectives", "tasks"},
    "training": {
        "conformal",
        "data",
        "encoders",
        "measures",
        "metrics",
        "models",
        "objectives",
        "papers",
        "tasks",
    },
    "tuning": {"data", "papers", "training"},
    "demo": {"data", "training"},
    "export": {"data", "encoders", "models", "training"},
    "extract": {"data", "encoders", "weights"},
    "analysis": {
        "data",
        "encoders",
        "measures",
        "metrics",
        "models",
        "objectives",
        "tasks",
        "training",
    },
    "predict": {
        "analysis",
        "conformal",
        "data",
        "encoders",
        "extract",
        "models",
        "objectives",
        "tasks",
        "training",
    },
    "serve": {"extract", "papers", "predict"},
    "study": {"analysis", "data", "measures", "metrics", "tasks", "training"},
}
MEASURES_STAND_ALONE = {"measures"}


# What each room of `data` may import of the others there; what lies in `data` itself all may.
IN_DATA = {
    "known": set(),
    "unpickle": set(),
    "store": set(),
    "layouts": set(),
    "readers": {"layouts", "store", "unpickle"},
    "synthetic": {"known"},
    "audit": {"known"},
}


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_imports_go_one_way(part: str) -> None:
    allowed = ALLOWED[part] | {part} | (set() if part in MEASURES_STAND_ALONE else GROUND)
    for path in ROOMS[part].files:
        assert imports(path) <= allowed, path


@pytest.mark.parametrize("room", IN_DATA)
def test_imports_within_data_go_one_way(room: str) -> None:
    for path in (SOURCE / "data" / room).rglob("*.py"):
        rooms = imports(path, "infofuse.data") & set(IN_DATA)
        assert rooms <= IN_DATA[room] | {room}, path


def test_every_part_has_its_place_in_the_order() -> None:
    assert set(ROOMS) - {"cli"} == set(ALLOWED)
    assert {p.parent.name for p in (SOURCE / "data").glob("*/__init__.py")} == set(IN_DATA)


def test_public_names_are_flat_and_real() -> None:
    assert sorted(infofuse.__all__) == infofuse.__all__ == dir(infofuse)
    for name in infofuse.__all__:
        assert getattr(infofuse, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = infofuse.nothing


def modules_after(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return set(run.stdout.split())


def test_what_is_heavy_is_imported_late() -> None:
    heavy = {"torch", "transformers", "lightning_fabric", "matplotlib", "torchmetrics", "pyarrow"}
    assert not modules_after("import infofuse.cli") & heavy
    used = modules_after("import infofuse; infofuse.train; infofuse.recipe; infofuse.Sample")
    assert not used & {"transformers", "lightning_fabric", "matplotlib", "torchmetrics"}


def test_libraries_of_tables_are_never_imported_by_us() -> None:
    code = "import infofuse.data.layouts.dataframe, infofuse.data.readers.huggingface"
    found = modules_after(code)
    assert not found & {"pandas", "polars", "datasets"}
