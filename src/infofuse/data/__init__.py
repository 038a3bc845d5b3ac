"""Data sets: what they are (`DataSpec`, `Corpus`), and how they are read and stored."""

from infofuse.data.alignment import pool_intervals
from infofuse.data.corpus import SPLITS, Corpus, open_corpus
from infofuse.data.layouts.arrays import from_arrays
from infofuse.data.layouts.dataframe import from_frame, from_segments
from infofuse.data.spec import DataSpec
from infofuse.data.store import append_store, create_store, read_store, write_store
from infofuse.data.store.shards import read_shards
from infofuse.data.unpickle import load_pickle

__all__ = [
    "SPLITS",
    "Corpus",
    "DataSpec",
    "append_store",
    "create_store",
    "from_arrays",
    "from_frame",
    "from_segments",
    "load_pickle",
    "open_corpus",
    "pool_intervals",
    "read_shards",
    "read_store",
    "write_store",
]
