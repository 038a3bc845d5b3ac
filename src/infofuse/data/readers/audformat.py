"""Tables in csv or parquet as audformat writes them: a file, a start and an end a row, then values.

    PATH/db.sentiment.train.csv     file, start, end, label (or sentiment, valence), speaker, ...
    PATH/db.audio.csv               file, start, end, and a column per feature

Tables with a label hold the clips: one with a column "split", or one a split. Every other table is
the features of a modality, called what the last part of its name is. Times are as pandas writes
them ("0 days 00:00:01.5"), or numbers of seconds. `infofuse.data.layouts.segments` says which rows
of features are a clip's.
"""

from pathlib import Path

import pyarrow as pa

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import naming
from infofuse.data.layouts.clip_table import find_roles, split_of
from infofuse.data.layouts.csv_files import header, read_table, read_tables, tables
from infofuse.data.layouts.segments import corpus_of_segments
from infofuse.data.readers import Sureness
from infofuse.errors import InfofuseError


def recognises(path: Path) -> Sureness:
    """Certain of a table, or a folder of such, whose first columns are file, start and end."""
    return Sureness.CERTAIN if tables(path, "file") else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a folder; a label table alone may be named, too.

    Raises InfofuseError if no table has a label, or a cell is not what its column is for.
    """
    labelled = [file for file in tables(path, "file") if _is_labelled(file)]
    if not labelled:
        raise InfofuseError(f"{path}: no table in it has a column 'label'")
    folder = path if path.is_dir() else path.parent
    features = [file for file in tables(folder, "file") if not _is_labelled(file)]
    with naming(path):
        table, notes = read_tables(labelled)
        return corpus_of_segments(folder.resolve().name, table, _features(features), notes)


def _is_labelled(file: Path) -> bool:
    return bool(find_roles(header(file), "file").labels)


def _features(files: list[Path]) -> dict[str, dict[str, pa.ChunkedArray]]:
    """The tables by modality; those of one, such as a table a split, one after the other."""
    of_modality: dict[str, list[pa.Table]] = {}
    for file in files:
        parts = [part for part in file.stem.split(".") if split_of(part) is None]
        of_modality.setdefault(parts[-1] if parts else file.stem, []).append(read_table(file))
    joined = {
        m: pa.concat_tables(some, promote_options="default") for m, some in of_modality.items()
    }
    return {m: dict(zip(t.column_names, t.columns, strict=True)) for m, t in joined.items()}
