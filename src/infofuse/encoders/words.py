"""A text encoder that knows the word of each token, and lets its states be changed on their way."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from infofuse.encoders import packed
from infofuse.encoders.text import Transcript
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Ragged

Change = Callable[[Float[Tensor, "tokens width"]], Float[Tensor, "tokens width"]]

_LAYERS = ("encoder.layer", "transformer.layer", "layer")
"""Where the encoders of the BERT, DistilBERT and XLNet families keep their layers."""


class WordPieces(Transcript):
    """Reads the clips' text as pairs (token, place of its word), the words split at blanks.

    A token that is no part of a word, such as [CLS], has minus the number of words as its place.
    The arguments are those of `Transcript`. A frozen encoder lets the gradient pass through.
    """

    def column(self, clips: Clips) -> Ragged:
        words = [text.split() for text in clips.texts]
        pairs = [np.zeros((0, 2), np.int64)] * len(clips)
        spoken = [i for i, split in enumerate(words) if split]
        for i, pair in zip(spoken, self._pairs([words[i] for i in spoken]), strict=True):
            pairs[i] = pair
        return Ragged.of(pairs)

    def _pairs(self, words: list[list[str]]) -> list[Int[np.ndarray, "tokens 2"]]:
        if not words:
            return []
        found = self.tokenizer(
            words, is_split_into_words=True, truncation=True, max_length=self.max_tokens
        )
        places = [
            [-len(split) if word is None else word for word in found.word_ids(i)]
            for i, split in enumerate(words)
        ]
        return [
            np.stack([ids, place], axis=1).astype(np.int64)
            for ids, place in zip(found["input_ids"], places, strict=True)
        ]

    @property
    def depth(self) -> int:
        """Layers of the encoder."""
        return len(self._layers)

    @property
    def _layers(self) -> nn.ModuleList:
        for path in _LAYERS:
            try:
                return attrgetter(path)(self.encoder)
            except AttributeError:
                continue
        raise InfofuseError(
            f"no layers were found in the text encoder {self.source!r} "
            f"({self.encoder.config.model_type}): use one of the BERT, DistilBERT or XLNet families"
        )

    def summary(
        self,
        ids: Int[Tensor, "batch time"],
        mask: Bool[Tensor, "batch time"],
        layer: int,
        change: Change,
    ) -> Float[Tensor, "batch width"]:
        """The last state of the token that stands for the clip, [CLS], last in XLNet, else first.

        change: what becomes of the states of the tokens under the mask, end to end, before layer
        `layer`, counted from 0. Each clip has at least one token.
        """
        if packed.runs(self.encoder):
            x = packed.before(self.encoder, packed.embed(self.encoder, ids, mask), mask, layer)
            return packed.states(self.encoder, change(x), mask, first_only=True, start=layer)
        xlnet = self.encoder.config.model_type == "xlnet"
        hook = _changed(change, mask, time_first=xlnet)
        with self._layers[layer].register_forward_pre_hook(hook):
            found = self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        place = mask.sum(1) - 1 if xlnet else torch.zeros_like(ids[:, 0])
        return found[torch.arange(len(ids), device=ids.device), place]


def _changed(change: Change, mask: Bool[Tensor, "batch time"], time_first: bool) -> Any:
    """A hook by which a layer gets the changed states of real tokens, and zeros for padding."""

    def hook(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        states = args[0].transpose(0, 1) if time_first else args[0]
        states = packed.unpack(change(states[mask]), mask)
        return (states.transpose(0, 1) if time_first else states, *args[1:])

    return hook
