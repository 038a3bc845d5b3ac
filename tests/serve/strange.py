"""A service whose decoder does what its clip says, started by the tests as a process of its own.

A clip is a line of words: one that says what to do, and, where that is to answer, how many seconds
long the clip is and the number that all of its features are.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from infofuse.extract.clip import Extracted
from infofuse.types import Sample


def decode(path: Path, text: str | None = None, transcript: Path | None = None) -> Extracted:
    """An `extract` that misbehaves on demand."""
    what, *rest = path.read_bytes().decode("latin-1").split()
    if what == "hang":
        time.sleep(1e6)
    if what == "memory":
        hoard = []
        while True:
            hoard.append(bytearray(2**24))
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "write":
        Path(rest[0]).write_text("what the clip said")
    if what == "fail":
        raise RuntimeError("the secret of the decoder")
    words = transcript.read_text() if transcript else text or ""
    return made(float(rest[0]), float(rest[1]), words)


def made(seconds: float, value: float, text: str = "") -> Extracted:
    """What a clip that behaves holds: audio of one number, ten steps a second."""
    starts = np.arange(round(10 * seconds)) / 10
    times = np.stack([starts, starts + 0.1], 1)
    features = {"audio": np.full((len(times), 42), value, np.float32)}
    return Extracted(Sample("clip", features, text), {"audio": times}, (), seconds)


def main() -> None:
    from infofuse.predict import Predictor
    from infofuse.serve.limits import Limits
    from infofuse.serve.server import serve

    options = json.loads(sys.argv[2])
    limits = Limits(**options.pop("limits", {}))
    serve(
        Predictor.load(Path(sys.argv[1])),
        port=0,
        limits=limits,
        extract=decode,
        announce=lambda url: print(json.dumps({"url": url}), flush=True),
        **options,
    )


if __name__ == "__main__":
    main()
