"""Text encoders that do not learn: a clip goes through them once, and its states stay on disk."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from infofuse.encoders.cache import cached, keeping, key_of, module_key
from infofuse.encoders.encoder import Encoder, Reader, SequenceEncoder
from infofuse.encoders.text import TextEncoder, TextSequence
from infofuse.types import Clips, Padded, Ragged

BATCH, WINDOW = 32, 1024


class _Frozen(Reader):
    """Holds a text encoder, and reads of the clips what it says of them.

    That is computed in evaluation mode, without dropout, and kept by `infofuse.encoders.cache`
    under a hash of the encoder, its weights and the tokens.
    """

    def __init__(self, text: TextEncoder | TextSequence):
        super().__init__()
        self.text, self.width = text.requires_grad_(False), text.width

    def column(self, clips: Clips) -> Ragged:
        tokens = self.text.column(clips)
        if len(tokens) == 0:
            return Ragged.absent(0, self.width)
        if not keeping():
            return Ragged.of(embed(self.text, tokens))
        content = [tokens.lengths.tolist(), tokens.values.tolist()]
        read = getattr(self.text, "pooling", "none")
        if self.text.summary_token == "last":
            read += ", last"
        key = key_of(torch.__version__, module_key(self.text), read, str(content))
        return cached("states", key, lambda: embed(self.text, tokens))

    def blank(self) -> np.ndarray:
        return np.zeros(self.width, np.float32)


class FrozenText(_Frozen, Encoder):
    """A `TextEncoder` that does not learn: its vector of each clip, computed once."""

    def states(self, tokens: Padded) -> Padded:
        """What `column` holds of these tokens."""
        return Padded(self.text(tokens)[:, None], tokens.lengths.clamp(max=1))

    def forward(self, x: Padded) -> Float[Tensor, "batch width"]:
        return x.values[:, 0]


class FrozenSequence(_Frozen, SequenceEncoder):
    """A `TextSequence` that does not learn: its state of each token, computed once."""

    def states(self, tokens: Padded) -> Padded:
        """What `column` holds of these tokens."""
        return self.text(tokens)

    def forward(self, x: Padded) -> Padded:
        return x


def embed(
    text: TextEncoder | TextSequence, tokens: Ragged
) -> Iterator[Float[np.ndarray, "steps width"]]:
    """What the encoder says of each clip, in order: a vector or a state a token; none without text.

    It is left in evaluation mode.
    """
    text.eval()
    nothing = np.zeros((0, text.width), np.float32)
    for begin in range(0, len(tokens), WINDOW):
        rows = np.arange(begin, min(begin + WINDOW, len(tokens)))
        spoken = rows[tokens.lengths[rows] > 0]
        spoken = spoken[np.argsort(tokens.lengths[spoken], kind="stable")]
        found = dict.fromkeys(rows.tolist(), nothing)
        for i in range(0, len(spoken), BATCH):
            found |= _states(text, tokens, spoken[i : i + BATCH])
        yield from found.values()


@torch.no_grad()
def _states(
    text: TextEncoder | TextSequence, tokens: Ragged, rows: np.ndarray
) -> dict[int, np.ndarray]:
    device = next(text.parameters()).device
    ids = [torch.from_numpy(tokens[row].copy()) for row in rows.tolist()]
    lengths = torch.tensor([len(row) for row in ids])
    out = text(Padded(pad_sequence(ids, batch_first=True), lengths).to(device))
    if isinstance(out, Padded):
        states = [v[:n] for v, n in zip(out.values.cpu().numpy(), lengths.tolist(), strict=True)]
    else:
        states = list(out.cpu().numpy()[:, None])
    return dict(zip(rows.tolist(), states, strict=True))
