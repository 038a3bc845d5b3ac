"""What stands in two places: ids, videos or speakers, clips, and texts that are nearly the same.

Texts are compared in lower case, without punctuation and with single spaces, by their sets S of
`SHINGLE` characters in a row, which serves writings without spaces too. Two are nearly the same if

    |S ∩ S'| / |S ∪ S'| >= `NEAR`        (Jaccard)

Texts of fewer than `LEAST` shingles are left out: short ones are often the same by chance.
Candidates are those that agree in one of `BANDS` bands of four MinHash values (Broder 1997), by
which a pair at 0.8 is missed with a chance of (1 - 0.8⁴)^32, about one in ten million. Each is then
compared exactly. Of a band that more than `CROWD` texts share (a phrase that stands for a missing
transcript, say), each is compared with the first of them only, so that time stays linear.
"""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import UInt64

from infofuse.data.audit.finding import Finding, some
from infofuse.data.corpus import Corpus
from infofuse.errors import counted
from infofuse.types import Clips

SHINGLE, LEAST, NEAR = 5, 12, 0.8
BANDS, ROWS = 32, 4
CROWD = 64
MANY = 0.2  # of the test clips: with more near-duplicates scores are of what was seen in training
_PRIME = np.uint64(2**31 - 1)

Place = tuple[str, int]  # a split, and the row of a clip in it


def overlap(corpus: Corpus, mixed: bool = False) -> list[Finding]:
    """Every kind of overlap. mixed: whether the split is a published one that divides groups."""
    return [
        *_ids(corpus),
        *_groups(corpus, mixed),
        *_features(corpus),
        *_texts(corpus),
    ]


def _ids(corpus: Corpus) -> Iterator[Finding]:
    places = _places(corpus, lambda clips: clips.ids)
    across = sorted(i for i, where in places.items() if len({s for s, _ in where}) > 1)
    twice = sorted(i for i, where in places.items() if len(where) > 1 and i not in set(across))
    if across:
        what = f"{len(across)} ids are in more than one split"
        yield Finding("error", "duplicate ids", what, some(across))
    if twice:
        what = f"{len(twice)} ids stand for more than one clip of a split"
        yield Finding("warning", "duplicate ids", what, some(twice))


def _places(corpus: Corpus, key: Callable[[Clips], Sequence[str]]) -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = defaultdict(list)
    for split, clips in corpus.splits.items():
        for row, name in enumerate(key(clips)):
            places[name].append((split, row))
    return places


def _groups(corpus: Corpus, mixed: bool) -> Iterator[Finding]:
    places = _places(corpus, lambda clips: clips.groups)
    places.pop("", None)
    clips = sum(map(len, corpus.splits.values()))
    if len(places) in (0, clips):
        what = "clips name no video or speaker, so none can be found in two splits"
        yield Finding("note", "groups", what)
        return
    across = {g: sorted({s for s, _ in where}) for g, where in places.items()}
    across = {g: splits for g, splits in across.items() if len(splits) > 1}
    if not across:
        what = f"each of {len(places):,} videos or speakers is in one split only"
        yield Finding("note", "groups", what)
        return
    named = [f"{g}: {', '.join(splits)}" for g, splits in sorted(across.items())]
    why = "; the published split is so" if mixed else ": what is learnt of them helps the test"
    what = f"{len(across):,} of {len(places):,} videos or speakers are in several splits{why}"
    yield Finding("warning" if mixed else "error", "groups", what, some(named))


def _features(corpus: Corpus) -> Iterator[Finding]:
    """Clips of two splits that are equal to the last bit in audio, vision and whatever else."""
    places: dict[str, list[Place]] = defaultdict(list)
    for split, clips in corpus.splits.items():
        for row in range(len(clips)):
            places[_digest(clips, row)].append((split, row))
    places.pop("", None)
    across = [where for where in places.values() if len({s for s, _ in where}) > 1]
    if across:
        named = [" = ".join(_name(corpus, place) for place in where[:2]) for where in across]
        what = f"{counted(len(across), 'clip')} with the same features in two splits"
        yield Finding("error", "duplicate clips", what, some(named))


