"""Models: a batch in, an Output with named views out."""

from infofuse.models.adapted import AdaptedLanguageModel
from infofuse.models.late import LateFusion, columns, encoders, fit_inputs
from infofuse.models.sequence import SequenceFusion
from infofuse.models.vector import VectorFusion

__all__ = [
    "AdaptedLanguageModel",
    "LateFusion",
    "SequenceFusion",
    "VectorFusion",
    "columns",
    "encoders",
    "fit_inputs",
]
