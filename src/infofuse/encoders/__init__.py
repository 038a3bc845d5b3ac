"""Encoders: one modality in, one vector a clip or a step out."""

from infofuse.encoders.base import Encoder, Reader, SequenceEncoder
from infofuse.encoders.frames import Frames
from infofuse.encoders.frozen import FrozenSequence, FrozenText
from infofuse.encoders.recurrent import LSTMEncoder
from infofuse.encoders.standardize import Standardize
from infofuse.encoders.subnets import LSTMSubnet, MeanSubnet
from infofuse.encoders.text import TextEncoder, TextSequence, Transcript

__all__ = [
    "Encoder",
    "Frames",
    "FrozenSequence",
    "FrozenText",
    "LSTMEncoder",
    "LSTMSubnet",
    "MeanSubnet",
    "Reader",
    "SequenceEncoder",
    "Standardize",
    "TextEncoder",
    "TextSequence",
    "Transcript",
]
