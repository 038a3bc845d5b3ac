"""The folder that MMSA-FET extracts features from: label.csv and the clips' media.

    PATH/label.csv             video_id, clip_id, text, label, label_T, label_A, label_V,
                               annotation, mode (train, valid or test)
    PATH/Raw/VIDEO/CLIP.mp4    media, which are not read here
    PATH/features/MODALITY/VIDEO/CLIP.npy

A clip's id is VIDEO$_$CLIP, as in the files that MMSA-FET writes. Features may also lie as
`infofuse.data.layouts.clip_files` says; without any, the corpus has text only.
"""

from pathlib import Path

import pyarrow as pa

from infofuse.data.corpus import Corpus
from infofuse.data.layouts.clip_files import MEDIA_SUFFIXES
from infofuse.data.layouts.clip_folder import read_folder
from infofuse.data.layouts.csv_files import read_tables, tables
from infofuse.data.layouts.places import files_below
from infofuse.data.readers import Sureness


def recognises(path: Path) -> Sureness:
    """Likely for a csv, or a folder of such, with columns "video_id" and "clip_id"."""
    return Sureness.LIKELY if tables(path, "video_id") else Sureness.NO


def read(path: Path) -> Corpus:
    """The corpus in such a folder; its features are copied into memory.

    Raises InfofuseError if a cell or a file is not what its place says.
    """
    table, notes = read_tables(tables(path, "video_id"))
    videos, clips = table["video_id"].to_pylist(), table["clip_id"].to_pylist()
    pairs = zip(videos, clips, strict=True)
    ids = [f"{video}$_${clip}" if video and clip else "" for video, clip in pairs]
    named = table | {"id": pa.chunked_array([pa.array(ids, pa.string())])}
    notes += _media(path if path.is_dir() else path.parent)
    return read_folder(path, named, notes, ["video_id", "clip_id", "annotation"])


def _media(folder: Path) -> list[str]:
    count = sum(file.suffix.lower() in MEDIA_SUFFIXES for file in files_below(folder)[0])
    return [f"media: {count} seen, not read; features of them belong in features/"] * bool(count)
