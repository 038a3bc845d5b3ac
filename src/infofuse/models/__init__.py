"""Models: a batch in, an output out."""

from infofuse.models.late import LateFusion, columns, encoders, fit_inputs
from infofuse.models.views import view_widths

__all__ = ["LateFusion", "columns", "encoders", "fit_inputs", "view_widths"]
