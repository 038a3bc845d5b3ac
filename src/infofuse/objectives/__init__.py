"""Objectives: the task, and dependence between views with a sign and a weight."""

from infofuse.objectives.base import Objective, Sum, Term
from infofuse.objectives.dependence import Maximize, Minimize
from infofuse.objectives.gather import gather
from infofuse.objectives.penalty import DependencyPenalty
from infofuse.objectives.schedule import Schedule, WarmUp
from infofuse.objectives.supervised import Supervised
from infofuse.objectives.tap import tap
from infofuse.objectives.uncertainty import LearnedWeights

__all__ = [
    "DependencyPenalty",
    "LearnedWeights",
    "Maximize",
    "Minimize",
    "Objective",
    "Schedule",
    "Sum",
    "Supervised",
    "Term",
    "WarmUp",
    "gather",
    "tap",
]
