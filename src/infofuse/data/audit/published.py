"""A corpus beside what is published: counts, videos by split, the labels' scale."""

from collections.abc import Iterable, Iterator

from infofuse.data.audit.finding import Finding, some
from infofuse.data.corpus import Corpus
from infofuse.data.known import Dataset, Split
from infofuse.data.recognise import label_span, lies_within
from infofuse.errors import counted


def compare(corpus: Corpus, dataset: Dataset) -> list[Finding]:
    """What is as published and what is not."""
    findings = [*_counts(corpus, dataset), *_scale(corpus, dataset)]
    return findings if dataset.splits else [*findings, _no_table(dataset)]


def _counts(corpus: Corpus, dataset: Dataset) -> Iterator[Finding]:
    found = {name: len(clips) for name, clips in corpus.splits.items()}
    tables = {s.name: s for s in dataset.splits}
    tables |= {v.title: Split(v.title, v.clips, v.source) for v in dataset.variants}
    same = [name for name, table in tables.items() if table.clips and table.clips == found]
    facts = {"found": found, "published": {n: t.clips for n, t in tables.items() if t.clips}}
    if same:
        what = f"{_say(found)} clips, as {dataset.title} has in its {same[0]} split"
        yield Finding("note", "counts", what, facts=facts)
        yield from _videos(corpus, tables[same[0]], dataset)
    elif dataset.splits:
        first = dataset.splits[0]
        yield Finding(
            "warning",
            "counts",
            f"{_say(found)} clips are no published split of {dataset.title} (its {first.name} one "
            f"has {_say(first.clips)}): scores are not comparable with published ones",
            facts=facts,
        )


def _say(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _videos(corpus: Corpus, split: Split, dataset: Dataset) -> Iterator[Finding]:
    """Videos that stand in another split than the published one."""
    home = {video: name for name, videos in split.groups.items() for video in videos}
    wrong = sorted(
        f"{group} is in {name}, not {home[group]}"
        for name, clips in corpus.splits.items()
        for group in set(clips.groups)
        if home.get(group, name) != name
    )
    strange = sorted(set(_groups(corpus)) - set(home)) if home else []
    if wrong:
        what = f"{counted(len(wrong), 'video')} in another split than {dataset.title} publishes"
        yield Finding("error", "split by id", what, some(wrong))
    if strange:
        what = f"{counted(len(strange), 'video')} not among those of {dataset.title}"
        yield Finding("warning", "split by id", what, some(strange))
    if home and not wrong and not strange:
        what = f"every video is in the split in which {dataset.title} publishes it"
        yield Finding("note", "split by id", what)


def _groups(corpus: Corpus) -> Iterable[str]:
    return (group for clips in corpus.splits.values() for group in clips.groups)


def _scale(corpus: Corpus, dataset: Dataset) -> Iterator[Finding]:
    scales = [labels.scale for labels in dataset.labels if labels.scale]
    span = label_span(corpus)
    if span and scales and not any(lies_within(span, scale) for scale in scales):
        low, high = scales[0]
        what = f"labels reach from {span[0]:g} to {span[1]:g}, those of {dataset.title} from "
        yield Finding("error", "label scale", f"{what}{low:g} to {high:g}")


def _no_table(dataset: Dataset) -> Finding:
    what = f"no counts by split are recorded for {dataset.title}, so none were compared"
    return Finding("note", "counts", what)
