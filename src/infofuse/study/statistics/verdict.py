"""The one rule by which anything is called better, worse, equivalent or undecided.

A claim stands on blocks: the seeds of one system on one data set are one. What is said of one
system on one data set is tested over that block's seeds, what is said of several systems or data
sets over the means of their blocks. Of n such differences with mean x̄ and standard deviation s,

    t = x̄ / (s / sqrt n),    two-sided p by Student's t with n - 1 degrees, after Holm

over all comparisons of its table. With [-w, w] the region in which a difference means nothing in
practice, and P the posterior of the Bayesian t-test (`infofuse.study.statistics.bayes`),

    better       p < .05 and P(μ > w) ≥ .95
    worse        p < .05 and P(μ < -w) ≥ .95
    equivalent   P(-w ≤ μ ≤ w) ≥ .95
    undecided    else
"""

from typing import Literal

from infofuse.study.statistics.bayes import Rope

Verdict = Literal["better", "worse", "equivalent", "undecided"]
SIGNIFICANT, SURE = 0.05, 0.95


def verdict(p: float, posterior: Rope) -> Verdict:
    """What may be said. p: after correction; NaN, as of a single seed, decides nothing."""
    if posterior.equivalent >= SURE:
        return "equivalent"
    if p < SIGNIFICANT and posterior.better >= SURE:
        return "better"
    if p < SIGNIFICANT and posterior.worse >= SURE:
        return "worse"
    return "undecided"
