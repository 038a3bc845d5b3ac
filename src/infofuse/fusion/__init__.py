"""Fusions: named views in, one vector a clip out."""

from infofuse.fusion.concat import ConcatFusion

__all__ = ["ConcatFusion"]
