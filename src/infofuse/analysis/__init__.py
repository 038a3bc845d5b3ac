"""What one asks of representations and results after training. Nothing here trains a model."""

from infofuse.analysis.dependence import Estimate, Report, dependence
from infofuse.analysis.picture import draw
from infofuse.analysis.views import Views, views_of_clips, views_of_model

__all__ = [
    "Estimate",
    "Report",
    "Views",
    "dependence",
    "draw",
    "views_of_clips",
    "views_of_model",
]
