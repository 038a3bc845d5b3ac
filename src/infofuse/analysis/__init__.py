"""What one asks of representations and results after training. Nothing here trains a model."""

from infofuse.analysis.dependence import Estimate, Report, dependence
from infofuse.analysis.picture import draw
from infofuse.analysis.shared_private import SharedPrivate, shared_private
from infofuse.analysis.shared_private_picture import draw_shared_private
from infofuse.analysis.views import Views, views_of_clips, views_of_model

__all__ = [
    "Estimate",
    "Report",
    "SharedPrivate",
    "Views",
    "dependence",
    "draw",
    "draw_shared_private",
    "shared_private",
    "views_of_clips",
    "views_of_model",
]
