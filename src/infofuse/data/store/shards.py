"""The shards of a store: mapped where they are files, fetched from wherever else they are."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from infofuse.data.store.arrow import read_batch, schema_of
from infofuse.data.store.manifest import MANIFEST, Manifest, Shard, is_manifest, read_manifest
from infofuse.data.store.mapped import MappedFile, Pages, Part, clips_of, part_of
from infofuse.errors import InfofuseError, counted
from infofuse.files import sha256
from infofuse.types import Clips


def read_shards(address: Path | str, split: str, part: int = 0, of: int = 1) -> Iterator[Clips]:
    """The clips of a split, shard by shard: every `of`-th shard, beginning with number `part`.

    address: a folder, or whatever fsspec reads ("s3://bucket/store", "memory://store", ...). Local
    shards are mapped; others are fetched and their checksums compared, one in memory at a time.
    `of` processes or machines that read a part each have every clip once. Raises InfofuseError if
    the split has fewer shards than parts, or the store is damaged.
    """
    if not 0 <= part < of:
        raise ValueError(f"part {part} of {of} does not exist")
    files, root = _file_system(str(address))
    manifest = _remote_manifest(files, root, str(address))
    if split not in manifest.splits:
        raise InfofuseError(f"{address} has no split {split!r}; it has {[*manifest.splits]}")
    shards = manifest.splits[split].shards
    if len(shards) < of:
        raise InfofuseError(
            f"{address} has {counted(len(shards), 'shard')} of {split!r}, too few for {of} "
            f"readers; write it anew with a smaller shard_bytes"
        )
    local, schema = "file" in _protocols(files), schema_of(manifest.spec)
    for shard in shards[part::of]:
        if local:
            yield clips_of([map_shard(Path(root), shard, schema, Pages())])
        else:
            yield clips_of([_fetched(files, root, shard, schema)])


def _file_system(address: str) -> tuple[Any, str]:
    import fsspec

    try:
        return fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise InfofuseError(f"{address} cannot be reached: {error}") from None


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else files.protocol


def _remote_manifest(files: Any, root: str, address: str) -> Manifest:
    try:
        content = json.loads(files.cat_file(f"{root}/{MANIFEST}"))
    except (OSError, ValueError) as error:
        raise InfofuseError(f"{address} is no store that can be read: {error}") from None
    if not is_manifest(content):
        raise InfofuseError(f"{address} is no store: its {MANIFEST} does not say so")
    return read_manifest(content, address)


def map_shard(
    folder: Path, shard: Shard, schema: pa.Schema, pages: Pages, verify: bool = False
) -> Part:
    """A shard of a folder, mapped. Raises InfofuseError if it is not what was recorded."""
    file = folder / shard.file
    if not file.is_file() or file.stat().st_size != shard.bytes:
        raise InfofuseError(f"{file} is missing or has not its {shard.bytes} bytes; copy it again")
    if verify and sha256(file) != shard.sha256:
        raise _damaged(file)
    mapped = MappedFile(file, pages)
    return part_of(_checked(mapped.buffer, shard, schema, str(file)), mapped)


def _fetched(files: Any, root: str, shard: Shard, schema: pa.Schema) -> Part:
    where = f"{root}/{shard.file}"
    try:
        content = files.cat_file(where)
    except OSError as error:
        raise InfofuseError(f"{where} cannot be fetched: {error}") from None
    if hashlib.sha256(content).hexdigest() != shard.sha256:
        raise _damaged(where)
    return part_of(_checked(pa.py_buffer(content), shard, schema, where), None)


def _checked(content: pa.Buffer, shard: Shard, schema: pa.Schema, name: str) -> pa.RecordBatch:
    batch = read_batch(content, schema, name)
    if batch.num_rows != shard.clips:
        raise InfofuseError(f"{name} has {batch.num_rows} clips, and {shard.clips} were recorded")
    return batch


def _damaged(file: Path | str) -> InfofuseError:
    return InfofuseError(f"{file} is damaged: its SHA-256 is not the recorded one; copy it again")
