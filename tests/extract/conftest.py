"""Puts `recorded` within reach of the tests beside it, and gives them clips of their own."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))

from recorded import MakeClip, write_clip


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """make(name, sound=…, pictures=…, …) writes a media file and says where it is."""

    def make(name: str, **what: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, **what)
        return path

    return make
