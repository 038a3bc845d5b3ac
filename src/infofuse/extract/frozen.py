"""Encoders of transformers that do not learn: where their files are, and how they are loaded."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from infofuse.encoders.pretrained import quiet
from infofuse.errors import InfofuseError
from infofuse.extract.features import identity
from infofuse.types import Json
from infofuse.weights import digest

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


def identity_of(extractor: Any) -> Json:
    """The identity of an extractor whose option `model` names such an encoder."""
    weights = folder_of(extractor.model) / WEIGHTS
    return identity(extractor, ["transformers", "torch"], {WEIGHTS: digest(weights)})


def load(model: str, processor: Any, what: str, **options: Any) -> tuple[Any, Any, list[str]]:
    """What prepares a clip (with these options), the encoder, and the weights that it lacks.

    processor: the class of transformers that prepares. what: the encoder, as an error has it.
    Raises InfofuseError if they cannot be loaded.
    """
    from transformers import AutoModel
    from transformers.utils import logging

    folder = folder_of(model)
    logging.disable_progress_bar()
    try:
        prepare = processor.from_pretrained(folder, local_files_only=True, **options)
        with quiet(logging):
            encoder, loading = AutoModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
    except (ImportError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InfofuseError(f"no {what} could be loaded from {model!r}: {reason}") from None
    return prepare, encoder, list(loading["missing_keys"])
