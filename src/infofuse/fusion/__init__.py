"""Fusions: named views in, one vector a clip out; or named sequences in, named views out."""

from infofuse.fusion.align import align
from infofuse.fusion.concat import ConcatFusion
from infofuse.fusion.early import EarlyLSTM
from infofuse.fusion.graph import DynamicFusionGraph
from infofuse.fusion.low_rank import LowRankFusion
from infofuse.fusion.memory import CrossView, DeltaAttention, GatedMemory, MemoryFusion
from infofuse.fusion.tensor import TensorFusion

__all__ = [
    "ConcatFusion",
    "CrossView",
    "DeltaAttention",
    "DynamicFusionGraph",
    "EarlyLSTM",
    "GatedMemory",
    "LowRankFusion",
    "MemoryFusion",
    "TensorFusion",
    "align",
]
