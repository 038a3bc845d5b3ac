"""Features in files of their own for each clip, found by the clip's id.

    FOLDER/MODALITY/ID.npy          a folder per modality: (steps, features), or (features,)
    FOLDER/MODALITY/ID/*.npy        the same in a file per step, in the order of their names
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

from infofuse.data.layouts.places import NearNames, files_below, same_form
from infofuse.data.layouts.steps import NOTHING, as_steps, join
from infofuse.errors import InfofuseError, not_yours
from infofuse.types import Ragged

_MOST_BYTES = 1 << 31
_VIDEO = (
    ".mp4 .m4v .mov .qt .mj2 .3gp .3g2 .ismv .f4v .mkv .webm .avi .flv .wmv .asf .mpg .mpeg .mpe "
    ".m2v .vob .ts .mts .m2ts .m2t .mxf .ogv .ogm"
)
_AUDIO = (
    ".wav .w64 .bwf .mp3 .mp2 .m2a .mpa .m4a .m4b .isma .psp .aac .adts .ac3 .flac .ogg .oga .spx "
    ".opus .mka .mk3d .weba .wma .aif .aiff .aifc .afc .au .snd .caf .amr"
)
MEDIA_SUFFIXES = frozenset(f"{_VIDEO} {_AUDIO}".split())
"""The endings of clips' media, which features are extracted from."""
_CODE = (".pt", ".pth")
_OTHER = (*_CODE, ".csv", ".parquet")

Steps = Shaped[np.ndarray, "_ _"]
Stems = Mapping[str, Sequence[Path]]


def read_features(folder: Path, ids: Sequence[str]) -> tuple[dict[str, Ragged], list[str]]:
    """The features of the clips by modality, a row an id, and what was noticed.

    Raises InfofuseError for a file that holds no array of numbers or may not be read, for two files
    that differ in the width of a modality, and for features that only code could load.
    """
    folder = folder / "features" if (folder / "features").is_dir() else folder
    features, notes = _from_npz(folder, ids)
    for place in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        stems = _npy_stems(place)
        files = [_find(stems, clip) for clip in ids]
        notes += _other_forms(place, ids, files)
        if not any(files):
            found = f"{place.name}: its .npy files are of no clip, not read{_near(ids, stems)}"
            notes += [found] if stems else []
            continue
        if place.name in features:
            raise InfofuseError(f"{place} and .npz files both have {place.name!r}; keep one")
        sequences = [_from_npy(some) for some in files]
        features[place.name], noticed = _column(place.name, sequences, files)
        rest = [clip for clip, some in zip(ids, files, strict=True) if not some]
        noticed = [n + _near(rest, stems) * ("no file for" in n) for n in noticed]
        notes += noticed
    return features, notes


def _near(ids: Sequence[str], stems: Stems) -> str:
    """What a clip without a file may have been meant to be called, if anything is close."""
    names = NearNames(stems, {*MEDIA_SUFFIXES, ".npy"})
    pairs = ((clip, names.find(clip)) for clip in ids)
    return next((f"; did {clip!r} mean {near!r}?" for clip, near in pairs if near), "")


def _other_forms(place: Path, ids: Sequence[str], files: Sequence[Sequence[Path]]) -> list[str]:
    """Notes of clips' features in files that are not read, by their ending."""
    lacking = [clip for clip, some in zip(ids, files, strict=True) if not some]
    notes = []
    for ending in _OTHER if lacking else ():
        stems = {_stem(place, file): [file] for file in _below(place, ending)}
        found = [some[0] for some in (_find(stems, clip) for clip in lacking) if some]
        if found and ending in _CODE:
            raise InfofuseError(
                f"{found[0]} is a pickle of torch, and nothing here loads code from a file: save "
                f"it as an array, by numpy.save('{found[0].stem}.npy', torch.load(...).numpy())"
            )
        if found:
            notes.append(
                f"{place.name}: features of {len(found)} clips are {ending} files, not read; "
                f"save them as .npy, an array of (steps, features)"
            )
    return notes


def _below(folder: Path, ending: str) -> list[Path]:
    """The files below a folder with this ending. Raises InfofuseError if some may not be seen."""
    files, closed = files_below(folder)
    if closed:
        raise not_yours(closed[0])
    return [file for file in files if file.suffix.lower() == ending]


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
    files = {_stem(place, file): file for file in _below(place, ".npy")}
    stems: dict[str, list[Path]] = {}
    for stem, file in files.items():
        stems.setdefault(stem.rpartition("/")[0], []).append(file)
    return stems | {stem: [file] for stem, file in files.items()}


def _npz_stems(folder: Path) -> Stems:
    """The files by what may be a clip's name: their path, or what follows its first folder."""
    files = {_stem(folder, file): [file] for file in _below(folder, ".npz")}
    return {stem.partition("/")[2]: file for stem, file in files.items()} | files


def _stem(folder: Path, file: Path) -> str:
    return same_form(file.relative_to(folder).with_suffix("").as_posix())


def _find(stems: Stems, clip: str) -> Sequence[Path]:
    clip = same_form(clip)
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
    except PermissionError:
        raise not_yours(file) from None
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
    except PermissionError:
        raise not_yours(file) from None
    except Exception as error:
        raise InfofuseError(f"{file} cannot be read as .npz: {error}") from None
