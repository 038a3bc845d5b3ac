"""Comparing systems over seeds and data sets. Everywhere more is better: see `metrics.gain`."""

from infofuse.study.statistics.bayes import Rope, rope
from infofuse.study.statistics.elo import elo
from infofuse.study.statistics.normalised import GroupMean, group_mean, normalised
from infofuse.study.statistics.paired import (
    Paired,
    compare,
    holm,
    sign_flip,
    t_interval,
    t_test,
    wilcoxon,
)
from infofuse.study.statistics.ranks import Ranks, critical_difference, rank
from infofuse.study.statistics.verdict import SIGNIFICANT, Verdict, verdict

__all__ = [
    "SIGNIFICANT",
    "GroupMean",
    "Paired",
    "Ranks",
    "Rope",
    "Verdict",
    "compare",
    "critical_difference",
    "elo",
    "group_mean",
    "holm",
    "normalised",
    "rank",
    "rope",
    "sign_flip",
    "t_interval",
    "t_test",
    "verdict",
    "wilcoxon",
]