def _digest(clips: Clips, row: int) -> str:
    """A hash of a clip's features, those of its words apart, which others may say; "" if none."""
    digest, any_steps = hashlib.blake2b(digest_size=16), False
    for name in sorted(set(clips.features) - {"text"}):
        values = np.ascontiguousarray(clips.features[name][row])
        any_steps |= bool(values.size)
        digest.update(f"{name} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest() if any_steps else ""


def _name(corpus: Corpus, place: Place) -> str:
    split, row = place
    return f"{corpus.splits[split].ids[row]} ({split})"


def _texts(corpus: Corpus) -> Iterator[Finding]:
    places = _places(corpus, lambda clips: [normalised(text) for text in clips.texts])
    texts = [text for text in places if len(_shingles(text)) >= LEAST]
    pairs = [(text, text) for text in texts]
    pairs += [(texts[a], texts[b]) for a, b in near_duplicates(texts)]
    alike: dict[Place, Place] = {}
    for one, other in pairs:
        alike |= _in_another_split(places[one], places[other])
        alike |= _in_another_split(places[other], places[one])
    if not alike:
        return
    tested = sum(split == "test" for split, _ in alike)
    share = tested / max(1, len(corpus.splits["test"])) if tested else 0.0
    named = [f"{_name(corpus, a)} ~ {_name(corpus, b)}" for a, b in sorted(alike.items())]
    yield Finding(
        "error" if share > MANY else "warning",
        "near-duplicate text",
        f"{counted(len(alike), 'clip')} with nearly the words of a clip of another split (Jaccard "
        f"of {SHINGLE}-character shingles at least {NEAR}), {share:.1%} of the test clips among "
        f"them",
        some(named),
        {"clips": len(alike), "test_share": share},
    )


def _in_another_split(these: Sequence[Place], those: Sequence[Place]) -> dict[Place, Place]:
    """Each of these places that has one of those in another split, and the first of them."""
    first = {split: (split, row) for split, row in reversed(those)}
    others = {place: [p for s, p in first.items() if s != place[0]] for place in these}
    return {place: found[0] for place, found in others.items() if found}


def normalised(text: str) -> str:
    """Lower case, without punctuation, single spaces."""
    kept = re.sub(r"[^\w\s]|_", "", unicodedata.normalize("NFKC", text).lower())
    return " ".join(kept.split())


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """The pairs of texts that are nearly the same, by the rule of this module."""
    sets = {i: _shingles(normalised(text)) for i, text in enumerate(texts)}
    sets = {i: s for i, s in sets.items() if len(s) >= LEAST}
    candidates: set[tuple[int, int]] = set()
    signatures = {i: _signature(s) for i, s in sets.items()}
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for i, signature in signatures.items():
            buckets[signature[band * ROWS : (band + 1) * ROWS].tobytes()].append(i)
        for bucket in buckets.values():
            firsts = bucket if len(bucket) <= CROWD else bucket[:1]
            candidates.update((a, b) for a in firsts for b in bucket if a < b)
    return sorted(
        (a, b)
        for a, b in candidates
        if len(sets[a] & sets[b]) >= NEAR * len(sets[a] | sets[b])
    )  # fmt: skip


def _shingles(text: str) -> frozenset[str]:
    return frozenset(text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1))


def _hashes() -> tuple[UInt64[np.ndarray, "h"], UInt64[np.ndarray, "h"]]:
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, int(_PRIME), (2, BANDS * ROWS), dtype=np.uint64)
    return a, b


_A, _B = _hashes()


def _signature(shingles: frozenset[str]) -> UInt64[np.ndarray, "h"]:
    """The least of a x + b mod 2³¹ - 1 over the shingles' hashes x, for each (a, b)."""
    digests = [hashlib.blake2b(s.encode(), digest_size=8).digest() for s in shingles]
    x = np.frombuffer(b"".join(digests), np.uint64) % _PRIME
    return ((x[:, None] * _A + _B) % _PRIME).min(0)
