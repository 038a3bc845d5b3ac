"""Models: a batch in, an Output with named views out."""

from infofuse.models.late import LateFusion, columns, encoders, fit_inputs

__all__ = ["LateFusion", "columns", "encoders", "fit_inputs"]
