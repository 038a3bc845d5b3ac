"""Encoders: one modality in, one vector per clip or per step out."""

from infofuse.encoders.encoder import Encoder, Reader, SequenceEncoder
from infofuse.encoders.frames import Frames
from infofuse.encoders.frozen import FrozenSequence, FrozenText
from infofuse.encoders.recurrent import LSTMEncoder
from infofuse.encoders.stacked import StackedLSTM
from infofuse.encoders.standardize import Standardize
from infofuse.encoders.subnets import LSTMSubnet, MeanSubnet
from infofuse.encoders.text import TextEncoder, TextSequence, Transcript
from infofuse.encoders.words import LanguageModel, WordPieces, Words

__all__ = [
    "Encoder",
    "Frames",
    "FrozenSequence",
    "FrozenText",
    "LSTMEncoder",
    "LSTMSubnet",
    "LanguageModel",
    "MeanSubnet",
    "Reader",
    "SequenceEncoder",
    "StackedLSTM",
    "Standardize",
    "TextEncoder",
    "TextSequence",
    "Transcript",
    "WordPieces",
    "Words",
]
