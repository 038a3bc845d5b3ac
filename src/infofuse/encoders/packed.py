"""BERT and its kin on the real tokens alone: nothing is computed of padding, or of unread states.

The modules are those of `transformers`, with their weights and dropout. Only their order of work
is ours: tokens of all clips lie end to end, (tokens, width), and are laid out padded for the
attention alone; a last layer of which only the first token is read computes that one. Families
differ in what they call their modules (`_Family`), in how positions are counted, and in MPNet's
bias of the attention by distance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class _Attention(NamedTuple):
    """The modules that one layer's attention is made of; its keys are `size` wide in each head."""

    query: nn.Module
    key: nn.Module
    value: nn.Module
    dropout: nn.Module
    heads: int
    size: int


@dataclass(frozen=True)
class _Family:
    """Where an architecture keeps its parts.

    layers: of a model. attention: of a layer. finish: a layer's states, of what its heads found and
    of its input. bias: what a model adds to the scores, of the mask, (1, heads, time, time).
    """

    layers: Callable[[Any], nn.ModuleList]
    attention: Callable[[Any], _Attention]
    finish: Callable[[Any, Tensor, Tensor], Tensor]
    bias: Callable[[Any, Tensor], Tensor] | None = None


def _bert_attention(layer: Any) -> _Attention:
    own = layer.attention.self
    sizes = (own.num_attention_heads, own.attention_head_size)
    return _Attention(own.query, own.key, own.value, own.dropout, *sizes)


def _bert_finish(layer: Any, found: Tensor, x: Tensor) -> Tensor:
    return layer.feed_forward_chunk(layer.attention.output(found, x))


def _mpnet_attention(layer: Any) -> _Attention:
    own = layer.attention.attn
    return _Attention(
        own.q, own.k, own.v, own.dropout, own.num_attention_heads, own.attention_head_size
    )


def _mpnet_finish(layer: Any, found: Tensor, x: Tensor) -> Tensor:
    own = layer.attention
    x = own.LayerNorm(own.dropout(own.attn.o(found)) + x)
    return layer.output(layer.intermediate(x), x)


def _distilbert_attention(layer: Any) -> _Attention:
    own = layer.attention
    size = own.dim // own.n_heads
    return _Attention(own.q_lin, own.k_lin, own.v_lin, own.dropout, own.n_heads, size)


def _distilbert_finish(layer: Any, found: Tensor, x: Tensor) -> Tensor:
    x = layer.sa_layer_norm(layer.attention.out_lin(found) + x)
    return layer.output_layer_norm(layer.ffn.ff_chunk(x) + x)


_BERT = _Family(lambda model: model.encoder.layer, _bert_attention, _bert_finish)
_FAMILIES = {
    **dict.fromkeys(("bert", "electra", "roberta", "xlm-roberta", "camembert"), _BERT),
    "distilbert": _Family(
        lambda model: model.transformer.layer, _distilbert_attention, _distilbert_finish
    ),
    "mpnet": _Family(
        lambda model: model.encoder.layer,
        _mpnet_attention,
        _mpnet_finish,
        bias=lambda model, mask: model.encoder.compute_position_bias(mask[:1]),
    ),
}
"""By `config.model_type`."""


def runs(model: Any) -> bool:
    """Whether `states` computes what this Hugging Face model does."""
    config = model.config
    asked = ("is_decoder", "add_cross_attention")
    return (
        config.model_type in _FAMILIES
        and not any(getattr(config, name, False) for name in asked)
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
    )


def embed(
    model: Any, ids: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "tokens width"]:
    """The embeddings of the tokens under the mask, end to end."""
    positions = _positions(model, ids)
    x = model.embeddings(input_ids=ids[mask][None], position_ids=positions[mask][None])[0]
    project = getattr(model, "embeddings_project", None)  # ELECTRA's, where they are narrower
    return x if project is None else project(x)


def _positions(model: Any, ids: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """The row of each token in the table of positions.

    RoBERTa and MPNet count from the padding token's id on, and leave that token out, which a text
    may spell out.
    """
    padding = model.embeddings.position_embeddings.padding_idx
    if padding is None:
        return torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
    counted = (ids != padding).long()
    return counted.cumsum(1) * counted + padding


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
    family = _FAMILIES[model.config.model_type]
    bias = None if family.bias is None else family.bias(model, mask)
    *layers, last = list(family.layers(model))[start:]
    for layer in layers:
        x = _layer(family, layer, x, x, mask, mask, bias)
    if not first_only:
        return _layer(family, last, x, x, mask, mask, bias)
    lengths = mask.sum(1)
    first = x[lengths.cumsum(0) - lengths]
    bias = None if bias is None else bias[:, :, :1]
    return _layer(family, last, first, x, mask[:, :1], mask, bias)


def before(
    model: Any, x: Float[Tensor, "tokens width"], mask: Bool[Tensor, "batch time"], layer: int
) -> Float[Tensor, "tokens width"]:
    """The tokens' states before this layer, end to end; x: their embeddings."""
    family = _FAMILIES[model.config.model_type]
    bias = None if family.bias is None else family.bias(model, mask)
    for earlier in list(family.layers(model))[:layer]:
        x = _layer(family, earlier, x, x, mask, mask, bias)
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
    family: _Family,
    layer: Any,
    x: Tensor,
    context: Tensor,
    mask: Tensor,
    context_mask: Tensor,
    bias: Tensor | None,
) -> Float[Tensor, "rows width"]:
    """A layer's states of the rows `x`, which attend to the rows `context`."""
    attention = family.attention(layer)
    query = unpack(attention.query(x), mask)
    key = unpack(attention.key(context), context_mask)
    value = unpack(attention.value(context), context_mask)
    heads = (attention.heads, attention.size)
    query, key, value = (part.unflatten(-1, heads).transpose(1, 2) for part in (query, key, value))
    scores = query @ key.transpose(-1, -2) * attention.size**-0.5
    if bias is not None:
        scores = scores + bias
    scores = scores.masked_fill(~context_mask[:, None, None, :], -torch.inf)
    found = attention.dropout(scores.softmax(-1)) @ value
    return family.finish(layer, found.transpose(1, 2).flatten(2)[mask], x)
