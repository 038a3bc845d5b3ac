"""Objectives: the task, and dependence between views with a sign and a weight."""

from infofuse.objectives.adversarial import Adversarial
from infofuse.objectives.alignment import Alignment
from infofuse.objectives.dependence import Maximize, Minimize
from infofuse.objectives.gather import gather
from infofuse.objectives.objective import Objective, Sum, Term
from infofuse.objectives.penalty import DependencyPenalty
from infofuse.objectives.reconstruction import Reconstruction
from infofuse.objectives.schedule import Schedule, WarmUp
from infofuse.objectives.supervised import Supervised
from infofuse.objectives.tap import tap
from infofuse.objectives.uncertainty import LearnedWeights
from infofuse.objectives.unimodal_labels import UnimodalLabels

__all__ = [
    "Adversarial",
    "Alignment",
    "DependencyPenalty",
    "LearnedWeights",
    "Maximize",
    "Minimize",
    "Objective",
    "Reconstruction",
    "Schedule",
    "Sum",
    "Supervised",
    "Term",
    "UnimodalLabels",
    "WarmUp",
    "gather",
    "tap",
]
