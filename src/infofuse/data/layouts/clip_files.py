"""Features in files of their own for each clip, found by the clip's id.

    FOLDER/MODALITY/ID.npy          a folder a modality: (steps, features), or (features,)
    FOLDER/MODALITY/ID/*.npy        the same in a file a step, in the order of their names
    FOLDER/ID.npz, FOLDER/*/ID.npz  a key a modality

FOLDER is `features` where there is such a folder. The id "VIDEO$_$CLIP" may also be written
VIDEO_CLIP or VIDEO/CLIP.
"""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from infofuse.data.layouts.steps import NOTHING, as_steps, join
from infofuse.errors import InfofuseError
from infofuse.types import Ragged

_MOST_BYTES = 1 << 31
_VIDEO = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv", ".wmv", ".mpg", ".mpeg", ".ts"}
_AUDIO = {".wav", ".mp3", ".m4a", ".aac", ".flac", ".ogg", ".oga", ".opus", ".wma", ".aiff", ".au"}
MEDIA_SUFFIXES = _VIDEO | _AUDIO | {".3gp", ".mxf", ".aif", ".amr"}
"""The endings of clips' media, which features are extracted from."""

Steps = Shaped[np.ndarray, "_ _"]
Stems = Mapping[str, Sequence[Path]]


def read_features(folder: Path, ids: Sequence[str]) -> tuple[dict[str, Ragged], list[str]]:
    """The features of the clips by modality, a row an id, and what was noticed.

    Raises InfofuseError for a file that holds no array of numbers, and for two files that differ
    in the width of a modality.
    """
    folder = folder / "features" if (folder / "features").is_dir() else folder
    features, notes = _from_npz(folder, ids)
    for place in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        stems = _npy_stems(place)
        files = [_find(stems, clip) for clip in ids]
        if not any(files):
            notes += [f"{place.name}: its .npy files are of no clip, not read"] if stems else []
            continue
        if place.name in features:
            raise InfofuseError(f"{place} and .npz files both have {place.name!r}; keep one")
        sequences = [_from_npy(some) for some in files]
        features[place.name], noticed = _column(place.name, sequences, files)
        notes += noticed
    return features, notes


def _from_npz(folder: Path, ids: Sequence[str]) -> tuple[dict[str, Ragged], list[str]]:
    stems = _npz_stems(folder)
    found = [_find(stems, clip) for clip in ids]
    clips = [_load_npz(files[0]) if files else {} for files in found]
    features: dict[str, Ragged] = {}
    notes: list[str] = []
    for key in dict.fromkeys(key for arrays in clips for key in arrays):
        if not any(_holds_numbers(arrays[key]) for arrays in clips if key in arrays):
            notes.append(f"{key}: no array of numbers in the .npz files, not read")
            continue
        files = [some if key in arrays else [] for some, arrays in zip(found, clips, strict=True)]
        sequences = [
            _steps(some[0], arrays[key]) if some else NOTHING
            for some, arrays in zip(files, clips, strict=True)
        ]
        features[key], noticed = _column(key, sequences, files)
        notes += noticed
    return features, notes


def _from_npy(files: Sequence[Path]) -> Steps:
    """The steps in a file, or in several, end to end."""
    arrays = [_steps(file, _load_npy(file)) for file in files]
    if len(arrays) < 2:
        return arrays[0] if arrays else NOTHING
    return join(files[0].parent.name, arrays, [*map(str, files)])[0].values


def _column(
    modality: str, sequences: Sequence[Steps], files: Sequence[Sequence[Path]]
) -> tuple[Ragged, list[str]]:
    names = [str(some[0]) if some else "" for some in files]
    ragged, notes = join(modality, sequences, names)
    missing = sum(not some for some in files)
    absent = f"{modality}: no file for {missing} of {len(files)} clips, which count as without it"
    return ragged, [*([absent] if missing else []), *notes]


def _npy_stems(place: Path) -> Stems:
    """The files by what may be a clip's name: their own, or that of the folder of its steps."""
    files = {_stem(place, file): file for file in sorted(place.rglob("*.npy"))}
    stems: dict[str, list[Path]] = {}
    for stem, file in files.items():
        stems.setdefault(stem.rpartition("/")[0], []).append(file)
    return stems | {stem: [file] for stem, file in files.items()}


def _npz_stems(folder: Path) -> Stems:
    """The files by what may be a clip's name: their path, or what follows its first folder."""
    files = {_stem(folder, file): [file] for file in sorted(folder.rglob("*.npz"))}
    return {stem.partition("/")[2]: file for stem, file in files.items()} | files


def _stem(folder: Path, file: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _find(stems: Stems, clip: str) -> Sequence[Path]:
    names = (clip, clip.replace("$_$", "/"), clip.replace("$_$", "_"))
    return next((stems[name] for name in names if name in stems), [])


def _steps(file: Path, array: Any) -> Steps:
    return as_steps(str(file), array)


def _holds_numbers(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim > 0 and array.dtype.kind in "fiub"


def _load_npy(file: Path) -> np.ndarray:
    """The array in a file; mapped first, so that a false header asks for no memory."""
    try:  # numpy parses headers as Python does: what is damaged raises almost anything
        return np.array(np.lib.format.open_memmap(file, mode="r"))
    except Exception as error:
        raise InfofuseError(f"{file} cannot be read as an array: {error}") from None


def _load_npz(file: Path) -> dict[str, Any]:
    """The arrays in a file, by name."""
    try:
        with zipfile.ZipFile(file) as members:
            size = sum(member.file_size for member in members.infolist())
        if size > _MOST_BYTES:
            raise InfofuseError(f"{file} unpacks to {size:,} bytes, too many for one clip")
        with np.load(file, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except InfofuseError:
        raise
    except Exception as error:
        raise InfofuseError(f"{file} cannot be read as .npz: {error}") from None
