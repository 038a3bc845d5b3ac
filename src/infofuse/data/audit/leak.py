"""Features that were made by a network trained with the labels, found by what such features know.

A network knows the labels of the clips that it was trained on, and of others only what can be
learnt. So a linear probe of its features (`infofuse.data.audit.probe`) reads the labels of some
videos far better than those of others. Of honest features it reads all about equally well. Skill
is the correlation r of the probe's out-of-fold prediction with the label, on Fisher's scale:

    z = artanh r, variance 1 / (n - 3)       within each video of n clips, n >= 8
    Q(τ²) = Σ_v (z_v - z̄_split)² / (1/(n_v - 3) + τ²)       is χ² with videos - splits degrees

τ is the deviation of skill among the videos of a split. Its interval is where Q(τ²) lies between
the quantiles of χ² (the Q-profile; Viechtbauer 2007). Skill in a whole split is the mean of its
videos, weighted by 1 / (1/(n_v - 3) + τ²); without groups it is that of all its clips.

    uneven      τ is above `UNEVEN`: the network was trained on part of a split
    gap         the skill of two splits differs by more than `GAP`: it was trained on one of them

each at the 99 % limit. On CMU-MOSI with the official split, τ is 0.45 [0.36, 0.59] for bc-LSTM's
visual features, 0.45 [0.35, 0.59] for its textual ones, 0.14 [0, 0.24] for mean GloVe vectors and
0.07 [0, 0.18] for openSMILE functionals.

A network trained on every clip, test and all, leaves no trace that this can see. Nor does one that
learnt nothing from its training clips that a linear probe can read.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from infofuse.data.audit.finding import Finding
from infofuse.data.audit.probe import above, means, out_of_fold
from infofuse.data.corpus import SPLITS, Corpus

LEVEL = 0.99
UNEVEN = 0.25
GAP = 0.3
LEAST_CLIPS = 8  # of a video whose skill is measured
LEAST_VIDEOS = 10
_MOST_R = 0.99


@dataclass(frozen=True)
class Skill:
    """What a probe of one modality reads, on Fisher's scale.

    splits: z and its standard error. tau: the deviation of z among the videos of a split, and its
    interval, None where there are too few videos of enough clips. videos: those that were measured.
    """

    modality: str
    splits: dict[str, tuple[float, float]]
    tau: tuple[float, float, float] | None
    videos: int


@dataclass(frozen=True, eq=False)
class _Measured:
    """Skills, their sampling variances and their splits."""

    z: Float[np.ndarray, "m"]
    variance: Float[np.ndarray, "m"]
    split: Int[np.ndarray, "m"]
    names: tuple[str, ...] = field(default=SPLITS)

    def q(self, tau2: float) -> float:
        weight = 1 / (self.variance + tau2)
        return sum(
            float((weight[s] * (self.z[s] - np.average(self.z[s], weights=weight[s])) ** 2).sum())
            for s in self._parts()
        )

    def _parts(self) -> list[np.ndarray]:
        return [self.split == k for k in np.unique(self.split)]

    def tau(self) -> tuple[float, float, float]:
        """Its estimate, where Q is its degrees of freedom, and the ends of its interval."""
        degrees = len(self.z) - len(np.unique(self.split))
        low, high = chi2.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], degrees)
        return self._tau_at(degrees), self._tau_at(float(high)), self._tau_at(float(low))

    def _tau_at(self, q: float) -> float:
        """τ where Q(τ²) is q; Q falls in τ²."""
        if self.q(0.0) <= q:
            return 0.0
        return float(np.sqrt(brentq(lambda tau2: self.q(tau2) - q, 0.0, 1e3)))

    def splits(self, tau: float) -> dict[str, tuple[float, float]]:
        weight = 1 / (self.variance + tau**2)
        return {
            self.names[int(k)]: (
                float(np.average(self.z[self.split == k], weights=weight[self.split == k])),
                float(weight[self.split == k].sum() ** -0.5),
            )
            for k in np.unique(self.split)
        }


def skills(corpus: Corpus) -> list[Skill]:
    """The skill of each feature modality; one whose clips or labels are too few is left out."""
    found = [_skill(corpus, m) for m in corpus.spec.features]
    return [skill for skill in found if skill is not None]


def leaks(skills: Iterable[Skill]) -> list[Finding]:
    """The findings: an error where test scores are false, a warning where others are."""
    return [finding for skill in skills for finding in [*_uneven(skill), *_gap(skill)]]


def _skill(corpus: Corpus, modality: str) -> Skill | None:
    names = tuple(s for s in SPLITS if s in corpus.splits)
    parts = [corpus.splits[s] for s in names]
    x = np.concatenate([means(p.features[modality]) for p in parts])
    y = np.concatenate([p.labels for p in parts]).astype(float)
    split = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    group = np.unique([g or f"\0{i}" for i, g in enumerate(_groups(corpus))], return_inverse=True)[
        1
    ]
    there = np.isfinite(x).all(1) & np.isfinite(y).all(1)
    x, y, split, group = x[there], y[there], split[there], group[there]
    if min(len(set(group.tolist())), len(y)) < 2 * LEAST_VIDEOS or not x.std(0).any():
        return None
    y = above(y, corpus.spec.label_range)
    p = out_of_fold(x, y, group)
    by_video = _measure(p, y, group, split, names)
    if len(by_video.z) - len(np.unique(by_video.split)) >= LEAST_VIDEOS:
        tau = by_video.tau()
        return Skill(modality, by_video.splits(tau[0]), tau, len(by_video.z))
    by_split = _measure(p, y, split, split, names)
    return Skill(modality, by_split.splits(0.0), None, 0) if len(by_split.z) else None


def _groups(corpus: Corpus) -> list[str]:
    return [g for s in SPLITS if s in corpus.splits for g in corpus.splits[s].groups]


def _measure(
    p: Float[np.ndarray, "n k"],
    y: Float[np.ndarray, "n k"],
    unit: Int[np.ndarray, "n"],
    split: Int[np.ndarray, "n"],
    names: tuple[str, ...],
) -> _Measured:
    """z in each unit of enough clips, a mean over the labels that vary in it."""
    z, variance, of = [], [], []
    for part in np.unique(split):
        for u in np.unique(unit[split == part]):
            rows = (split == part) & (unit == u)
            r = _correlations(p[rows], y[rows]) if rows.sum() >= LEAST_CLIPS else np.zeros(0)
            if len(r):
                z.append(np.arctanh(np.clip(r, -_MOST_R, _MOST_R)).mean())
                variance.append(1 / (rows.sum() - 3))
                of.append(part)
    return _Measured(np.array(z, float), np.array(variance, float), np.array(of, int), names)


def _correlations(
    p: Float[np.ndarray, "n k"], y: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "_"]:
    a, b = p - p.mean(0), y - y.mean(0)
    size = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    varied = size > 1e-12
    return (a * b).sum(0)[varied] / size[varied]


def _uneven(skill: Skill) -> list[Finding]:
    if skill.tau is None or skill.tau[1] <= UNEVEN:
        return []
    tau, low, high = skill.tau
    return [
        Finding(
            "error",
            "label leak",
            f"{skill.modality} knows the labels of some videos far better than those of others of "
            f"the same split (deviation {tau:.2f} [{low:.2f}, {high:.2f}] over {skill.videos} "
            f"videos, and honest features stay below {UNEVEN}): it was most likely made by a "
            f"network trained with labels on part of these clips. Scores with it are false",
            facts=asdict(skill),
        )
    ]


def _gap(skill: Skill) -> list[Finding]:
    (best, high), *_, (worst, low) = sorted(skill.splits.items(), key=lambda s: -s[1][0])
    critical = float(norm.ppf((1 + LEVEL) / 2))
    if best == worst or high[0] - low[0] - critical * np.hypot(high[1], low[1]) <= GAP:
        return []
    known = [
        s for s, (z, se) in skill.splits.items()
        if z - low[0] - critical * np.hypot(se, low[1]) > GAP
    ]  # fmt: skip
    listed = ", ".join(f"{s} {np.tanh(z):.2f}" for s, (z, _) in skill.splits.items())
    false = [s for s in known if s != "train"]
    told = f"scores on {' and '.join(false)} with it are false" if false else "test is honest"
    return [
        Finding(
            "error" if "test" in known else "warning",
            "label leak",
            f"{skill.modality} tells the labels of {' and '.join(known)} far better than those of "
            f"{worst} (correlation within a video: {listed}): it was most likely made by a network "
            f"trained on the labels of {' and '.join(known)}; {told}",
            facts=asdict(skill),
        )
    ]
