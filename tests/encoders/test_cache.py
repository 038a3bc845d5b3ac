"""The cache: what is kept equals what is made; damaged entries, two processes, no folder."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from helpers import examples
from infofuse.encoders import cache
from infofuse.encoders.cache import cache_bytes, cache_folder, cached, key_of, module_key


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFOFUSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Made:
    """Makes sequences, and counts how often."""

    def __init__(self, *sequences: np.ndarray):
        self.sequences, self.times = sequences, 0

    def __call__(self) -> Iterator[np.ndarray]:
        self.times += 1
        yield from self.sequences


MADE = (np.arange(6.0).reshape(3, 2), np.zeros((0, 2)), np.ones((1, 2)))


def test_it_is_made_once_and_mapped(folder: Path) -> None:
    made = Made(*MADE)
    for _ in range(3):
        column = cached("kind", "key", made)
        assert [s.tolist() for s in column] == [s.tolist() for s in MADE]
        assert not column.values.flags.writeable
    assert made.times == 1
    assert cache_bytes() == sum(f.stat().st_size for f in (folder / "kind" / "key").iterdir())
    cached("kind", "other", made)
    cached("other", "key", made)
    assert made.times == 3


STEPS = hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3)
TYPES = st.sampled_from([np.float32, np.int64, np.float16])


@examples(40)
@given(data=st.data(), step=STEPS, dtype=TYPES, lengths=st.lists(st.integers(0, 4), min_size=1))
def test_any_column_comes_back(
    data: st.DataObject, step: tuple[int, ...], dtype: type, lengths: list[int]
) -> None:
    sequences = [data.draw(hnp.arrays(dtype, (n, *step))) for n in lengths]
    key = key_of(repr((sequences, step, dtype)))
    for _ in range(2):
        column = cached("drawn", key, Made(*sequences))
        assert column.values.dtype == dtype
        assert column.lengths.tolist() == lengths
        for found, given_ in zip(column, sequences, strict=True):
            np.testing.assert_array_equal(found, given_)


@pytest.mark.parametrize("file", ["values.bin", "entry.json"])
@pytest.mark.parametrize("damage", ["cut", "change", "remove", "empty"])
def test_a_damaged_entry_is_made_again_with_a_note(
    file: str, damage: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = Made(*MADE)
    cached("kind", "key", made)
    victim = folder / "kind" / "key" / file
    content = victim.read_bytes()
    if damage == "remove":
        victim.unlink()
    else:
        new = {"cut": content[:-3], "change": b"!" + content[1:], "empty": b""}[damage]
        victim.write_bytes(new)
    with caplog.at_level(logging.WARNING, "infofuse"):
        column = cached("kind", "key", made)
    assert [s.tolist() for s in column] == [s.tolist() for s in MADE]
    assert made.times == 2
    assert "is damaged and is made again" in caplog.text
    assert victim.read_bytes() == content


def test_a_failure_while_making_leaves_nothing(folder: Path) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield MADE[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cached("kind", "key", broken)
    assert os.listdir(folder / "kind") == ["key.lock"]
    assert len(cached("kind", "key", Made(*MADE))) == 3


def test_without_a_folder_to_write_it_is_made_each_time(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file where the folder would be")
    made = Made(*MADE)
    for _ in range(2):
        assert len(cached("kind", "key", made)) == 3
    assert made.times == 2
    assert "cannot be used" in caplog.text


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> None:
    assert cache_folder() == folder
    monkeypatch.delenv("INFOFUSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "infofuse"
    assert cache_bytes() == 0
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "infofuse"


def test_keys_tell_apart_what_differs() -> None:
    assert key_of("a", ["b", "c"]) != key_of("a", ["bc"]) != key_of("a", "b", "c")
    torch.manual_seed(0)
    one, two = nn.Linear(2, 3), nn.Linear(2, 3)
    assert module_key(one) != module_key(two)
    two.load_state_dict(one.state_dict())
    assert module_key(one) == module_key(two)
    assert module_key(nn.Sequential(one, nn.ReLU())) != module_key(nn.Sequential(two, nn.Tanh()))
    assert module_key(nn.BatchNorm1d(2)) == module_key(nn.BatchNorm1d(2))


BOTH = """
import sys, time
import numpy as np
from infofuse.encoders.cache import cached
def make():
    print("made")
    for i in range(20):
        time.sleep(0.02)
        yield np.full((i, 2), i, np.float32)
print(int(cached("kind", "key", make).values.sum()))
"""


def test_of_two_processes_one_makes_it(folder: Path) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", BOTH], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = sorted(process.communicate()[0].split() for process in both)
    total = str(sum(2 * i * i for i in range(20)))
    assert printed == [[total], ["made", total]]


@pytest.mark.parametrize("change", [{"dtype": "|O"}, {"lengths": [0, 3, 1]}, {"step": [999]}])
def test_an_entry_that_was_tampered_with_is_made_again(change: Any, folder: Path) -> None:
    """Objects above all: they would be addresses in memory. The seal may be made to fit."""
    made = Made(*MADE)
    cached("kind", "key", made)
    entry = folder / "kind" / "key" / "entry.json"
    facts = json.loads(entry.read_text())["facts"] | change
    entry.write_text(json.dumps({"facts": facts, "sha256": "0" * 64}))
    assert [s.tolist() for s in cached("kind", "key", made)] == [s.tolist() for s in MADE]
    assert made.times == 2
    if "dtype" in change or "step" in change:
        entry.write_text(json.dumps({"facts": facts, "sha256": cache._seal(facts)}))
        assert [s.tolist() for s in cached("kind", "key", made)] == [s.tolist() for s in MADE]
        assert made.times == 3
