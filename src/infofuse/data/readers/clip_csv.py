"""A csv with a row per clip, and the clips' features in .npy or .npz files.

    PATH/clips.csv        id, label (or label_...), text, split, group, in any order
    PATH/audio/ID.npy     a folder per modality, or ID.npz with a key per modality

PATH is the folder or the csv in it. There may be a csv a split, such as train.csv. The columns
are those of `infofuse.data.layouts.clip_table`, the features lie as
`infofuse.data.layouts.clip_files` says.
"""

from pathlib import Path

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.clip_folder import read_folder
from infofuse.data.layouts.csv_files import read_tables, tables
from infofuse.data.readers import Sureness


def recognises(path: Path) -> Sureness:
    """Likely for a csv, or a folder of such, with a column "id"."""
    return Sureness.LIKELY if tables(path, "id") else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a folder; its features are copied into memory.

    Raises InfofuseError if a cell or a file is not what its place says.
    """
    table, notes = read_tables(tables(path, "id"))
    return read_folder(path, table, notes)
