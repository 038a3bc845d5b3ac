"""A model as a function of plain tensors, and that function as an ONNX graph."""

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from infofuse.encoders import FrozenSequence, FrozenText, Reader, Transcript
from infofuse.encoders.frames import FeatureReader
from infofuse.errors import InfofuseError, missing
from infofuse.models import encoders
from infofuse.types import Batch, Output, Padded

OPSET = 17
"""ONNX operators of 2022, the first with layer norm, which every onnxruntime since 1.12 runs."""

Source = Transcript | FeatureReader
"""What reads tokens or features as they come."""


class Graph(nn.Module):
    """(x_1, n_1, ..., x_k, n_k) -> (prediction, views): values and lengths of each modality in.

    Text comes as tokens, features as they are; what a model keeps of a frozen text encoder on disk
    is computed here. The model is put into evaluation mode.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.eval()

    @property
    def readers(self) -> dict[str, Source]:
        """By modality, what reads a data set for the graph (see `source`)."""
        return {name: source(reader) for name, reader in encoders(self.model).items()}

    @property
    def inputs(self) -> list[str]:
        """The names of the tensors that go in."""
        return [name for m in encoders(self.model) for name in (m, f"{m}_lengths")]

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(named(self.output(*tensors)).values())

    def output(self, *tensors: Tensor) -> Output:
        """What the model says."""
        pairs = zip(tensors[::2], tensors[1::2], strict=True)
        given = zip(encoders(self.model).items(), pairs, strict=True)
        inputs = {name: _frozen(reader, Padded(*pair)) for (name, reader), pair in given}
        index = torch.arange(tensors[1].shape[0])
        return self.model(Batch(inputs, index[:, None].float(), index))


def named(output: Output) -> dict[str, Tensor]:
    """What comes out of the graph: "prediction", and "view_NAME" of each view."""
    views = {f"view_{name}": view for name, view in output.views.items()}
    return {"prediction": output.prediction} | views


def source(reader: Reader) -> Source:
    """The innermost reader, whose column is tokens or features as they come."""
    return next(m for m in reader.modules() if isinstance(m, Transcript | FeatureReader))


def tensors(batch: Batch) -> tuple[Tensor, ...]:
    """The values and lengths of each modality."""
    return tuple(t for x in batch.inputs.values() for t in (x.values, x.lengths))


def to_onnx(graph: Graph, example: Batch) -> Any:
    """The ONNX model of a graph; batch and time are of any size.

    example: a batch of what `graph.readers` read, from which the graph is traced. Its clips are to
    differ in length and lack modalities, so that no shortcut for even batches is taken.

    Raises InfofuseError if onnx is not installed, or has no operator for what the model does.
    """
    onnx = _onnx()
    file: Any = io.BytesIO()  # torch's annotations know of paths only
    with torch.no_grad():
        widths = {name: x.shape[1] for name, x in named(graph.output(*tensors(example))).items()}
    axes = {name: {0: "batch"} for name in (*graph.inputs, *widths)}
    for name in example.inputs:
        axes[name][1] = f"{name}_time"
    try:
        with _quiet(), _plain_attention():
            torch.onnx.export(
                graph, tensors(example), file, dynamo=False, opset_version=OPSET,
                input_names=graph.inputs, output_names=list(widths), dynamic_axes=axes,
            )  # fmt: skip
    except Exception as error:  # torch's exporter fails in any way it likes
        raise InfofuseError(
            f"the model cannot be written as an ONNX graph: {str(error).strip().splitlines()[0]}"
        ) from error
    model = onnx.load_from_string(file.getvalue())
    _forget_shapes(model.graph)
    del model.graph.output[:]
    for name, width in widths.items():
        kind, shape = onnx.TensorProto.FLOAT, ["batch", width]
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, shape))
    onnx.checker.check_model(model)
    return model


def _frozen(reader: Reader, x: Padded) -> Padded:
    """What a reader is given of a batch: the states of its frozen text encoder, if it has one."""
    for module in reader.modules():
        if isinstance(module, FrozenText | FrozenSequence):
            return module.states(x)
    return x


def _forget_shapes(graph: Any) -> None:
    """Without the shapes between inputs and outputs: the exporter gets those of loops wrong."""
    del graph.value_info[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _forget_shapes(attribute.g)
                for value in attribute.g.output:
                    if value.type.HasField("tensor_type"):
                        value.type.tensor_type.ClearField("shape")


def _onnx() -> Any:
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise missing(f"export needs {error.name}", "onnx") from None
    return onnx


@contextlib.contextmanager
def _plain_attention() -> Iterator[None]:
    """Without torch's fused layers of inference, for which ONNX has no operator."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings, which it also writes to the process's own streams.

    They say that the graph may hold for this example only; that it does not is checked afterwards.
    """
    streams = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as sink, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            for number, stream in enumerate(streams, start=1):
                os.dup2(stream, number)
                os.close(stream)
