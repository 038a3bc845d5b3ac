"""Random divisions: whole groups, all clips, the sizes that were given."""

from dataclasses import replace

import pytest

from infofuse.data import Corpus
from infofuse.data.synthetic import synthesize
from infofuse.errors import InfofuseError
from infofuse.study.divide import divide


def test_no_group_is_in_two_splits_and_no_clip_is_lost() -> None:
    corpus = synthesize("demo", 0, ["train=120", "valid=30", "test=60"])
    one, same, other = divide(corpus, 1), divide(corpus, 1), divide(corpus, 2)
    assert one.fingerprint == same.fingerprint != other.fingerprint
    groups = [set(clips.groups) for clips in one.splits.values()]
    assert sum(map(len, groups)) == len(set.union(*groups))
    before = {i for clips in corpus.splits.values() for i in clips.ids}
    assert {i for clips in one.splits.values() for i in clips.ids} == before
    for name, clips in one.splits.items():
        assert abs(len(clips) - len(corpus.split(name))) <= 20
    clip = one.split("test").ids[0]
    home = next(c for c in corpus.splits.values() if clip in c.ids)
    a, b = one.split("test").take([0]), home.take([home.ids.index(clip)])
    assert a.features["audio"].values.tolist() == b.features["audio"].values.tolist()
    assert (a.labels == b.labels).all()


def test_clips_without_groups_are_not_divided(small_corpus: Corpus) -> None:
    nameless = {
        name: replace(clips, groups=[""] * len(clips))
        for name, clips in small_corpus.splits.items()
    }
    with pytest.raises(InfofuseError, match="name no video or speaker"):
        divide(replace(small_corpus, splits=nameless), 1)
