"""A folder that Hugging Face `datasets` wrote by `save_to_disk`; it is read without `datasets`.

    PATH/dataset_dict.json      {"splits": [...]}, each a folder as below
    PATH/state.json             the names of its Arrow files, and of its split if it has one
    PATH/data-*.arrow           Arrow streams

Columns are those of `infofuse.data.from_frame`.
"""

from pathlib import Path

import pyarrow as pa

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import naming
from infofuse.data.layouts.dataframe import from_frame, with_split
from infofuse.data.readers import Sureness
from infofuse.errors import InfofuseError
from infofuse.files import read_json

_DICT, _STATE = "dataset_dict.json", "state.json"
_GARBLED = (AttributeError, LookupError, TypeError, ValueError)


def recognises(path: Path) -> Sureness:
    """Certain of the manifest of a DatasetDict; that of a Dataset has a name that others use."""
    if (path / _DICT).is_file():
        return Sureness.CERTAIN
    return Sureness.POSSIBLE if (path / _STATE).is_file() else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a folder; its features are copied into memory.

    Raises InfofuseError if a file is damaged, or a cell is not what its column is for.
    """
    try:
        with naming(path):
            return from_frame(_tables(path), path.resolve().name)
    except InfofuseError:
        raise
    except _GARBLED as error:
        raise InfofuseError(f"{path / _DICT} lacks or garbles a field: {error}") from None


def _tables(path: Path) -> pa.Table | dict[str, pa.Table]:
    if not (path / _DICT).is_file():
        return _table(path)
    splits = [Path(name).name for name in read_json(path / _DICT)["splits"]]
    return {split: _table(path / split) for split in splits}


def _table(folder: Path) -> pa.Table:
    """The rows of a Dataset, mapped, and checked to stay within their files."""
    try:
        state = read_json(folder / _STATE)
        if state.get("_indices_data_files"):
            raise InfofuseError(f"{folder} selects rows of another set; save it again flattened")
        files = [folder / Path(file["filename"]).name for file in state["_data_files"]]
        table = pa.concat_tables([_stream(file) for file in files])
        return with_split(table, state.get("_split"))
    except InfofuseError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise InfofuseError(f"{folder} cannot be read as Arrow streams: {error}") from None
    except _GARBLED as error:
        raise InfofuseError(f"{folder / _STATE} lacks or garbles a field: {error}") from None


def _stream(file: Path) -> pa.Table:
    table = pa.ipc.open_stream(pa.memory_map(str(file))).read_all()
    table.validate(full=True)
    return table
