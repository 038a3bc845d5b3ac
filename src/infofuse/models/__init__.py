"""Models: a batch in, an Output with named views out."""

from infofuse.models.late import LateFusion, columns, encoders, fit_inputs
from infofuse.models.sequence import SequenceFusion

__all__ = ["LateFusion", "SequenceFusion", "columns", "encoders", "fit_inputs"]
