"""Clips as an Arrow IPC file of one record batch, one row per clip: the shards of a store.

id, group, text         string
label                   fixed_size_list<float>[outputs], NaN where unknown
label.MODALITY          the same, for a modality with labels of its own
features.MODALITY       list<fixed_size_list<float>[width]>, empty where absent
"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Ragged

_MOST_STEPS = 2**31 - 1  # the offsets of a list column are 32 bits wide


def write_clips(file: Path, clips: Clips, spec: DataSpec) -> None:
    """Write the columns of the clips. The same clips give the same bytes."""
    schema = schema_of(spec)
    text = [pa.array(list(c), pa.string()) for c in (clips.ids, clips.groups, clips.texts)]
    label = _vector_column(clips.labels, schema.field("label").type)
    unimodal = [_vector_column(clips.unimodal[name], label.type) for name in spec.unimodal]
    features = [
        _list_column(name, clips.features[name], schema.field(f"features.{name}").type)
        for name in spec.features
    ]
    columns = [*text, label, *unimodal, *features]
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.record_batch(columns, schema=schema))


def read_batch(content: pa.Buffer, schema: pa.Schema, name: str) -> pa.RecordBatch:
    """The clips of a file's content, where they lie, checked to stay within it.

    Raises InfofuseError if it is no such file, or its columns are not those of the schema.
    """
    try:
        return _batch(content, schema, name)
    except (pa.ArrowException, OSError) as error:
        raise InfofuseError(f"{name} cannot be read as an Arrow file: {error}") from None


def schema_of(spec: DataSpec) -> pa.Schema:
    """The columns that the clips of a data set have."""
    text = [pa.field(name, pa.string(), nullable=False) for name in ("id", "group", "text")]
    labels = [
        pa.field(name, _vectors(spec.outputs), nullable=False)
        for name in ("label", *(f"label.{name}" for name in spec.unimodal))
    ]
    features = [
        pa.field(f"features.{name}", pa.list_(_item(_vectors(width))), nullable=False)
        for name, width in spec.features.items()
    ]
    return pa.schema([*text, *labels, *features])


def _vectors(width: int) -> pa.DataType:
    return pa.list_(_item(pa.float32()), width)


def _item(dtype: pa.DataType) -> pa.Field:
    return pa.field("item", dtype, nullable=False)


def _vector_column(values: np.ndarray, dtype: pa.DataType) -> pa.Array:
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), type=dtype)


def _list_column(name: str, ragged: Ragged, dtype: pa.DataType) -> pa.Array:
    begin, end = int(ragged.offsets[0]), int(ragged.offsets[-1])
    if end - begin > _MOST_STEPS:
        raise InfofuseError(f"a shard has {end - begin:,} steps of {name!r}, too many for one file")
    offsets = pa.array((ragged.offsets - begin).astype(np.int32))
    steps = _vector_column(ragged.values[begin:end], dtype.value_type)
    return pa.ListArray.from_arrays(offsets, steps, type=dtype)


def _batch(content: pa.Buffer, schema: pa.Schema, name: str) -> pa.RecordBatch:
    reader = pa.ipc.open_file(pa.BufferReader(content))
    if reader.schema != schema or reader.num_record_batches != 1:
        raise InfofuseError(f"{name} has not the columns of its spec, in one record batch")
    batch = reader.get_batch(0)
    batch.validate(full=True)
    if any(column.null_count for column in batch.columns):
        raise InfofuseError(f'{name} has empty cells; write them as "", NaN or an empty list')
    return batch
