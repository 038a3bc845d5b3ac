"""Our own format: a folder of Arrow files, ragged and memory-mapped.

    NAME/corpus.json                    format and version, spec, notes, fingerprint; by split its
                                        files, each with its clips, bytes and SHA-256
    NAME/train-00000-5d41402abc4b.arrow a shard: clips of a split, in the columns of
                                        `infofuse.data.store.arrow`, named by place and content

pyarrow, pandas, polars and `datasets` read the shards without us. The same clips give the same
bytes. A store is what its `corpus.json` says, and that file is replaced in one step: killed at
any moment, a writer leaves the old store or the new one.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from infofuse.data.corpus import SPLITS, Corpus, digest
from infofuse.data.spec import DataSpec
from infofuse.data.store.arrow import schema_of
from infofuse.data.store.manifest import Manifest, is_store, open_manifest
from infofuse.data.store.mapped import Pages, clips_of
from infofuse.data.store.shards import map_shard
from infofuse.data.store.writer import SHARD, Writer
from infofuse.errors import InfofuseError
from infofuse.files import check_place, locked, replacing

LOCK = ".lock"
REPORT = "extraction.json"
"""How clips became features, in a store that was made from media."""

_OURS = re.compile(rf"({'|'.join(SPLITS)})(-\d{{5}}-[0-9a-f]{{12}})?\.arrow|\..*\.new")


def read_store(path: Path | str, verify: bool = False) -> Corpus:
    """A corpus that stays in its mapped files: whatever its size, it costs no memory to open.

    The sizes of the files and the form of their columns are always checked; `verify` also reads
    every byte and compares checksums. Raises InfofuseError for a store that is damaged or of
    another version.
    """
    path = Path(path)
    manifest, pages = open_manifest(path), Pages()
    schema = schema_of(manifest.spec)
    splits = {
        name: clips_of([map_shard(path, s, schema, pages, verify) for s in split.shards])
        for name, split in manifest.splits.items()
    }
    corpus = Corpus(manifest.spec, splits, manifest.notes)
    if manifest.fingerprint is None:  # version 1: computed when it is first asked for
        return corpus
    if verify and corpus.fingerprint != manifest.fingerprint:
        raise InfofuseError(f"{path} does not hold what its fingerprint says; convert it again")
    vars(corpus)["fingerprint"] = manifest.fingerprint  # known, so that no data need be read
    return corpus


@contextlib.contextmanager
def create_store(
    path: Path | str,
    spec: DataSpec,
    notes: Iterable[str] = (),
    *,
    overwrite: bool = False,
    shard_bytes: int = SHARD,
) -> Iterator[Writer]:
    """A new store, which is there when the block ends well; a few shards are in memory at most.

        with create_store("corpus", spec) as store:
            for clips in source:
                store.add("train", clips)

    A store that is overwritten stays what it was until then. Raises InfofuseError if something is
    there already, unless it is a store and `overwrite` is set; what is no store is never replaced.
    """
    path, manifest = Path(path), Manifest(spec, tuple(notes))
    free_for_store(path, overwrite)
    if path.exists():
        with locked(path / LOCK), _writing(path, manifest, shard_bytes) as writer:
            yield writer
        return
    with replacing(path) as folder:
        folder.mkdir()
        with _writing(folder, manifest, shard_bytes) as writer:
            yield writer


@contextlib.contextmanager
def append_store(path: Path | str, *, shard_bytes: int = SHARD) -> Iterator[Writer]:
    """The store at a path, to add clips to its splits, which are in it when the block ends well.

    Shards that are there are neither read nor written, and what was read from the store before
    stays valid. A second process that appends waits for the first. Raises InfofuseError if there
    is no store.
    """
    path = Path(path)
    open_manifest(path)
    with locked(path / LOCK):
        manifest = _with_digests(path, open_manifest(path))
        with _writing(path, manifest, shard_bytes) as writer:
            yield writer


def write_store(
    corpus: Corpus, path: Path | str, overwrite: bool = False, *, shard_bytes: int = SHARD
) -> None:
    """Write a corpus as a store, whole or not at all; see `create_store`."""
    with create_store(
        path, corpus.spec, corpus.notes, overwrite=overwrite, shard_bytes=shard_bytes
    ) as writer:
        for split in SPLITS:
            if split in corpus.splits:
                writer.add(split, corpus.splits[split])


def free_for_store(path: Path, overwrite: bool = False) -> None:
    """Raises InfofuseError if a store cannot be written there, as `create_store` says."""
    if not path.exists():
        check_place(path, folder=True)
    elif not is_store(path):
        raise InfofuseError(f"{path} exists and is no store; name a new folder")
    elif not overwrite:
        raise InfofuseError(f"{path} exists; name a new folder, or ask for it to be overwritten")


@contextlib.contextmanager
def _writing(folder: Path, manifest: Manifest, shard_bytes: int) -> Iterator[Writer]:
    writer = Writer(folder, manifest, shard_bytes)
    try:
        yield writer
        writer.finish()
    finally:
        _sweep(folder)


def _sweep(folder: Path) -> None:
    """Remove shards that no manifest names: what was replaced, or left by a killed writer."""
    manifest = open_manifest(folder) if is_store(folder) else None
    splits = manifest.splits.values() if manifest else ()
    if manifest and manifest.spec.extraction is None:
        (folder / REPORT).unlink(missing_ok=True)  # of the data set that was here before
    named = {shard.file for split in splits for shard in split.shards}
    for file in folder.iterdir():
        if file.name not in named and _OURS.fullmatch(file.name):
            file.unlink()


def _with_digests(path: Path, manifest: Manifest) -> Manifest:
    """Version 1 recorded no digests: they are computed from the clips, once."""
    if manifest.fingerprint is not None:
        return manifest
    corpus = read_store(path)
    splits = {
        name: replace(split, digest=digest(corpus.splits[name]))
        for name, split in manifest.splits.items()
    }
    return replace(manifest, splits=splits)
