"""Encoders: one modality in, one vector a clip out."""

from infofuse.encoders.base import Encoder
from infofuse.encoders.recurrent import LSTMEncoder
from infofuse.encoders.standardize import Standardize
from infofuse.encoders.text import TextEncoder

__all__ = ["Encoder", "LSTMEncoder", "Standardize", "TextEncoder"]
