"""Encoders: one modality in, one vector a clip or a step out."""

from infofuse.encoders.base import Encoder, Reader, SequenceEncoder
from infofuse.encoders.frozen import FrozenSequence, FrozenText
from infofuse.encoders.recurrent import LSTMEncoder
from infofuse.encoders.standardize import Standardize
from infofuse.encoders.text import TextEncoder, TextSequence, Transcript

__all__ = [
    "Encoder",
    "FrozenSequence",
    "FrozenText",
    "LSTMEncoder",
    "Reader",
    "SequenceEncoder",
    "Standardize",
    "TextEncoder",
    "TextSequence",
    "Transcript",
]
