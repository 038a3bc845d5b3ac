"""Comparing systems over seeds and data sets. Everywhere more is better: see `metrics.gain`."""

from infofuse.study.statistics.bayes import Rope, rope
from infofuse.study.statistics.elo import elo
from infofuse.study.statistics.normalised import GroupMean, group_mean, normalised
from infofuse.study.statistics.paired import Paired, bootstrap, compare, holm, sign_flip, wilcoxon
from infofuse.study.statistics.ranks import Ranks, critical_difference, rank

__all__ = [
    "GroupMean",
    "Paired",
    "Ranks",
    "Rope",
    "bootstrap",
    "compare",
    "critical_difference",
    "elo",
    "group_mean",
    "holm",
    "normalised",
    "rank",
    "rope",
    "sign_flip",
    "wilcoxon",
]
