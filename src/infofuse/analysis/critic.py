"""Fit a measure's own parameters to fixed views, and stop before they learn clips by heart."""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from infofuse.measures.measure import Measure

BATCH = 128
LARGEST = 1024  # clips that are compared with one another at once
LEARNING_RATE = 2e-3
CHECK = 20  # steps between looks at the watched clips
PATIENCE = 10  # looks without improvement before the fit ends


def fit(
    measure: Measure,
    views: Sequence[Float[Tensor, "n _"]],
    watched: Sequence[Float[Tensor, "m _"]],
    steps: int,
) -> bool:
    """Minimise the learning loss on `views`; keep the parameters that are best on `watched`.

    Returns whether every loss was finite. Randomness comes from torch's global generator.
    """
    optimizer = torch.optim.AdamW(measure.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
    best, kept, since = _loss(measure, watched), copy.deepcopy(measure.state_dict()), 0
    finite = True
    for step in range(1, steps + 1):
        rows = torch.randperm(len(views[0]))[:BATCH]
        loss = measure.train().learning_loss(*(v[rows] for v in views))
        finite = bool(loss.isfinite())
        if not finite or since == PATIENCE:
            break
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(measure.parameters(), 5.0)
        optimizer.step()
        if step % CHECK == 0:
            now = _loss(measure, watched)
            since += 1
            if not now >= best:
                best, kept, since = now, copy.deepcopy(measure.state_dict()), 0
    measure.load_state_dict(kept)
    measure.eval()
    return finite


@torch.no_grad()
def _loss(measure: Measure, views: Sequence[Float[Tensor, "n _"]]) -> float:
    return float(measure.eval().learning_loss(*(v[:LARGEST] for v in views)))


@torch.no_grad()
def estimate(measure: Measure, views: Sequence[Float[Tensor, "n _"]]) -> float:
    """The measure of all clips, in one batch if they are not too many to compare, else the mean."""
    pieces = zip(*(v.tensor_split(_pieces(measure, len(v))) for v in views), strict=True)
    return float(torch.stack([measure(*piece) for piece in pieces]).mean())


def ceiling(measure: Measure, n: int) -> float | None:
    """The most that `estimate` can show of n clips, where the measure has a limit."""
    limit = getattr(measure, "ceiling", None)
    return None if limit is None else float(limit(-(-n // _pieces(measure, n))))


def _pieces(measure: Measure, n: int) -> int:
    return -(-n // LARGEST) if measure.pairs_cost else 1
