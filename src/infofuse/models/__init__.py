"""Models: a batch in, an output out."""

from infofuse.models.adapted import AdaptedLanguageModel
from infofuse.models.base import OfVectors, columns, encoders, fit_inputs
from infofuse.models.late import LateFusion
from infofuse.models.multitask import MultiTask
from infofuse.models.sequence import SequenceFusion
from infofuse.models.vector import VectorFusion
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
