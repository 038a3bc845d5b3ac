"""Features of one clock brought to another: one row per word."""

import numpy as np
from jaxtyping import Float

from infofuse.errors import unknown

POOLINGS = ("mean", "max", "last")


def pool_intervals(
    words: Float[np.ndarray, "words 2"],
    intervals: Float[np.ndarray, "frames 2"],
    features: Float[np.ndarray, "frames width"],
    pooling: str = "mean",
) -> Float[np.ndarray, "words width"]:
    """The features of each word, pooled over the frames that it shares time with.

    y_w = pool {x_i : begin_i < end_w and end_i > begin_w}

    words, intervals: begin and end of each, in seconds, in any order; a frame that lies across two
    words counts for both. pooling: "mean", "max", or "last", which takes the frame that ends last.
    A word without a frame gets zeros.

    Raises InfofuseError for a pooling of another name. Source: the alignment of the CMU Multimodal
    SDK (Zadeh et al. 2018), which also asks for a shared time above a millisecond.
    """
    if pooling not in POOLINGS:
        raise unknown("pooling", pooling, POOLINGS)
    order = np.lexsort((intervals[:, 0], intervals[:, 1]))
    begin, end = intervals[order].T
    shared = (begin < words[:, 1:]) & (end > words[:, :1])
    frames, counts = order[np.nonzero(shared)[1]], shared.sum(axis=1)
    stops = np.cumsum(counts)[counts > 0]
    pooled = np.zeros((len(words), features.shape[1]), features.dtype)
    if len(frames):
        pooled[counts > 0] = _pool(features[frames], stops, pooling)
    return pooled


def _pool(
    rows: Float[np.ndarray, "rows width"], stops: np.ndarray, pooling: str
) -> Float[np.ndarray, "groups width"]:
    """Pool the rows up to each stop from the one before it."""
    if pooling == "last":
        return rows[stops - 1]
    starts = np.concatenate([[0], stops[:-1]])
    if pooling == "max":
        return np.maximum.reduceat(rows, starts, axis=0)
    return (
        np.add.reduceat(rows, starts, axis=0, dtype=np.float64) / np.diff(stops, prepend=0)[:, None]
    )
