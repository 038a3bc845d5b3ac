"""A checkpoint's model as a folder that is read without torch.

model.onnx         the graph
config.json        the checkpoint's, what the graph reads, and how it was checked
tokenizer.json     the text encoder's tokenizer, if there is one
calibration.json   the checkpoint's, if there is one
"""

import shutil
from pathlib import Path
from typing import Any

from infofuse.data.loader import Loader
from infofuse.encoders import Transcript, WordPieces
from infofuse.encoders.cache import nothing_kept
from infofuse.encoders.frames import FeatureReader
from infofuse.errors import InfofuseError
from infofuse.export.graph import Graph, Source, to_onnx
from infofuse.export.probes import difference, probe_clips
from infofuse.files import check_place, holds_others, read_json, replacing, write_json, write_text
from infofuse.training import checkpoint
from infofuse.training.calibration import FILE as CALIBRATION
from infofuse.training.protocol import find_checkpoint
from infofuse.training.seal import FILES
from infofuse.types import Batch, Clips, Json

FORMAT = 1
BOUND = 1e-4
"""How far an output of the exported model may be from the checkpoint's."""


def export_onnx(run: str | Path, out: str | Path) -> Json:
    """Write a checkpoint's model as ONNX, and return what config.json there says.

    run: a run of one seed, a seed's folder, or a checkpoint. out: a new folder, or one that was
    exported before. The exported model is tried on `probe_clips`; where it is farther than `BOUND`
    from the checkpoint, nothing is written.

    Raises InfofuseError for that, for a model that ONNX cannot express, and for a folder in the
    way.
    """
    out = Path(out)
    _check_place(out)
    path = find_checkpoint(Path(run))
    config = checkpoint.read_config(path)
    spec, graph = checkpoint.spec_of(config), Graph(checkpoint.load(path))
    clips = probe_clips(graph, spec)
    model = to_onnx(graph, example(graph, clips))
    with replacing(out) as new:
        new.mkdir()
        (new / "model.onnx").write_bytes(model.SerializeToString())
        _write_tokenizer(graph, new / "tokenizer.json")
        if (path / CALIBRATION).is_file():
            shutil.copy(path / CALIBRATION, new)
        facts = {key: value for key, value in config.items() if key != FILES} | {
            "export_format": FORMAT,
            "inputs": {name: _reads(reader) for name, reader in graph.readers.items()},
        }
        write_json(new / "config.json", facts)
        facts |= {"parity": _parity(graph, clips, new)}
        write_json(new / "config.json", facts)
    return facts


def _parity(graph: Graph, clips: Clips, folder: Path) -> Json:
    """What the comparison found. Raises InfofuseError if that is too far."""
    worst = difference(graph, clips, folder)
    if not worst <= BOUND:
        raise InfofuseError(
            f"the exported model differs by {worst:.1e} from the checkpoint, and may by "
            f"{BOUND:.0e}: nothing was written"
        )
    return {"clips": len(clips), "largest_difference": worst, "bound": BOUND}


def example(graph: Graph, clips: Clips) -> Batch:
    """The clips as one batch of what the graph reads."""
    with nothing_kept():
        read = {name: reader.column(clips) for name, reader in graph.readers.items()}
    return next(Loader(read, clips.labels, len(clips)).ordered())


def _check_place(out: Path) -> None:
    """Only what was exported before is replaced."""
    check_place(out, folder=True)
    if not out.exists() or (out.is_dir() and not holds_others(out)):
        return
    if (out / "model.onnx").is_file() and "export_format" in read_json(out / "config.json"):
        return
    raise InfofuseError(f"{out} holds something else than an exported model: name a new folder")


def _reads(reader: Source) -> Json:
    if isinstance(reader, FeatureReader):
        return {"reads": "features", "width": reader.features}
    kind = "word_tokens" if isinstance(reader, WordPieces) else "tokens"
    return {"reads": kind, "max_tokens": reader.max_tokens}


def _write_tokenizer(graph: Graph, path: Path) -> None:
    for reader in graph.readers.values():
        if isinstance(reader, Transcript):
            write_text(path, _backend(reader).to_str(pretty=True))


def _backend(reader: Transcript) -> Any:
    """The tokenizer as `tokenizers` knows it, set to cut texts where the reader does."""
    tokenizer = reader.tokenizer
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise InfofuseError(
            f"the tokenizer of {reader.source!r} is written in Python and has no tokenizer.json: "
            f"use a text encoder with a fast tokenizer"
        )
    tokenizer([""], truncation=True, max_length=reader.max_tokens)  # sets it
    return tokenizer.backend_tokenizer
