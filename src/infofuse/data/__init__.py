"""Data sets: what they are (`DataSpec`, `Corpus`), and how they are read and stored."""

from infofuse.data.corpus import SPLITS, Corpus, open_corpus
from infofuse.data.frame import from_frame, from_segments
from infofuse.data.spec import DataSpec
from infofuse.data.store import read_store, write_store
from infofuse.data.unpickle import load_pickle

__all__ = [
    "SPLITS",
    "Corpus",
    "DataSpec",
    "from_frame",
    "from_segments",
    "load_pickle",
    "open_corpus",
    "read_store",
    "write_store",
]
