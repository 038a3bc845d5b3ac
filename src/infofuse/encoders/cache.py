"""Columns that are costly to make, kept on disk: token ids, and states of frozen text encoders.

    FOLDER/KIND/KEY/values.bin    the sequences end to end
    FOLDER/KIND/KEY/entry.json    type and shape of a step, lengths, SHA-256
    FOLDER/weights/NAME/          files that packages carry zipped (see `infofuse.weights`)

FOLDER is $INFOFUSE_CACHE; else $XDG_CACHE_HOME/infofuse; else ~/.cache/infofuse. KEY is a hash of
all that the column depends on, so that an entry is never out of date. The folder may be removed at
any time; `infofuse doctor` says how large it is.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from infofuse.errors import InfofuseError
from infofuse.files import locked, read_json, replacing, sha256, write_json
from infofuse.types import Ragged

log = logging.getLogger("infofuse")

_VALUES, _ENTRY = "values.bin", "entry.json"
_KEEPING: ContextVar[bool] = ContextVar("keeping", default=True)


@contextlib.contextmanager
def nothing_kept() -> Iterator[None]:
    """While the block runs, columns are made and not kept: for texts that are nobody's corpus."""
    before = _KEEPING.set(False)
    try:
        yield
    finally:
        _KEEPING.reset(before)


def keeping() -> bool:
    """Whether columns are kept; if not, a key is not worth its making."""
    return _KEEPING.get()


def cache_folder() -> Path:
    """Where the cache lies; it need not exist."""
    if os.environ.get("INFOFUSE_CACHE"):
        return Path(os.environ["INFOFUSE_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "infofuse"


def cached(kind: str, key: str, make: Callable[[], Iterable[np.ndarray]]) -> Ragged:
    """The column of this key, mapped from disk; made and kept there if it is new.

    make: gives the sequences, (steps_i, ...), at least one; they are written as they come, so
    that they never need to be in memory together. A damaged entry is made again, with a warning in
    the log. Of several processes that want one entry, one makes it and the others wait. Where the
    folder cannot be written, the column is made and not kept.
    """
    if not keeping():
        return Ragged.of(make())
    entry = cache_folder() / kind / key
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        lock = entry.with_suffix(".lock")
        lock.touch()
    except OSError as error:
        log.warning("the cache %s cannot be used (%s)", cache_folder(), error)
        return Ragged.of(make())
    with locked(lock):
        found = _read(entry)
        if found is None:
            with replacing(entry) as new:
                new.mkdir()
                _write(new, make())
            found = _map(entry / _VALUES, read_json(entry / _ENTRY)["facts"])
        return found


def cache_bytes() -> int:
    """What the cache takes on disk."""
    return sum(f.stat().st_size for f in cache_folder().rglob("*") if f.is_file())


def key_of(*parts: str | Sequence[str]) -> str:
    """SHA-256 of strings and lists of strings, in hexadecimal."""
    plain = [part if isinstance(part, str) else list(part) for part in parts]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def tokenizer_key(tokenizer: Any) -> str | None:
    """SHA-256 of a Hugging Face tokenizer; None for a slow one, which has no one description."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return None if backend is None else key_of(backend.to_str())


def module_key(module: nn.Module) -> str:
    """SHA-256 of a module's make, weights and buffers."""
    state = hashlib.sha256(repr(module).encode())
    for name, tensor in sorted(module.state_dict().items()):
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        state.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()


def _write(folder: Path, sequences: Iterable[np.ndarray]) -> None:
    lengths, kind = [], None
    with (folder / _VALUES).open("wb") as file:
        for sequence in sequences:
            lengths.append(len(sequence))
            kind = {"dtype": sequence.dtype.str, "step": list(sequence.shape[1:])}
            file.write(np.ascontiguousarray(sequence).data)
    if kind is None:
        raise ValueError("a column needs at least one sequence, to know its type")
    facts = kind | {"lengths": lengths, "sha256": sha256(folder / _VALUES)}
    write_json(folder / _ENTRY, {"facts": facts, "sha256": _seal(facts)})


def _seal(facts: Any) -> str:
    return key_of(json.dumps(facts, sort_keys=True))


def _read(folder: Path) -> Ragged | None:
    """The entry; None if there is none, or it is not what was written."""
    if not folder.exists():
        return None
    try:
        entry = read_json(folder / _ENTRY)
        facts = entry["facts"]
        if entry["sha256"] == _seal(facts) and facts["sha256"] == sha256(folder / _VALUES):
            return _map(folder / _VALUES, facts)
    except (InfofuseError, OSError, LookupError, TypeError, ValueError):
        pass
    log.warning("%s is damaged and is made again", folder)
    return None


def _map(file: Path, facts: Any) -> Ragged:
    dtype = np.dtype(facts["dtype"])
    if dtype.kind not in "fiub":
        raise ValueError(f"{dtype} is no type of numbers")
    shape = (sum(facts["lengths"]), *facts["step"])
    if 0 in shape:  # nothing cannot be mapped
        return Ragged.laid(np.zeros(shape, dtype), facts["lengths"])
    return Ragged.laid(np.asarray(np.memmap(file, dtype, "r", shape=shape)), facts["lengths"])
