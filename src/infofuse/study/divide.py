"""Random divisions of a data set into training, validation and test clips, by video or speaker."""

from collections.abc import Mapping

import numpy as np

from infofuse.data.corpus import Corpus
from infofuse.data.store.writer import joined
from infofuse.errors import InfofuseError
from infofuse.types import Clips


def divide(corpus: Corpus, seed: int) -> Corpus:
    """The same clips in other splits, of about the sizes that they had; no group is in two.

    Groups are shuffled, and each goes to the split that lacks most of its share. Raises
    InfofuseError where clips name no video or speaker.
    """
    everything = joined(list(corpus.splits.values()), corpus.spec)
    groups = list(dict.fromkeys(everything.groups))
    if "" in groups or len(groups) < len(corpus.splits):
        raise InfofuseError(
            f"{corpus.spec.name} cannot be divided at random: its clips name no video or speaker, "
            f"and clips of one would be in two splits"
        )
    home = _homes(everything, groups, {s: len(c) for s, c in corpus.splits.items()}, seed)
    rows: dict[str, list[int]] = {name: [] for name in corpus.splits}
    for row, group in enumerate(everything.groups):
        rows[home[group]].append(row)
    splits = {name: everything.take(chosen) for name, chosen in rows.items()}
    note = f"divided anew by video or speaker, at random from seed {seed}"
    return Corpus(corpus.spec, splits, (*corpus.notes, note))


def _homes(clips: Clips, groups: list[str], wanted: Mapping[str, int], seed: int) -> dict[str, str]:
    """The split of each group."""
    count = dict.fromkeys(groups, 0)
    for group in clips.groups:
        count[group] += 1
    home, have = {}, dict.fromkeys(wanted, 0)
    for i in np.random.default_rng(seed).permutation(len(groups)):
        name = min(wanted, key=lambda s: have[s] / max(1, wanted[s]))
        home[groups[i]] = name
        have[name] += count[groups[i]]
    return home
