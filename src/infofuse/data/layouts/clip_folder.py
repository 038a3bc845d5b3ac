"""A table of clips and the folder of their features."""

from collections.abc import Sequence
from pathlib import Path

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import naming, unread
from infofuse.data.layouts.clip_files import read_features
from infofuse.data.layouts.clip_table import Table, cells, corpus_of, find_roles
from infofuse.data.layouts.columns import strings


def read_folder(
    path: Path, table: Table, notes: Sequence[str], known: Sequence[str] = ()
) -> Corpus:
    """The corpus of a table with a column "id" and of the files beside it.

    path: the folder, or the csv in it. known: columns that need no note.

    Raises InfofuseError if a cell or a file is not what its place says.
    """
    roles = find_roles([*table])
    folder = path if path.is_dir() else path.parent
    with naming(path):
        ids = strings("column 'id'", cells(table[roles.id]))
        features, noticed = read_features(folder, ids)
        notes = [*notes, *noticed, *unread(table, {*known, *roles.columns})]
        return corpus_of(folder.resolve().name, table, roles, features, notes)
