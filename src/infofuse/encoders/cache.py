"""Columns that are costly to make, kept on disk: token ids, and states of frozen text encoders.

    FOLDER/KIND/KEY/values.bin    the sequences end to end
    FOLDER/KIND/KEY/entry.json    type and shape of a step, lengths, SHA-256

FOLDER is $INFOFUSE_CACHE; else $XDG_CACHE_HOME/infofuse; else ~/.cache/infofuse. KEY is a hash of
all that the column depends on, so that an entry is never out of date. The folder may be removed at
any time; `infofuse doctor` says how large it is.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from infofuse.errors import InfofuseError
from infofuse.files import locked, read_json, replacing, sha256, write_json
from infofuse.types import Ragged

log = logging.getLogger("infofuse")


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
    entry = cache_folder() / kind / key
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        lock = entry.with_suffix(".lock")
        lock.touch()
    except OSError as error:
        log.warning("the cache %s cannot be used (%s)", cache_folder(), error)
        return Ragged.of(make())
    with locked(lock):
        if not _is_whole(entry):
            with replacing(entry) as new:
                new.mkdir()
                _write(new, make())
        return _read(entry)


def key_of(*parts: str | Sequence[str]) -> str:
    """SHA-256 of strings and lists of strings, in hexadecimal."""
    plain = [part if isinstance(part, str) else list(part) for part in parts]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def tokenizer_key(tokenizer: Any) -> str | None:
    """SHA-256 of a Hugging Face tokenizer; None for a slow one, which has no one description."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return None if backend is None else key_of(backend.to_str())


def module_key(module: nn.Module) -> str:
    """SHA-256 of a module's kind, weights and buffers."""
    state = hashlib.sha256(repr(module).encode())
    for name, tensor in sorted(module.state_dict().items()):
        state.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        state.update(flat.view(dtype=_BYTE).numpy().data if len(flat) else b"")
    return state.hexdigest()
