"""Whether the parts of a text encoder fit each other, seen before anything is built of them."""

from typing import Any

from infofuse.errors import InfofuseError

_MOST = {
    "num_hidden_layers": 1_000,
    "num_attention_heads": 1_000,
    "hidden_size": 1 << 16,
    "intermediate_size": 1 << 18,
    "max_position_embeddings": 1 << 24,
    "vocab_size": 1 << 24,
}
"""Beyond those of every encoder there is, by far; -1 is no limit, as XLNet says."""

_SHARE = 0.5
"""Of an encoder's places for tokens, the least that its tokenizer uses: some are padding."""


def bounded(config: Any, source: str) -> Any:
    """The configuration of an encoder. Raises InfofuseError for sizes that none can have."""
    for name, most in _MOST.items():
        size = getattr(config, name, None)
        if isinstance(size, int) and not -1 <= size <= most:
            raise InfofuseError(
                f"{source} describes no text encoder: {name} is {size}, and at most {most:,} is "
                f"read; take config.json from where the encoder came from"
            )
    return config


def fitting_tokenizer(source: str, config: Any) -> Any:
    """The tokenizer of an encoder.

    Raises InfofuseError if there is none, or if it is that of another encoder: each word it does
    not know is [UNK], and the encoder answers all the same.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (ImportError, LookupError, OSError, TypeError, ValueError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InfofuseError(
            f"{source} has no tokenizer that can be read ({said}): put the encoder's "
            f"tokenizer.json there"
        ) from error
    tokens, places = len(tokenizer), getattr(config, "vocab_size", None)
    if places and not _SHARE * places <= tokens <= places:
        raise InfofuseError(
            f"the tokenizer of {source} knows {tokens:,} tokens and the encoder {places:,}: its "
            f"tokenizer.json is missing or another encoder's; put the right one there"
        )
    return tokenizer
