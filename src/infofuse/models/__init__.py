"""Models: a batch in, an output out."""

from infofuse.models.adapted import AdaptedLanguageModel
from infofuse.models.fusing import LateFusion, MultiTask, SequenceFusion, VectorFusion
from infofuse.models.of_vectors import OfVectors, columns, encoders, fit_inputs
from infofuse.models.views import view_widths
from infofuse.models.word_transformer import WordTransformer

__all__ = [
    "AdaptedLanguageModel",
    "LateFusion",
    "MultiTask",
    "OfVectors",
    "SequenceFusion",
    "VectorFusion",
    "WordTransformer",
    "columns",
    "encoders",
    "fit_inputs",
    "view_widths",
]
