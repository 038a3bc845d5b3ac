"""Features that were made by a network trained with the labels, found by what such features know.

A network knows the labels of the clips that it was trained on, and of others only what can be
learnt. So a linear probe of its features (`infofuse.data.audit.probe`) reads the labels of some
videos far better than those of others. Of honest features it reads all about equally well. Skill
is the correlation r of the probe's out-of-fold prediction with the label, on Fisher's scale:

    z = artanh r, variance 1 / (n - 3)       within each video of n clips, n >= `LEAST_CLIPS`

τ is the deviation of z among the videos of a split, beyond its sampling error, and the skill of a
split is the mean over its videos (`infofuse.data.audit.spread`). Where clips name no video, or too
few have clips enough, the skill of a split is that of all its clips, and there is no τ.

    uneven      τ is above `UNEVEN`: the network was trained on part of a split
    gap         two splits differ in skill by more than `GAP`: it was trained on one of them

each at the 99 % limit. On CMU-MOSI with the official split, τ is 0.45 [0.36, 0.59] for bc-LSTM's
visual features, 0.45 [0.35, 0.59] for its textual ones, 0.14 [0, 0.25] for mean GloVe vectors and
for MiniLM's, and 0.07 [0, 0.18] for openSMILE functionals.

A network trained on every clip, test and all, leaves no trace that this can see. Nor does one that
learnt nothing from its training clips that a linear probe can read.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm

from infofuse.data.audit.finding import Finding, Severity
from infofuse.data.audit.probe import above, means, out_of_fold
from infofuse.data.audit.spread import LEVEL, Spread
from infofuse.data.corpus import SPLITS, Corpus

UNEVEN = 0.25
GAP = 0.3
LEAST_CLIPS = 8
LEAST_VIDEOS = 10
_MOST_R = 0.99


@dataclass(frozen=True)
class Skill:
    """What a probe of one modality reads, on Fisher's scale.

    splits: z and its standard error. tau: τ and the ends of its interval, None where there are too
    few videos of enough clips. videos: those that were measured.
    """

    modality: str
    splits: dict[str, tuple[float, float]]
    tau: tuple[float, float, float] | None
    videos: int


def skills(corpus: Corpus) -> list[Skill]:
    """The skill of each feature modality; one whose clips or labels are too few is left out."""
    found = [_skill(corpus, m) for m in corpus.spec.features]
    return [skill for skill in found if skill is not None]


def leaks(skills: Iterable[Skill]) -> list[Finding]:
    """The findings: an error where test scores are false, a warning where others are."""
    return [finding for skill in skills for finding in [*_uneven(skill), *_gap(skill)]]


def _skill(corpus: Corpus, modality: str) -> Skill | None:
    names = [s for s in SPLITS if s in corpus.splits]
    parts = [corpus.splits[s] for s in names]
    if not parts:
        return None
    x = np.concatenate([means(p.features[modality]) for p in parts])
    y = np.concatenate([p.labels for p in parts]).astype(float)
    split = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    video = _numbers([group for p in parts for group in p.groups])
    there = np.isfinite(x).all(1) & np.isfinite(y).all(1)
    x, y, split, video = x[there], y[there], split[there], video[there]
    if len(set(video.tolist())) < 2 * LEAST_VIDEOS or not x.std(0).any():
        return None
    y = above(y, corpus.spec.label_range)
    p = out_of_fold(x, y, video)
    spread = _spread(p, y, video, split)
    tau = spread.tau() if spread.degrees >= LEAST_VIDEOS else None
    if tau is None:
        spread = _spread(p, y, split, split)
    by_split = {names[k]: mean for k, mean in spread.means(tau[0] if tau else 0.0).items()}
    return Skill(modality, by_split, tau, len(spread.z) if tau else 0)


def _numbers(groups: list[str]) -> Int[np.ndarray, "n"]:
    """A number for each group; a clip without one is its own."""
    names = [group or f"\0{i}" for i, group in enumerate(groups)]
    return np.unique(names, return_inverse=True)[1]


def _spread(
    p: Float[np.ndarray, "n k"],
    y: Float[np.ndarray, "n k"],
    unit: Int[np.ndarray, "n"],
    split: Int[np.ndarray, "n"],
) -> Spread:
    """z within each unit of a split, the mean over the labels that vary there."""
    z, variance, part = [], [], []
    order = np.lexsort((unit, split))
    ends = np.flatnonzero(np.diff(split[order]) | np.diff(unit[order])) + 1
    for rows in np.split(order, ends):
        r = _correlations(p[rows], y[rows]) if len(rows) >= LEAST_CLIPS else np.zeros(0)
        if len(r):
            z.append(np.arctanh(np.clip(r, -_MOST_R, _MOST_R)).mean())
            variance.append(1 / (len(rows) - 3))
            part.append(split[rows[0]])
    return Spread(np.array(z, float), np.array(variance, float), np.array(part, int))


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
    what = (
        f"{skill.modality} knows the labels of some videos far better than those of others of the "
        f"same split (deviation {tau:.2f} [{low:.2f}, {high:.2f}] over {skill.videos} videos; "
        f"honest features stay below {UNEVEN}). It was most likely made by a network trained with "
        f"the labels of some of these clips, and scores with it are false"
    )
    return [Finding("error", "label leak", what, facts=asdict(skill))]


def _gap(skill: Skill) -> list[Finding]:
    worst = min(skill.splits, key=lambda s: skill.splits[s][0], default="")
    known = [s for s in skill.splits if _apart(skill.splits[s], skill.splits[worst])]
    if not known:
        return []
    listed = ", ".join(f"{s} {np.tanh(z):.2f}" for s, (z, _) in skill.splits.items())
    false = " and ".join(s for s in known if s != "train")
    told = (
        f"scores on {false} with it are false"
        if false
        else "scores on the others are honest, but a model will trust it more than it should"
    )
    what = (
        f"{skill.modality} tells the labels of {' and '.join(known)} far better than those of "
        f"{worst} (correlation: {listed}). It was most likely made by a network trained with the "
        f"labels of {' and '.join(known)}: {told}"
    )
    severity: Severity = "error" if "test" in known else "warning"
    return [Finding(severity, "label leak", what, facts=asdict(skill))]


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether the first is greater by more than `GAP`, at the limit of the interval."""
    error = float(norm.ppf((1 + LEVEL) / 2)) * np.hypot(one[1], other[1])
    return bool(one[0] - other[0] - error > GAP)
