"""States of a self-supervised speech encoder: wav2vec 2.0, HuBERT, WavLM or data2vec-audio."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32

from infofuse.environment import one_thread
from infofuse.errors import InfofuseError
from infofuse.extract.features import Features
from infofuse.extract.frozen import identity_of, load
from infofuse.extract.media import Media
from infofuse.extract.sound import RATE
from infofuse.types import Json

WINDOW = 30 * RATE  # samples that are heard at once
_SHORTEST = 400  # samples: what one state of such an encoder hears at least


@dataclass(frozen=True)
class AudioSpeech:
    """The states of an encoder of transformers, 50 a second. Each 30 seconds are heard alone.

    model: a folder with config.json, preprocessor_config.json and model.safetensors, or a hub name.
    layer: whose output is taken: 0 for what goes into the first one, -1 for the last.
    """

    model: str = ""
    layer: int = -1

    name: ClassVar[str] = "speech"

    def __post_init__(self) -> None:
        if not self.model:
            raise InfofuseError(
                "the audio extractor 'speech' needs the option 'model': a folder with config.json "
                "and model.safetensors, or a hub name such as 'microsoft/wavlm-base-plus'"
            )

    def identity(self) -> Json:
        return identity_of(self)

    def __call__(self, media: Media) -> Features | None:
        if len(media.waveform) < _SHORTEST:
            media.notes.append("no sound that the speech encoder could hear")
            return None
        parts = [*self._states(media.waveform)]
        begin = np.concatenate([times for times, _ in parts])
        states = np.concatenate([values for _, values in parts])
        return Features(states, np.stack([begin, begin + _hop(self.model)], 1))

    def _states(
        self, wave: Float32[np.ndarray, "samples"]
    ) -> Iterator[tuple[np.ndarray, Float32[np.ndarray, "_ width"]]]:
        """When the states of each window begin, and the states."""
        for begin in range(0, len(wave), WINDOW):
            piece = wave[begin : begin + WINDOW]
            if len(piece) >= _SHORTEST:
                states = self._hear(piece)
                yield begin / RATE + np.arange(len(states)) * _hop(self.model), states

    def _hear(self, piece: Float32[np.ndarray, "samples"]) -> Float32[np.ndarray, "_ width"]:
        import torch

        prepare, encoder = _load(self.model)
        inputs = prepare(piece, sampling_rate=RATE, return_tensors="pt").input_values
        with torch.inference_mode(), one_thread():
            hidden = encoder(inputs, output_hidden_states=True).hidden_states
        if not -len(hidden) <= self.layer < len(hidden):
            raise InfofuseError(
                f"layer is {self.layer}; {self.model!r} has layers up to {len(hidden) - 1}"
            )
        return np.array(hidden[self.layer][0].numpy(), np.float32)


def _hop(model: str) -> float:
    """Seconds from one state to the next."""
    return math.prod(_load(model)[1].config.conv_stride) / RATE


@lru_cache(maxsize=2)
def _load(model: str) -> tuple[Any, Any]:
    """What prepares the sound, and the encoder. Raises InfofuseError if they cannot be loaded."""
    from transformers import AutoFeatureExtractor

    prepare, encoder, lacking = load(model, AutoFeatureExtractor, "speech encoder")
    missing = [key for key in lacking if "masked_spec_embed" not in key]
    if missing or not hasattr(encoder.config, "conv_stride"):
        why = f"lacks the weights {missing[0]}, …" if missing else "is no encoder of speech"
        raise InfofuseError(f"{model!r} {why}")
    return prepare, encoder.eval()


EXTRACTOR = AudioSpeech
