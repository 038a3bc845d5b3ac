"""How a pretrained model may be read: how many tokens it has places for, and which of them sums up.

Models differ in that more than their configurations say. So a model that `infofuse.encoders.packed`
does not compute itself is asked: one forward pass over a text of full length, the same with another
ending, with another beginning, and half of it with padding; and one over that half alone.
"""

from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from infofuse.encoders import packed
from infofuse.errors import InfofuseError

Place = Literal["first", "last"]
"""Which of a text's tokens has the state that stands for it all."""

KEPT = "infofuse_summary_token"
"""The entry of a saved configuration that holds a `Place`; none means the first."""

_SEEN, _SAME = 1e-5, 1e-4
"""Of the largest state: a change from here on is seen, and one below is rounding."""


def places(model: Any) -> int | None:
    """How many tokens a model has places for, special ones included; None if it names no limit.

    RoBERTa and its kin leave the first rows of their table of positions, up to that of the padding
    token's id, to padding: 514 rows are 512 places.
    """
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if isinstance(table, nn.Embedding) and table.padding_idx is not None:
        return table.num_embeddings - table.padding_idx - 1
    named = getattr(model.config, "max_position_embeddings", None) or -1  # XLNet says -1
    return named if named > 0 else None


def summary_token(model: Any, source: str, tokens: int) -> Place:
    """Which token's state stands for a text: one that sees all of it, from beginning to end.

    The first, [CLS] in most encoders, if it does. In XLNet and in the encoder of an encoder-decoder
    the last, which is the token that ends every text; and in a causal model, where only that one
    has seen the rest. tokens: of the longest text that will be read.

    Raises InfofuseError if no token sees it all, if padding changes what the model says of a text,
    or if it cannot read token ids of that length at all.
    """
    if packed.runs(model):
        return "first"
    states, alone = _asked(model, source, tokens)
    scale = states[:3].abs().max()
    if not _close(states[3, : alone.shape[0]], alone, _SAME * scale):
        raise _unreadable(model, source, "padding changes what it says of a text")
    sees_end = not _close(states[0, 0], states[1, 0], _SEEN * scale)
    sees_beginning = not _close(states[0, -1], states[2, -1], _SEEN * scale)
    if sees_beginning and (named(model) == "last" or not sees_end):
        return "last"
    if sees_end:
        return "first"
    raise _unreadable(
        model, source, f"no token of it sees a whole text of {tokens}: fewer max_tokens may do"
    )


def named(model: Any) -> Place:
    """What a model's configuration says of it, or its kind; "first" if neither does."""
    kept = getattr(model.config, KEPT, "last" if model.config.model_type == "xlnet" else "first")
    return "last" if kept == "last" else "first"


def padding(model: Any) -> int:
    """The token id to stand behind a text: the model's own, or 0, which the mask hides as well."""
    named = getattr(model.config, "pad_token_id", None)
    return named if isinstance(named, int) and named >= 0 else 0


def _asked(
    model: Any, source: str, tokens: int
) -> tuple[Float[Tensor, "4 time width"], Float[Tensor, "half width"]]:
    """The states of a text, with another ending, another beginning, of its half; and that alone."""
    ids, mask = _texts(model, tokens)
    training, half = model.training, int(mask[3].sum())
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            states = _states(model, ids, mask)
            alone = _states(model, ids[3:, :half], mask[3:, :half])
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise _unreadable(model, source, f"it failed at {tokens} tokens ({why})") from error
    finally:
        model.train(training)
    if states.shape[:2] != ids.shape or not states[mask].isfinite().all():
        raise _unreadable(model, source, f"it gives no states of {tokens} tokens")
    return states, alone[0]


def _states(model: Any, ids: Tensor, mask: Tensor) -> Float[Tensor, "batch time width"]:
    device = next(model.parameters()).device
    out = model(input_ids=ids.to(device), attention_mask=mask.long().to(device))
    return out.last_hidden_state.float().cpu()


def _texts(model: Any, tokens: int) -> tuple[Int[Tensor, "4 time"], Bool[Tensor, "4 time"]]:
    """Token ids from the middle of the vocabulary, far from special tokens; and their mask."""
    vocabulary = int(getattr(model.config, "vocab_size", 1000))
    ids = vocabulary // 2 + torch.arange(tokens) % max(vocabulary // 4, 1)
    ids, mask = ids.repeat(4, 1), torch.ones(4, tokens, dtype=torch.bool)
    ids[1, -1] = ids[2, 0] = vocabulary // 3
    mask[3, tokens // 2 :] = False
    return ids.masked_fill(~mask, padding(model)), mask


def _close(a: Tensor, b: Tensor, within: Tensor) -> bool:
    return bool((a - b).abs().max() <= within)


def _unreadable(model: Any, source: str, why: str) -> InfofuseError:
    kind = model.config.model_type
    return InfofuseError(f"the text encoder {source!r} ({kind}) cannot be read here: {why}")
