"""A checkpoint as an ONNX graph, for `infofuse_runtime` and any other ONNX runtime."""

from infofuse.export.folder import export_onnx

__all__ = ["export_onnx"]
