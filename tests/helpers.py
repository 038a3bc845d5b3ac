"""What tests of several folders share."""

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings

from infofuse.data import open_corpus
from infofuse.errors import InfofuseError

Call = Callable[..., tuple[int, str, str]]
HUNT = float(os.environ.get("INFOFUSE_FUZZ_SECONDS", "0"))


class Killed(BaseException):
    """As ungentle as a process can be to itself."""


def infofuse(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A verb in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "infofuse", *map(str, words)],
        capture_output=True, text=True, cwd=cwd, env=os.environ | {"COLUMNS": "80"},
    )  # fmt: skip


def infofuse_unprivileged(*words: object) -> subprocess.CompletedProcess[str]:
    """A verb whose process may not read what its owner has closed; skips where root cannot ask."""
    command = [sys.executable, "-m", "infofuse", *map(str, words)]
    if os.geteuid() == 0:
        rights = "-dac_override,-dac_read_search"
        drop = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]
        if shutil.which("setpriv") is None or subprocess.run([*drop, "true"]).returncode:
            pytest.skip("needs setpriv, or a user who is not root")
        command = [*drop, *command]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "80"}
    )


def examples(count: int) -> settings:
    """So many, for a test whose fixtures may serve them all."""
    unharmed = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=count, deadline=None, suppress_health_check=unharmed)


def hunt(body: Callable[..., None], options: settings, **strategies: Any) -> None:
    """One round of examples, and more of other seeds until the time is over."""
    end = time.monotonic() + HUNT
    for number in itertools.count():
        seed(number)(options(given(**strategies)(body)))()
        if time.monotonic() >= end:
            return


def refused(path: Path, sentence: str) -> None:
    """The file is refused by its name, in one line that says this."""
    with pytest.raises(InfofuseError) as refusal:
        open_corpus(path)
    assert sentence in str(refusal.value)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def store_bytes(folder: Path) -> dict[str, bytes]:
    """What the files of a store hold, but for the one by which writers wait for each other."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != ".lock"}
