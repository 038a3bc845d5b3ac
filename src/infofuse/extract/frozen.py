"""Encoders of transformers that do not learn: where their files are, and how they are run."""

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from infofuse.errors import InfofuseError

WEIGHTS = "model.safetensors"


@lru_cache(maxsize=4)
def folder_of(model: str) -> Path:
    """Where the files are: the folder itself, or what the hub's cache has by this name.

    Raises InfofuseError if there is neither.
    """
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=["*.json", WEIGHTS]))
    except (OSError, ValueError) as error:
        raise InfofuseError(
            f"there is no folder {model!r}, and no encoder of this name could be had from the hub "
            f"({str(error).splitlines()[0]})"
        ) from None


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Sums are taken in one order, however many threads are set outside."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
