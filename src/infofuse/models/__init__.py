"""Models: a batch in, an Output with named views out."""

from infofuse.models.adapted import AdaptedLanguageModel
from infofuse.models.late import LateFusion, columns, encoders, fit_inputs
from infofuse.models.sequence import SequenceFusion
from infofuse.models.vector import VectorFusion
from infofuse.models.word_transformer import WordTransformer

__all__ = [
    "AdaptedLanguageModel",
    "LateFusion",
    "SequenceFusion",
    "VectorFusion",
    "WordTransformer",
    "columns",
    "encoders",
    "fit_inputs",
]
