"""What is published: every file is whole, adds up, and says where its numbers are from."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from infofuse.data import known
from infofuse.data.known import Dataset
from infofuse.errors import InfofuseError

ASKED_FOR = {
    "mosi", "mosei", "sims", "simsv2", "pom", "mmmo", "meld", "iemocap", "mustard", "urfunny",
    "ravdess", "emer",
}  # fmt: skip


def test_every_data_set_that_the_field_compares_on_is_there() -> None:
    assert set(known.names()) >= ASKED_FOR


@pytest.mark.parametrize("name", known.names())
def test_a_record_adds_up_and_has_its_sources(name: str) -> None:
    dataset = known.get(name)
    assert dataset.labels
    for said in (dataset, *dataset.labels, *dataset.splits, *dataset.variants):
        assert len(said.source) > 8, said
    for split in dataset.splits:
        assert sum(split.clips.values()) == dataset.clips, split.name
        videos = [v for part in split.groups.values() for v in part]
        assert len(videos) == len(set(videos))
    for labels in dataset.labels:
        assert bool(labels.scale) != bool(labels.classes)
        if labels.scale:
            assert labels.scale[0] < labels.scale[1]
    for variant in dataset.variants:
        assert set(variant.most_steps) <= set(variant.features)
        assert set(variant.features) <= {"text", "audio", "vision"}


def test_variants_have_names_of_their_own() -> None:
    names = [variant.name for variant in known.variants()]
    assert len(names) == len(set(names))
    assert {"mosi-unaligned", "mosei-unaligned", "sims-unaligned"} <= set(names)


def test_mosi_by_id_is_what_the_data_says(shared: Path) -> None:
    with np.load(shared / "data/mosi/mosi.npz", allow_pickle=False) as data:
        ids, split = data["id"], data["split_official"]
    videos = np.array([clip.rsplit("_", 1)[0] for clip in ids])
    official = known.get("mosi").splits[0]
    for name, column in [("train", "train"), ("valid", "val"), ("test", "test")]:
        assert set(official.groups[name]) == set(videos[split == column])
        assert official.clips[name] == (split == column).sum()
    assert {name: len(group) for name, group in official.groups.items()} == {
        "train": 52, "valid": 10, "test": 31,
    }  # fmt: skip


def test_mfn_splits_are_what_the_data_says(shared: Path) -> None:
    for name in ("pom", "mmmo"):
        dataset = known.get(name)
        with np.load(shared / f"data/mmmo_pom/{name}.npz", allow_pickle=False) as data:
            labels = {s: data[f"y_{s}"] for s in dataset.splits[0].clips}
            widths = {"audio": data["audio_train"].shape[2], "vision": data["video_train"].shape[2]}
        assert {s: len(y) for s, y in labels.items()} == dataset.splits[0].clips
        assert widths == dataset.variants[0].features
        every = np.concatenate([y.reshape(len(y), -1) for y in labels.values()])
        assert every.shape[1] == dataset.labels[0].outputs
        np.testing.assert_allclose([every.min(), every.max()], dataset.labels[0].scale, rtol=1e-5)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InfofuseError, match="did you mean 'mosei'"):
        known.get("moseii")


def test_a_field_that_no_record_has_is_refused() -> None:
    fields = dict.fromkeys(Dataset.__dataclass_fields__, "x") | {"clips": 1, "labels": ()}
    fields |= {"splits": (), "variants": ()}
    adapter = TypeAdapter(Dataset)
    assert adapter.validate_python(fields).name == "x"
    with pytest.raises(ValidationError, match="clip_count"):
        adapter.validate_python(fields | {"clip_count": 3})
