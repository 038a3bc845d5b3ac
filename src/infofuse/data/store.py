"""Our own format: a folder of Arrow files, ragged and memory-mapped.

    NAME/corpus.json    format and version, spec, notes, fingerprint; clips, bytes, SHA-256 by split
    NAME/train.arrow    the clips of a split, in the columns of `infofuse.data.arrow`

pyarrow, pandas and polars read the files without us. The same content gives the same bytes.
"""

import hashlib
from pathlib import Path

from infofuse.data.arrow import read_clips, write_clips
from infofuse.data.corpus import SPLITS, Corpus
from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError
from infofuse.files import read_json, replacing, write_json
from infofuse.types import Clips, Json

FORMAT = "infofuse corpus"
VERSION = 1
MANIFEST = "corpus.json"


def is_store(path: Path) -> bool:
    """Whether it is a folder with the manifest of a store, of any version."""
    manifest = path / MANIFEST
    if not manifest.is_file():
        return False
    content = read_json(manifest)
    return isinstance(content, dict) and content.get("format") == FORMAT


def write_store(corpus: Corpus, path: Path | str, overwrite: bool = False) -> None:
    """Write a store, whole or not at all.

    Raises InfofuseError if something is there already, unless it is a store and `overwrite` is
    set; what is no store is never replaced.
    """
    path = Path(path)
    free_for_store(path, overwrite)
    with replacing(path) as folder:
        folder.mkdir()
        splits = [split for split in SPLITS if split in corpus.splits]
        written = {s: _write_split(folder, s, corpus.splits[s], corpus.spec) for s in splits}
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "spec": corpus.spec.to_json(),
            "notes": list(corpus.notes),
            "fingerprint": corpus.fingerprint,
            "splits": written,
        }
        write_json(folder / MANIFEST, manifest)


def free_for_store(path: Path, overwrite: bool = False) -> None:
    """Raises InfofuseError if a store cannot be written there, as `write_store` says."""
    if path.exists() and not is_store(path):
        raise InfofuseError(f"{path} exists and is no store; name a new folder")
    if path.exists() and not overwrite:
        raise InfofuseError(f"{path} exists; name a new folder, or ask for it to be overwritten")


def read_store(path: Path | str, verify: bool = False) -> Corpus:
    """A corpus whose features are read-only views of the mapped files: it costs no memory to open.

    Sizes and the form of the columns are always checked; `verify` also reads every byte and
    compares checksums. Raises InfofuseError for a store that is damaged or not of this version.
    """
    path = Path(path)
    if not is_store(path):
        raise InfofuseError(f"{path} is no store: it has no {MANIFEST} that says so")
    manifest = read_json(path / MANIFEST)
    if manifest.get("version") != VERSION:
        raise InfofuseError(
            f"{path} has version {manifest.get('version')} of the store, and {VERSION} is read "
            f"here; convert it again, or install the infofuse that wrote it"
        )
    try:
        return _corpus(path, manifest, verify)
    except InfofuseError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InfofuseError(f"{path / MANIFEST} lacks or garbles a field: {error}") from None


def _corpus(path: Path, manifest: Json, verify: bool) -> Corpus:
    spec = DataSpec.from_json(manifest["spec"])
    splits = {
        split: _read_split(path, split, spec, facts, verify)
        for split, facts in manifest["splits"].items()
    }
    corpus = Corpus(spec, splits, tuple(manifest["notes"]))
    if verify and corpus.fingerprint != manifest["fingerprint"]:
        raise InfofuseError(f"{path} does not hold what its fingerprint says; convert it again")
    vars(corpus)["fingerprint"] = manifest["fingerprint"]  # known, so that no data need be read
    return corpus


def _write_split(folder: Path, split: str, clips: Clips, spec: DataSpec) -> Json:
    file = folder / f"{split}.arrow"
    write_clips(file, clips, spec)
    return {"clips": len(clips), "bytes": file.stat().st_size, "sha256": _sha256(file)}


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _read_split(folder: Path, split: str, spec: DataSpec, facts: Json, verify: bool) -> Clips:
    file = folder / f"{split}.arrow"
    if not file.is_file() or file.stat().st_size != facts["bytes"]:
        raise InfofuseError(
            f"{file} is missing or has not its {facts['bytes']} bytes; copy it again"
        )
    if verify and _sha256(file) != facts["sha256"]:
        raise InfofuseError(
            f"{file} is damaged: its SHA-256 is not the recorded one; copy it again"
        )
    return read_clips(file, spec)
