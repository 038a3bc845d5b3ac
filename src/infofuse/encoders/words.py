"""Language models that know the word of each token, and let its state be changed on its way."""

from abc import abstractmethod
from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from infofuse.encoders import packed
from infofuse.encoders.encoder import Reader
from infofuse.encoders.reading import padding
from infofuse.encoders.text import Transcript, attended
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Padded, Ragged, Size

Change = Callable[[Float[Tensor, "tokens width"]], Float[Tensor, "tokens width"]]

_LAYERS = ("encoder.layer", "transformer.layer", "layer")
"""Where the encoders of the BERT, DistilBERT and XLNet families keep their layers."""


class Words(NamedTuple):
    """mask: the tokens of each clip, at least one. place: that of a token's word, counted from 0,
    negative where it is no part of a word. number: words of each clip.

    A clip without text is one token, the only part of its only word.
    """

    mask: Bool[Tensor, "batch tokens"]
    place: Int[Tensor, "batch tokens"]
    number: Int[Tensor, "batch"]


class LanguageModel(Reader):
    """Reads the text of clips as tokens, whose states may be changed before one of its layers.

    depth: how many layers it has.
    """

    depth: int

    @abstractmethod
    def words(self, x: Padded) -> Words:
        """The tokens of what it reads."""

    @abstractmethod
    def summary(self, x: Padded, layer: int, change: Change) -> Float[Tensor, "batch width"]:
        """The last state of the token that stands for the clip.

        change: what becomes of the states of all clips' tokens, end to end, before this layer,
        counted from 0.
        """

    @abstractmethod
    def nothing(self, clips: Size, device: torch.device) -> Padded:
        """What it reads of clips without text."""


class WordPieces(Transcript, LanguageModel):
    """Pairs (token, place of its word) of a pretrained encoder, the words split at blanks.

    A token that is no part of a word, such as [CLS], has minus the number of words as its place.
    The arguments are those of `Transcript`; a frozen encoder lets the gradient pass through. The
    token that stands for the clip is that of `Transcript`.

    Raises InfofuseError if the encoder is of a family whose layers are not known here.
    """

    def __init__(self, source: str, *, frozen: bool = False, max_tokens: int = 128):
        super().__init__(source, max_tokens=max_tokens)
        self.encoder.requires_grad_(not frozen)
        self.depth = len(self._layers)

    def _tokenizer(self) -> Any:
        """RoBERTa's knows a word by the blank before it, which words one by one do not have."""
        tokenizer = super()._tokenizer()
        backend: Any = getattr(tokenizer, "backend_tokenizer", None)
        if hasattr(getattr(backend, "pre_tokenizer", None), "add_prefix_space"):
            backend.pre_tokenizer.add_prefix_space = True
        return tokenizer

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

    def blank(self) -> np.ndarray:
        return np.array([super().blank(), -1])

    def nothing(self, clips: Size, device: torch.device) -> Padded:
        none = torch.zeros(clips, dtype=torch.long, device=device)
        return Padded(none.new_zeros(clips, 1, 2), none)

    def words(self, x: Padded) -> Words:
        place = self._real(x)[:, :, 1]
        return Words(attended(x), place, (-place).amax(1).clamp(min=1))

    def summary(self, x: Padded, layer: int, change: Change) -> Float[Tensor, "batch width"]:
        ids, mask = self._real(x)[:, :, 0], attended(x)
        if packed.runs(self.encoder):
            states = packed.before(self.encoder, packed.embed(self.encoder, ids, mask), mask, layer)
            return packed.states(self.encoder, change(states), mask, first_only=True, start=layer)
        ids = ids.masked_fill(~mask, padding(self.encoder))
        hook = _changed(change, mask, time_first=self.encoder.config.model_type == "xlnet")
        with self._layers[layer].register_forward_pre_hook(hook):
            found = self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return self.summed(found, mask)

    def _real(self, x: Padded) -> Int[Tensor, "batch tokens 2"]:
        """The pairs, zero beyond the lengths, whatever the batch holds there."""
        return x.values.masked_fill(~x.mask[:, :, None], 0)

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


def _changed(change: Change, mask: Bool[Tensor, "batch time"], time_first: bool) -> Any:
    """A hook by which a layer gets the changed states of real tokens, and zeros for padding."""

    def hook(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        states = args[0].transpose(0, 1) if time_first else args[0]
        states = packed.unpack(change(states[mask]), mask)
        return (states.transpose(0, 1) if time_first else states, *args[1:])

    return hook
