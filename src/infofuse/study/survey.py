"""What a study knows of a data set before anything is trained on it."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from infofuse.config import from_table
from infofuse.data.audit import audit
from infofuse.data.corpus import Corpus, open_corpus
from infofuse.data.recognise import published_split
from infofuse.data.spec import DataSpec
from infofuse.data.store import write_store
from infofuse.errors import InfofuseError
from infofuse.files import read_json, write_json
from infofuse.study.divide import divide
from infofuse.study.grid import Place
from infofuse.study.spec import Source
from infofuse.types import Json


@dataclass(frozen=True)
class Survey:
    """A data set in one of its splits.

    path: what cells are trained on. published: the data set and split that it is by all signs,
    such as "mosi/official", or "". findings: of the audit. floor: the test scores of a constant
    predictor. words: what is said in each test clip, for the report. dataset: what it was said to
    be, for the audit.
    """

    place: str
    title: str
    path: str
    fingerprint: str
    clips: dict[str, int]
    spec: Json
    published: str
    findings: tuple[Json, ...]
    floor: dict[str, float | None]
    words: dict[str, str]
    dataset: str | None = None

    @property
    def data(self) -> DataSpec:
        """Its spec."""
        return DataSpec.from_json(self.spec)


def survey(place: Place, source: Source, out: Path) -> Survey:
    """Open the data, divide it if need be, audit it, and keep what was found below `out`.

    Raises InfofuseError if the data is not what it was when the study began.
    """
    path = _ready(place, source, out)
    corpus = open_corpus(path)
    record = out / "data" / f"{place.name}.json"
    if record.is_file():
        before = from_table(Survey, read_json(record), place.name)
        if before.fingerprint != corpus.fingerprint:
            raise InfofuseError(
                f"{path} holds other clips than when the study in {out} began: choose another "
                f"--out, or bring the data back"
            )
        if before.dataset == source.dataset:
            moved = replace(before, path=str(path), title=_title(place, source))
            if moved != before:
                write_json(record, asdict(moved))
            return moved
    found = _look(place, source, path, corpus)
    write_json(record, asdict(found))
    return found


def _title(place: Place, source: Source) -> str:
    title = source.title or place.source
    return title if place.split == "given" else f"{title}, random division {place.split}"


def _ready(place: Place, source: Source, out: Path) -> Path:
    """The data as cells read it: as it is given, or a store of it divided anew."""
    if place.split == "given":
        return Path(source.path)
    store = out / "data" / place.name
    if not store.is_dir():
        write_store(divide(open_corpus(source.path), place.split), store)
    return store


def _look(place: Place, source: Source, path: Path, corpus: Corpus) -> Survey:
    found = audit(corpus, source.dataset)
    recognised = published_split(corpus) if place.split == "given" else None
    test = corpus.split("test")
    return Survey(
        place=place.name,
        title=_title(place, source),
        path=str(path),
        fingerprint=corpus.fingerprint,
        clips={name: len(clips) for name, clips in corpus.splits.items()},
        spec=corpus.spec.to_json(),
        published=f"{recognised[0].name}/{recognised[1].name}" if recognised else "",
        findings=tuple(asdict(finding) for finding in found.findings),
        floor=_floor(corpus),
        words=dict(zip(test.ids, test.texts, strict=True)),
        dataset=source.dataset,
    )


def _floor(corpus: Corpus) -> dict[str, Any]:
    """Test scores of the best constant, by the labels of the training clips."""
    test, task = corpus.split("test"), corpus.spec.task
    constant = task.constant(corpus.split("train").labels).astype(np.float32)
    return task.score(np.tile(constant, (len(test), 1)), test.labels)
