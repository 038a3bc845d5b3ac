"""What a study knows of a data set before anything is trained on it."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

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
from infofuse.training.floors import CONSTANT, floors
from infofuse.types import Json


@dataclass(frozen=True)
class Survey:
    """A data set in one of its splits.

    path: what cells are trained on. published: the data set and split that it is by all signs,
    such as "mosi/official", or "". findings: of the audit. floors: test scores by the name of a
    floor, the constant predictor first (`infofuse.training.floors`). words: what is said in each
    test clip, for the report. dataset: what it was said to be, for the audit.
    """

    place: str
    title: str
    path: str
    fingerprint: str
    clips: dict[str, int]
    spec: Json
    published: str
    findings: tuple[Json, ...]
    floors: dict[str, dict[str, float | None]]
    words: dict[str, str] = field(default_factory=dict)
    dataset: str | None = None

    @property
    def data(self) -> DataSpec:
        """Its spec."""
        return DataSpec.from_json(self.spec)

    @property
    def floor(self) -> dict[str, float | None]:
        """The test scores of a constant predictor."""
        return self.floors[CONSTANT]

    @property
    def line(self) -> Json:
        """What a record keeps of it: not where it lies, nor what is said in it."""
        return {"kind": "data"} | asdict(replace(self, path="", words={}))

    @classmethod
    def read(cls, table: Json) -> "Survey":
        """From the line of a record, or from a study's folder."""
        table = {key: value for key, value in table.items() if key != "kind"}
        return from_table(cls, table, f"data {table.get('place')}")


def survey(place: Place, source: Source, out: Path) -> Survey:
    """Open the data, divide it if need be, audit it, and keep what was found below `out`.

    Raises InfofuseError if the data is not what it was when the study began.
    """
    path = _ready(place, source, out)
    corpus = open_corpus(path)
    record = out / "data" / f"{place.name}.json"
    if record.is_file():
        before = Survey.read(read_json(record))
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
        floors={name: {**scores} for name, scores in floors(corpus, alone=True).items()},
        words=dict(zip(test.ids, test.texts, strict=True)),
        dataset=source.dataset,
    )
