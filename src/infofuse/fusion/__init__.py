"""Fusions: named views or sequences in, one vector per clip or named views out."""

from infofuse.fusion.adaptation import AdaptationGate
from infofuse.fusion.align import align
from infofuse.fusion.bottleneck import BottleneckFusion
from infofuse.fusion.concat import ConcatFusion
from infofuse.fusion.crossmodal import CrossmodalFusion
from infofuse.fusion.early import EarlyLSTM
from infofuse.fusion.graph import DynamicFusionGraph
from infofuse.fusion.interaction import InteractionFusion
from infofuse.fusion.low_rank import LowRankFusion
from infofuse.fusion.memory import CrossView, DeltaAttention, GatedMemory, MemoryFusion
from infofuse.fusion.subspaces import SubspaceFusion
from infofuse.fusion.tensor import TensorFusion

__all__ = [
    "AdaptationGate",
    "BottleneckFusion",
    "ConcatFusion",
    "CrossView",
    "CrossmodalFusion",
    "DeltaAttention",
    "DynamicFusionGraph",
    "EarlyLSTM",
    "GatedMemory",
    "InteractionFusion",
    "LowRankFusion",
    "MemoryFusion",
    "SubspaceFusion",
    "TensorFusion",
    "align",
]
