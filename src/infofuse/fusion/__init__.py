"""Fusions: named views in, one vector a clip or more views out."""

from infofuse.fusion.adaptation import AdaptationGate
from infofuse.fusion.bottleneck import BottleneckFusion
from infofuse.fusion.concat import ConcatFusion
from infofuse.fusion.crossmodal import CrossmodalFusion
from infofuse.fusion.interaction import InteractionFusion
from infofuse.fusion.subspaces import SubspaceFusion

__all__ = [
    "AdaptationGate",
    "BottleneckFusion",
    "ConcatFusion",
    "CrossmodalFusion",
    "InteractionFusion",
    "SubspaceFusion",
]
