"""How much of each modality's view is shared with each other one, and what it says alone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float

from infofuse.analysis.ridge import Fold, folds, held_out, scaled
from infofuse.errors import InfofuseError
from infofuse.measures import CKA
from infofuse.types import Json

DIRECTIONS = 8  # of the spectrum that are shown
SHRINKAGE = 0.1  # of the covariances that whiten
FEWEST = 20  # clips


@dataclass(frozen=True)
class Pair:
    """What two views share.

    cka: linear, debiased. spectrum: the canonical correlations of the cross-covariance, the
    directions and their order fitted on other clips than those they are read on. forward,
    backward: held-out R² of the second view from the first, and of the first from the second.
    """

    views: tuple[str, str]
    cka: float
    spectrum: tuple[float, ...]
    forward: float
    backward: float


@dataclass(frozen=True)
class Own:
    """What one view says of the label: held-out R².

    label: from the view. private: how much more all views predict than the others do without
    it, which is 0 if what it says is said elsewhere.
    """

    view: str
    label: float
    private: float


@dataclass(frozen=True)
class SharedPrivate:
    """Every pair of views, and every view."""

    pairs: tuple[Pair, ...]
    views: tuple[Own, ...]
    clips: int

    def to_json(self) -> Json:
        return asdict(self)


def shared_private(
    views: Mapping[str, Float[np.ndarray, "n _"]],
    labels: Float[np.ndarray, "n"],
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> SharedPrivate:
    """What views of the same clips share, and what each says of the label, shared and alone.

    All by linear maps. Regressions are ridge, in five parts of the clips (whole groups) of which
    each is predicted by the others; numbers are of predicted clips alone. Clips whose label is
    not known are left out. A sum of squares that is explained in one direction need not be in
    the other: a narrow view may be in a wide one, and not the reverse.

    Raises InfofuseError for views of fewer than 20 clips with a label, or in fewer than 5 groups.
    """
    known = np.isfinite(labels)
    if known.sum() < FEWEST:
        raise InfofuseError(f"at least {FEWEST} clips with labels are needed; found {known.sum()}")
    rows = np.flatnonzero(known)
    kept = {name: np.asarray(v, np.float64)[rows] for name, v in views.items()}
    parts = folds(None if groups is None else [groups[int(i)] for i in rows], len(rows), seed)
    y = labels[rows, None].astype(np.float64)
    return SharedPrivate(
        tuple(_pair((a, b), kept[a], kept[b], parts) for a, b in combinations(kept, 2)),
        tuple(_own(name, kept, y, parts) for name in kept),
        len(rows),
    )


def _pair(
    names: tuple[str, str],
    x: Float[np.ndarray, "n dx"],
    y: Float[np.ndarray, "n dy"],
    parts: Sequence[Fold],
) -> Pair:
    cka = CKA(unbiased=True)(torch.from_numpy(x), torch.from_numpy(y))
    spectrum = np.mean([_spectrum(x, y, fold) for fold in parts], axis=0)
    return Pair(
        names, float(cka), tuple(spectrum.tolist()), held_out(x, y, parts), held_out(y, x, parts)
    )


def _spectrum(
    x: Float[np.ndarray, "n dx"], y: Float[np.ndarray, "n dy"], fold: Fold
) -> Float[np.ndarray, "k"]:
    """Held-out correlations along the singular directions of the whitened cross-covariance."""
    fit, held = fold
    a, b = scaled(x, x[fit]), scaled(y, y[fit])
    left, right = _whitening(a[fit]), _whitening(b[fit])
    u, _, vt = np.linalg.svd(left.T @ (a[fit].T @ b[fit] / len(fit)) @ right)
    k = min(DIRECTIONS, x.shape[1], y.shape[1])
    p, q = a[held] @ left @ u[:, :k], b[held] @ right @ vt[:k].T
    p, q = p - p.mean(0), q - q.mean(0)
    norms = np.linalg.norm(p, axis=0) * np.linalg.norm(q, axis=0)
    return (p * q).sum(0) / np.where(norms > 0, norms, 1)


def _whitening(x: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "d d"]:
    """C^(-1/2) of the shrunk covariance of centred rows."""
    c = x.T @ x / len(x)
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * c + SHRINKAGE * np.eye(len(c)))
    return vectors / np.sqrt(values) @ vectors.T


def _own(
    name: str,
    views: Mapping[str, Float[np.ndarray, "n _"]],
    y: Float[np.ndarray, "n 1"],
    parts: Sequence[Fold],
) -> Own:
    label = held_out(views[name], y, parts)
    others = [v for other, v in views.items() if other != name]
    if not others:
        return Own(name, label, label)
    every, rest = (np.concatenate(v, 1) for v in (list(views.values()), others))
    return Own(name, label, held_out(every, y, parts) - held_out(rest, y, parts))
