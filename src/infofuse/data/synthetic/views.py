"""The Gaussian model behind the generated corpus, and what is known of it in closed form.

Formulas and letters are those of `infofuse.data.synthetic`. All dependence is in nats.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from infofuse.data.synthetic.config import MODALITIES, SyntheticConfig
from infofuse.errors import unknown

LATENTS = ("shared", "unique_text", "unique_audio", "unique_vision", "cue_audio", "cue_vision")


@dataclass(frozen=True, eq=False)
class Drawn:
    """n clips of the model: their latents in the order of `LATENTS`, views and label scores."""

    latents: Float[np.ndarray, "n 6"]
    views: dict[str, Float[np.ndarray, "n _"]]
    score: Float[np.ndarray, "n"]


def mixing(config: SyntheticConfig) -> dict[str, Float[np.ndarray, "_ 6"]]:
    """A_m by modality, with x_m = A_m h + τ_m n, h the latents."""
    r, s = (np.sqrt(config.shares[name]) for name in ("redundant", "synergy"))
    u, v, w = (np.sqrt(config.shares[name]) for name in MODALITIES)
    return {
        "text": np.array([[r, u, 0, 0, 0, 0]]),
        "audio": np.array([[r, 0, 0, 0, 0, 0], [0, 0, v, 0, 0, 0], [0, 0, 0, 0, s, 0]]),
        "vision": np.array([[r, 0, 0, 0, 0, 0], [0, 0, 0, w, 0, 0], [0, 0, 0, 0, 0, s]]),
    }


def _weights(config: SyntheticConfig) -> Float[np.ndarray, "6"]:
    """The weight of each latent in the label score, the synergy apart."""
    names = ("redundant", *MODALITIES)
    return np.array([*(np.sqrt(config.shares[name]) for name in names), 0.0, 0.0])


def draw(config: SyntheticConfig, n: int, rng: np.random.Generator) -> Drawn:
    """Latents, views and scores of n clips."""
    h = rng.standard_normal((n, len(LATENTS)))
    views = {
        m: h @ a.T + getattr(config.noise, m) * rng.standard_normal((n, len(a)))
        for m, a in mixing(config).items()
    }
    score = h @ _weights(config)
    score += np.sqrt(config.shares["synergy"]) * np.sign(h[:, 4] * h[:, 5])
    score += np.sqrt(config.shares["noise"]) * rng.standard_normal(n)
    return Drawn(h, views, score)


def covariance(config: SyntheticConfig, *modalities: str) -> Float[np.ndarray, "d d"]:
    """Σ = A Aᵀ + diag τ² of the views of these modalities, one after the other."""
    blocks = mixing(config)
    for name in modalities:
        if name not in blocks:
            raise unknown("modality", name, blocks)
    a = np.concatenate([blocks[m] for m in modalities])
    sd = np.concatenate([np.full(len(blocks[m]), getattr(config.noise, m)) for m in modalities])
    return a @ a.T + np.diag(sd**2)


def _half_logdet(config: SyntheticConfig, *modalities: str) -> float:
    return float(np.linalg.slogdet(covariance(config, *modalities)).logabsdet) / 2


def mutual_information(config: SyntheticConfig, one: str, other: str) -> float:
    """I(x_one; x_other) = ½ (log det Σ_one + log det Σ_other - log det Σ_both), in nats."""
    alone = _half_logdet(config, one) + _half_logdet(config, other)
    return alone - _half_logdet(config, one, other)


def total_correlation(config: SyntheticConfig) -> float:
    """½ (Σ_m log det Σ_m - log det Σ) over text, audio and vision, in nats."""
    return sum(_half_logdet(config, m) for m in MODALITIES) - _half_logdet(config, *MODALITIES)


def regression(config: SyntheticConfig, *modalities: str) -> Float[np.ndarray, "d"]:
    """Σ⁻¹ cov(x, y): E[y | x] from these views is x times it, the synergy apart."""
    a = np.concatenate([mixing(config)[m] for m in modalities])
    return np.linalg.solve(covariance(config, *modalities), a @ _weights(config))


def ceiling(config: SyntheticConfig, modalities: Iterable[str] = MODALITIES) -> float:
    """The R² of E[y | x], the best prediction of the label score from these views.

    cov(y, x) Σ⁻¹ cov(x, y), and where both cues are among the views, S ρ_audio ρ_vision more,
    with ρ_m = E[(E[sign c_m | x_m])²] = (2/π) asin(S / (S + τ_m²)).
    """
    names = tuple(modalities)
    a = np.concatenate([mixing(config)[m] for m in names])
    linear = float((a @ _weights(config)) @ regression(config, *names))
    share = config.shares["synergy"]
    if not {"audio", "vision"} <= set(names):
        return linear
    certain = [2 / np.pi * np.arcsin(share / (share + t**2)) for t in list(config.noise)[1:]]
    return linear + share * float(np.prod(certain))
