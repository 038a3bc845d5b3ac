"""A study of two rows that takes a second a cell."""

from pathlib import Path
from typing import Any


def small(store: Path, /, **changes: Any) -> dict[str, Any]:
    """The tables of a study of two rows without text, which takes a second a cell."""
    tables: dict[str, Any] = {
        "title": "A small study",
        "seeds": [1, 2],
        "baseline": "late",
        "analyse": False,
        "data": {"made": {"path": str(store)}},
        "model": {"modalities": ["audio", "vision"]},
        "train": {"epochs": 2, "batch_size": 16},
        "rows": {
            "late": {"paper": "lf_dnn", "title": "Late fusion"},
            "early": {"paper": "tfn"},
        },
    }
    return tables | changes
