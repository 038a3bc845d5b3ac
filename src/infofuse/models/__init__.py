"""Models: a batch in, an Output with named views out."""

from infofuse.models.late import LateFusion, columns, encoders, fit_inputs
from infofuse.models.multitask import MultiTask

__all__ = ["LateFusion", "MultiTask", "columns", "encoders", "fit_inputs"]
