"""Predictions of an exported model, without torch: numpy, onnxruntime and tokenizers are enough.

    runtime = Runtime.load("sentiment")
    runtime(texts=["I loved it."], features={"audio": [frames]})

This package imports nothing of `infofuse`. `infofuse export RUN --onnx FOLDER` writes what it
reads.
"""

from infofuse_runtime.labels import Answer
from infofuse_runtime.refusal import Refusal
from infofuse_runtime.runtime import Runtime

__all__ = ["Answer", "Refusal", "Runtime"]
