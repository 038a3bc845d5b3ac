"""Objectives: the task, and dependence between views with a sign and a weight."""

from infofuse.objectives.base import Objective, Sum, Term
from infofuse.objectives.dependence import Maximize, Minimize
from infofuse.objectives.supervised import Supervised

__all__ = ["Maximize", "Minimize", "Objective", "Sum", "Supervised", "Term"]
