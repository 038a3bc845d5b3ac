"""Models: a batch in, an output out."""

from infofuse.models.late import LateFusion, columns, encoders, fit_inputs
from infofuse.models.multitask import MultiTask
from infofuse.models.sequence import SequenceFusion
from infofuse.models.views import view_widths

__all__ = [
    "LateFusion",
    "MultiTask",
    "SequenceFusion",
    "columns",
    "encoders",
    "fit_inputs",
    "view_widths",
]
