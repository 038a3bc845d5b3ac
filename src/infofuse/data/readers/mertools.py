"""The folder that MERTools (MERBench) trains on: labels by name, and a folder of .npy a feature.

    PATH/label.npz             train_corpus, val_corpus, test_corpus: {NAME: {"emo", "val"}};
                               or csv: name, emo, val, with a column "split" or one file per split
    PATH/transcription*.csv    name, and the words in "english" or "chinese"
    PATH/features/FEATURE/NAME.npy, or NAME/*.npy, a file per step

A modality is called what its folder is, such as chinese-hubert-large-UTT. The label is "val", and
unknown where it is -10; "emo", a class, is not read. Of several test sets, the first is read.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.arrays import naming
from infofuse.data.layouts.clip_folder import read_folder
from infofuse.data.layouts.clip_table import LABEL_COLUMNS, Table, cells, split_of
from infofuse.data.layouts.csv_files import header, read_csv, read_tables, tables
from infofuse.data.layouts.places import same_form
from infofuse.data.readers import Sureness
from infofuse.data.unpickle import load_pickle
from infofuse.errors import InfofuseError

_NAMES = ("name", "names")
_CLASSES = ("emo", "discrete", "emotion")
_WORDS = ("english", "chinese")
_CORPUS = "_corpus.npy"
_MOST_BYTES = 1 << 30
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def recognises(path: Path) -> Sureness:
    """Certain of labels by name in label*.npz; in a csv, "name" may be a column of anything."""
    if _npz(path):
        return Sureness.CERTAIN
    return Sureness.POSSIBLE if _csvs(path, *LABEL_COLUMNS, *_CLASSES) else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a folder; its features are copied into memory.

    Raises InfofuseError if a cell or a file is not what its place says.
    """
    npz = _npz(path)
    csvs = _csvs(path, *LABEL_COLUMNS, *_CLASSES)
    table, notes = _read_npz(npz[0]) if npz else read_tables(csvs)
    names = cells(table[_name([*table])])
    labels = {c: [_known(v) for v in cells(table[c])] for c in table if c in LABEL_COLUMNS}
    texts, noticed = _texts(path, names)
    table = {**texts, **table, **labels, "id": names}
    return read_folder(path, table, [*notes, *noticed], _NAMES)


def _npz(path: Path) -> list[Path]:
    files = sorted(path.glob("label*.npz")) if path.is_dir() else []
    return [file for file in files if any(name.endswith(_CORPUS) for name in _members(file))]


def _members(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except Exception:
        return []


def _csvs(path: Path, *columns: str) -> list[Path]:
    """The csv files of named clips that have any of these columns."""
    wanted = set(columns)
    return [f for f in tables(path, "name") if wanted & {name.lower() for name in header(f)}]


def _name(columns: Iterable[str]) -> str:
    return next(column for column in _NAMES if column in columns)


def _known(value: Any) -> Any:
    """The label, or None for the number that stands for none."""
    return None if value in (-10, "-10", "-10.0") else value


def _texts(path: Path, names: list[str]) -> tuple[Table, list[str]]:
    """The words of the clips, if a csv has them in a language of its own column."""
    files = _csvs(path if path.is_dir() else path.parent, *_WORDS)
    if not files:
        return {}, []
    table = read_csv(files[0])
    columns = table.column_names
    language = next(word for word in _WORDS if word in columns)
    said_by = [same_form(name) for name in cells(table[_name(columns)])]
    of_name = dict(zip(said_by, cells(table[language]), strict=True))
    note = f"text: {language!r} of {files[0].name}"
    return {"text": [of_name.get(same_form(name), "") for name in names]}, [note]


def _read_npz(file: Path) -> tuple[Table, list[str]]:
    """Names, labels and splits, and what was left out."""
    table: dict[str, list[Any]] = {"name": [], "val": [], "split": []}
    notes = []
    for name, labels in _corpora(file):
        split = split_of("test" if name == "test1" else name)
        if split is None:
            notes.append(f"{name}: not read")
            continue
        for clip, facts in labels.items():
            table["name"].append(clip)
            table["val"].append(facts.get("val"))
            table["split"].append(split)
    return table, notes


def _corpora(file: Path) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """The name of each set, and the facts of its clips by name."""
    try:
        with naming(file), zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.filename.endswith(_CORPUS):
                    labels = _unpickle(archive, member)
                    yield member.filename.removesuffix(_CORPUS), _check(labels)
    except InfofuseError:
        raise
    except Exception as error:
        raise InfofuseError(f"{file} cannot be read as .npz: {error}") from None


def _unpickle(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    """The one object in an array of Python objects, which NumPy writes as a pickle."""
    if member.file_size > _MOST_BYTES:
        raise InfofuseError(f"{member.filename} unpacks to {member.file_size:,} bytes, too many")
    with archive.open(member) as stream, tempfile.TemporaryDirectory() as folder:
        shape, _, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
        if shape != () or not dtype.hasobject:
            raise InfofuseError(f"{member.filename} holds an array {dtype} {shape}, no dictionary")
        pickle = Path(folder) / "labels"
        with pickle.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        try:
            return load_pickle(pickle).item()
        except InfofuseError as error:
            raise InfofuseError(str(error).replace(str(pickle), member.filename)) from None


def _check(labels: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(labels, dict) or not all(isinstance(f, dict) for f in labels.values()):
        raise InfofuseError("its sets are not dictionaries of {name: {'emo', 'val'}}")
    return labels
