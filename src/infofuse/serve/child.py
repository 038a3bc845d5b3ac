"""Reading a clip in a process of its own, which cannot take the service down or leave a file.

A decoder is a large program in C that is fed by strangers. Here each clip gets a new process,
forked from a server that has imported what is needed and holds nothing else. It may take so much
memory and time, writes no file, and ends by itself if nobody is left to stop it. What it sends
back is JSON and safetensors, for what is unpickled can run code.
"""

import contextlib
import json
import math
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from infofuse.errors import InfofuseError
from infofuse.types import Sample

if TYPE_CHECKING:
    from infofuse.extract.clip import Extracted

Extract = Callable[..., "Extracted"]
"""(path, text=..., transcript=...) -> Extracted; a module's function, since it is sent by name."""

_PRELOADED = ("infofuse.serve.child", "infofuse.extract.clip", "safetensors.numpy", "av")
_REPLY = 512 * 2**20  # bytes; more than any clip within the limits has
_MEMORY = "the clip needs more memory to read than the service gives"


class Stopped(Exception):
    """A decoder that was stopped, or ended by itself, without an answer."""


class TooSlow(Stopped):
    """A decoder that was stopped since its time was over."""


class _Report(BaseModel):
    """The first part of what a child sends."""

    error: str | None = None
    text: str = ""
    words: list[tuple[str, float | None, float | None]] = []
    seconds: float = 0.0
    notes: list[str] = []


def warm() -> None:
    """Start the process from which decoders are forked, with what they need imported.

    What is not installed is left out by it without a word.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    process = context.Process(target=os.getpid)
    process.start()
    process.join()


def extract_apart(
    extract: Extract,
    clip: IO[bytes],
    text: str | None = None,
    transcript: IO[bytes] | None = None,
    *,
    suffix: str = ".txt",
    seconds: float,
    memory: int,
) -> "Extracted":
    """What `extract` makes of an open file, computed in a process of its own.

    suffix: of the transcript's name, which says what it is. seconds: wall time until it is killed.
    memory: bytes of address space beyond what the process has at its start.

    Raises InfofuseError with the sentence of the extractor, TooSlow, or Stopped.
    """
    if seconds <= 0:
        raise TooSlow("its turn came too late")
    context = multiprocessing.get_context("forkserver")
    here, there = context.Pipe(duplex=False)
    files = [file and _Lent(file.fileno()) for file in (clip, transcript)]
    end = time.monotonic() + seconds
    with here, tempfile.TemporaryDirectory(prefix="infofuse-") as folder:
        named = Path(folder) / f"transcript{suffix}"
        args = (there, *files, named, extract, text, seconds, memory)
        child = context.Process(target=_child, args=args)
        child.start()
        there.close()
        report, arrays = _reply(here, child, end)
    return _extracted(report, arrays)


def _reply(here: Connection, child: BaseProcess, end: float) -> tuple[bytes, bytes]:
    """The two parts that a child sends before its time is over. Raises TooSlow, or Stopped."""
    with _killed_at(child, end):
        try:
            return here.recv_bytes(_REPLY), here.recv_bytes(_REPLY)
        except (EOFError, OSError):
            child.join()
            late = time.monotonic() >= end or child.exitcode in (-signal.SIGALRM, -signal.SIGXCPU)
            raise (TooSlow if late else Stopped)(_how_it_ended(child)) from None


@contextlib.contextmanager
def _killed_at(child: BaseProcess, end: float) -> Iterator[None]:
    """The child is killed when the time is over, and at the end of the block."""
    timer = threading.Timer(end - time.monotonic(), child.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        child.kill()
        child.join()


def _how_it_ended(child: BaseProcess) -> str:
    code = child.exitcode or 0
    return signal.Signals(-code).name if code < 0 else f"status {code}"


def _extracted(report: bytes, arrays: bytes) -> "Extracted":
    """What a child sent, read as data of which nothing is believed."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from infofuse.extract.clip import Extracted
    from infofuse.extract.text import Word

    try:
        said, found = _Report.model_validate_json(report), load(arrays)
    except (ValidationError, SafetensorError) as error:
        raise Stopped(f"an answer that is none: {type(error).__name__}") from None
    if said.error is not None:
        raise InfofuseError(said.error)
    features = _part(found, "values")
    return Extracted(
        Sample("clip", features, said.text),
        _part(found, "times"),
        tuple(Word(*word) for word in said.words),
        said.seconds,
        tuple(said.notes),
    )


def _part(arrays: dict[str, Any], part: str) -> dict[str, Any]:
    return {k.removeprefix(f"{part}."): v for k, v in arrays.items() if k.startswith(f"{part}.")}


class _Lent:
    """A file descriptor that is duplicated into the process it is sent to, and a number there."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> Any:
        return _taken, (reduction.DupFd(self.descriptor),)


def _taken(duplicate: Any) -> Path:
    """The open file as a path: it has no name in any folder, so that nothing is left of it."""
    return Path(f"/proc/self/fd/{duplicate.detach()}")


def _child(
    there: Connection,
    clip: Path,
    transcript: Path | None,
    named: Path,
    extract: Extract,
    text: str | None,
    seconds: float,
    memory: int,
) -> None:
    """The child's whole life. Nothing that the decoder prints is kept: it may quote the clip."""
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(silence, stream)
    _confine(seconds, memory)
    if transcript is not None:
        named.symlink_to(transcript)
    try:
        report, arrays = _made(extract(clip, text=text, transcript=transcript and named))
    except InfofuseError as error:
        sentence = str(error).replace(str(clip), "the clip").replace(str(named), "the transcript")
        report, arrays = {"error": sentence}, {}
    except MemoryError:
        report, arrays = {"error": _MEMORY}, {}
    _send(there, report, arrays)
    os._exit(0)


def _send(there: Connection, report: dict[str, Any], arrays: dict[str, Any]) -> None:
    from safetensors.numpy import save

    there.send_bytes(json.dumps(report).encode())
    there.send_bytes(save(arrays))


def _made(found: "Extracted") -> tuple[dict[str, Any], dict[str, Any]]:
    """What was extracted, as a report and arrays by name."""
    import numpy as np

    arrays = {f"values.{m}": np.ascontiguousarray(v) for m, v in found.sample.features.items()}
    arrays |= {f"times.{m}": np.ascontiguousarray(v) for m, v in found.times.items()}
    words = [(word.text, word.start, word.end) for word in found.words]
    facts = {"seconds": found.seconds, "notes": list(found.notes)}
    return {"text": found.sample.text, "words": words, **facts}, arrays


def _confine(seconds: float, memory: int) -> None:
    """Bounds that the kernel keeps. The alarm ends a child whose service was killed."""
    import resource

    whole = math.ceil(seconds) + 1
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(whole)
    bounds = {
        resource.RLIMIT_CPU: whole * (os.cpu_count() or 1),
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_AS: _address_space() + memory,
    }
    for kind, most in bounds.items():
        resource.setrlimit(kind, (most, most))


def _address_space() -> int:
    """Bytes of address space that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
