"""Our own format, ragged and memory-mapped: see `infofuse.data.store`."""

from pathlib import Path

from infofuse.data.corpus import Corpus
from infofuse.data.readers import Sureness
from infofuse.data.store import read_store
from infofuse.data.store.manifest import is_store


def recognises(path: Path) -> Sureness:
    """Certain of a folder with the manifest of a store."""
    return Sureness.CERTAIN if is_store(path) else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus, its features left on disk and mapped."""
    return read_store(path)
