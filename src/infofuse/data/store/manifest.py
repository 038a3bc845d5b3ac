"""What a store says of itself, in `corpus.json`: its spec, and the files that its splits are in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath

from infofuse.data.corpus import NO_CLIPS, SPLITS, combine
from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError, unknown
from infofuse.files import read_json
from infofuse.types import Json

FORMAT = "infofuse corpus"
VERSION = 2
MANIFEST = "corpus.json"


@dataclass(frozen=True)
class Shard:
    """One file of a split: its name, and what must be found in it."""

    file: str
    clips: int
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        for name, kind in (("file", str), ("clips", int), ("bytes", int), ("sha256", str)):
            if type(getattr(self, name)) is not kind:
                raise ValueError(f"{name} of a shard is {getattr(self, name)!r}")
        if PurePath(self.file).name != self.file:
            raise ValueError(f"{self.file!r} is not the plain name of a file")
        if self.clips < 0 or self.bytes < 0:
            raise ValueError(f"{self.file} has {self.clips} clips in {self.bytes} bytes")


@dataclass(frozen=True)
class Split:
    """The shards of a split in their order, and the digest of its clips (version 1 has none)."""

    shards: tuple[Shard, ...] = ()
    digest: bytes | None = NO_CLIPS


@dataclass(frozen=True)
class Manifest:
    """The whole of `corpus.json`."""

    spec: DataSpec
    notes: tuple[str, ...] = ()
    splits: Mapping[str, Split] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str | None:
        """Of the corpus; None if a store of version 1 leaves it to be computed."""
        digests = {name: split.digest for name, split in self.splits.items() if split.digest}
        return combine(digests) if len(digests) == len(self.splits) else None

    def to_json(self) -> Json:
        splits = {
            name: {
                "digest": split.digest.hex() if split.digest else None,
                "shards": [asdict(shard) for shard in split.shards],
            }
            for name, split in self.splits.items()
        }
        return {
            "format": FORMAT,
            "version": VERSION,
            "spec": self.spec.to_json(),
            "notes": list(self.notes),
            "fingerprint": self.fingerprint,
            "splits": splits,
        }


def is_store(path: Path) -> bool:
    """Whether it is a folder with the manifest of a store, of any version."""
    manifest = path / MANIFEST
    return manifest.is_file() and is_manifest(read_json(manifest))


def open_manifest(path: Path) -> Manifest:
    """What the store at a path says of itself. Raises InfofuseError if it is none."""
    if not is_store(path):
        raise InfofuseError(f"{path} is no store: it has no {MANIFEST} that says so")
    return read_manifest(read_json(path / MANIFEST), path)


def is_manifest(json: object) -> bool:
    """Whether it is the manifest of a store, of any version."""
    return isinstance(json, dict) and json.get("format") == FORMAT


def read_manifest(json: Json, where: Path | str) -> Manifest:
    """The manifest of version 1 or 2. `where` is what a user is told it was read from.

    Raises InfofuseError for another version and for a field that is missing or garbled.
    """
    version = json.get("version")
    if version not in (1, VERSION):
        raise InfofuseError(
            f"{where} has version {version} of the store, and up to {VERSION} are read here; "
            f"convert it again, or install the infofuse that wrote it"
        )
    try:
        return _manifest(json)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InfofuseError(f"{where}/{MANIFEST} lacks or garbles a field: {error}") from None


def _manifest(json: Json) -> Manifest:
    old = json["version"] == 1
    for name in json["splits"]:
        if name not in SPLITS:
            raise unknown("split", name, SPLITS)
    splits = {
        name: _version_1(name, facts) if old else _split(facts)
        for name, facts in json["splits"].items()
    }
    manifest = Manifest(DataSpec.from_json(json["spec"]), tuple(json["notes"]), splits)
    if json["fingerprint"] != manifest.fingerprint and not old:
        raise ValueError("the fingerprint is not that of the splits")
    return manifest


def _split(facts: Json) -> Split:
    shards = tuple(Shard(**shard) for shard in facts["shards"])
    if not shards:
        raise ValueError("a split has no shards")
    return Split(shards, bytes.fromhex(facts["digest"]))


def _version_1(name: str, facts: Json) -> Split:
    """One file per split, by its name."""
    return Split((Shard(f"{name}.arrow", **facts),), None)
