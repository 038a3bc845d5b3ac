"""Frames as a frozen image encoder sees them: one vector each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32, UInt8

from infofuse.environment import one_thread
from infofuse.errors import InfofuseError
from infofuse.extract.features import Features, spans
from infofuse.extract.frozen import identity_of, load
from infofuse.extract.media import Media
from infofuse.types import Json

BATCH = 16


@dataclass(frozen=True)
class VisionEncoder:
    """Every frame as one vector of an image encoder of transformers, whole and as it is.

    The vector is the encoder's pooled output; without one, the mean of its last states.

    model: a folder with config.json, preprocessor_config.json and model.safetensors, or a hub name.
    """

    model: str = ""

    name: ClassVar[str] = "encoder"

    def __post_init__(self) -> None:
        if not self.model:
            raise InfofuseError(
                "the vision extractor 'encoder' needs the option 'model': a folder with "
                "config.json and model.safetensors, or a hub name such as "
                "'google/vit-base-patch16-224'"
            )

    def identity(self) -> Json:
        return identity_of(self)

    def __call__(self, media: Media) -> Features | None:
        begins: list[float] = []
        vectors: list[Float32[np.ndarray, "_ width"]] = []
        frames = iter(media.frames)
        while batch := list(islice(frames, BATCH)):
            begins += [frame.time for frame in batch]
            vectors.append(_embed(self.model, [frame.image for frame in batch]))
        if not begins:
            return None
        return Features(np.concatenate(vectors), spans(begins, media.seconds))


def _embed(
    model: str, images: Sequence[UInt8[np.ndarray, "_ _ 3"]]
) -> Float32[np.ndarray, "images width"]:
    import torch

    prepare, encoder, pools = _load(model)
    pixels = prepare(images=list(images), return_tensors="pt")["pixel_values"]
    with torch.inference_mode(), one_thread():
        out = encoder(pixel_values=pixels)
    vectors = out.pooler_output if pools else out.last_hidden_state.mean(1)
    return np.array(vectors.flatten(1).numpy(), np.float32)


@lru_cache(maxsize=2)
def _load(model: str) -> tuple[Any, Any, bool]:
    """The processor of images, the encoder, and whether it has a pooled output that was trained.

    Of a model of images and text, the part that sees.
    """
    from transformers import AutoImageProcessor

    prepare, encoder, lacking = load(model, AutoImageProcessor, "image encoder", backend="pil")
    missing = [key for key in lacking if "pooler" not in key]
    if missing:
        raise InfofuseError(f"{model!r} lacks weights of its image encoder: {missing[0]}, …")
    encoder = getattr(encoder, "vision_model", encoder).eval()
    return prepare, encoder, not lacking and _pools(encoder)


def _pools(encoder: Any) -> bool:
    return any(name in ("pooler", "post_layernorm") for name, _ in encoder.named_children())


EXTRACTOR = VisionEncoder
