"""Data sets: what they are (`DataSpec`, `Corpus`), and how they are read and stored."""

from infofuse.data.alignment import pool_intervals
from infofuse.data.arrays import from_arrays
from infofuse.data.corpus import SPLITS, Corpus, open_corpus
from infofuse.data.spec import DataSpec
from infofuse.data.store import read_store, write_store
from infofuse.data.unpickle import load_pickle

__all__ = [
    "SPLITS",
    "Corpus",
    "DataSpec",
    "from_arrays",
    "load_pickle",
    "open_corpus",
    "pool_intervals",
    "read_store",
    "write_store",
]
