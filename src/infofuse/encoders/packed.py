"""BERT on the real tokens alone: nothing is computed of padding, or of states nobody reads.

The modules are those of `transformers.BertModel`, with its weights and dropout. Only their order
of work is ours: tokens of all clips lie end to end, (tokens, width), and are laid out padded for
the attention alone; a last layer of which only the first token is read computes that one.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

FAMILY = ("bert",)
"""Values of `config.model_type` that name this architecture."""


def runs(model: Any) -> bool:
    """Whether `states` computes what this Hugging Face model does."""
    config = model.config
    return config.model_type in FAMILY and not (config.is_decoder or config.add_cross_attention)


def embed(
    model: Any, ids: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "tokens width"]:
    """The embeddings of the tokens under the mask, end to end."""
    positions = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
    return model.embeddings(input_ids=ids[mask][None], position_ids=positions[mask][None])[0]


def states(
    model: Any,
    x: Float[Tensor, "tokens width"],
    mask: Bool[Tensor, "batch time"],
    *,
    first_only: bool = False,
    start: int = 0,
) -> Float[Tensor, "rows width"]:
    """The last layer's states of the tokens under the mask, end to end.

    x: their states before layer `start`, for layer 0 their embeddings. Each clip has at least one
    token. first_only: only the first token's state of each clip, (batch, width).
    """
    *layers, last = list(model.encoder.layer)[start:]
    for layer in layers:
        x = _layer(layer, x, x, mask, mask)
    if not first_only:
        return _layer(last, x, x, mask, mask)
    lengths = mask.sum(1)
    return _layer(last, x[lengths.cumsum(0) - lengths], x, mask[:, :1], mask)


def before(
    model: Any, x: Float[Tensor, "tokens width"], mask: Bool[Tensor, "batch time"], layer: int
) -> Float[Tensor, "tokens width"]:
    """The tokens' states before this layer, end to end; x: their embeddings."""
    for earlier in list(model.encoder.layer)[:layer]:
        x = _layer(earlier, x, x, mask, mask)
    return x


def unpack(
    x: Float[Tensor, "tokens width"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch time width"]:
    """Rows laid end to end, back at their places under the mask, zero elsewhere."""
    if mask.all():
        return x.view(*mask.shape, -1)
    rows = mask.flatten().nonzero()[:, 0]
    return x.new_zeros(mask.numel(), x.shape[1]).index_copy(0, rows, x).view(*mask.shape, -1)


def _layer(
    layer: Any, x: Tensor, context: Tensor, mask: Tensor, context_mask: Tensor
) -> Float[Tensor, "rows width"]:
    """A layer's states of the rows `x`, which attend to the rows `context`."""
    attention = layer.attention.self
    query = unpack(attention.query(x), mask)
    key = unpack(attention.key(context), context_mask)
    value = unpack(attention.value(context), context_mask)
    heads = (attention.num_attention_heads, attention.attention_head_size)
    query, key, value = (part.unflatten(-1, heads).transpose(1, 2) for part in (query, key, value))
    scores = query @ key.transpose(-1, -2) * attention.scaling
    scores = scores.masked_fill(~context_mask[:, None, None, :], -torch.inf)
    found = attention.dropout(scores.softmax(-1)) @ value
    rows = found.transpose(1, 2).flatten(2)[mask]
    return layer.feed_forward_chunk(layer.attention.output(rows, x))
