"""How features are made from media: what a checkpoint keeps, so that a new clip is read alike."""

import importlib
import pkgutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import infofuse.extract
from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError, unknown
from infofuse.extract.features import Extractor
from infofuse.extract.installed import installed
from infofuse.extract.text import TextSource
from infofuse.files import read_object
from infofuse.types import Json

STAGES = ("audio", "vision", "text")
_SPECS = ("corpus.json", "config.json")


@dataclass(frozen=True)
class FeatureRecipe:
    """Which extractor makes each modality; None for one that is not made.

    fps: frames a second that vision looks at.
    """

    audio: Extractor | None = None
    vision: Extractor | None = None
    text: TextSource | None = None
    fps: float = 12.5

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 60:
            raise InfofuseError(f"fps is {self.fps}; above 0 and up to 60 was expected")

    def to_json(self) -> Json:
        """Options, versions and checksums of weights, as JSON has them.

        Raises InfofuseError if a stage's package or weights are not there.
        """
        stages = {name: getattr(self, name) for name in STAGES}
        return {
            "fps": self.fps,
            "versions": {"av": installed("av")},
            **{name: stage and stage.identity() for name, stage in stages.items()},
        }

    @classmethod
    def from_json(cls, json: Json) -> "FeatureRecipe":
        """The inverse of `to_json`.

        Raises InfofuseError for a name or an option that is unknown, and for weights that are not
        those by which the features were made. Other versions of packages are `differences`.
        """
        recipe = cls(
            **{name: stage_from_json(name, json[name]) for name in STAGES if json.get(name)},
            fps=float(json["fps"]),
        )
        for name, was, now in _stages(json, recipe.to_json()):
            for file, sha in was["weights"].items():
                if now["weights"].get(file) != sha:
                    raise InfofuseError(
                        f"the {name} features were made with another {file} than the one that is "
                        f"here; install the one with sha256 {sha[:12]}…"
                    )
        return recipe

    def differences(self, json: Json) -> list[str]:
        """Packages whose version is not the one that a recipe was kept with, a sentence each."""
        now = self.to_json()
        kept, here = dict(json["versions"]), dict(now["versions"])
        for _, was, is_ in _stages(json, now):
            kept |= was["versions"]
            here |= is_["versions"]
        return [
            f"{package} is {here.get(package)} here and was {was} when the features were made"
            for package, was in kept.items()
            if here.get(package) != was
        ]


def default_recipe() -> FeatureRecipe:
    """Descriptors of the voice, landmarks of the face, and the words that are given or heard."""
    return FeatureRecipe(
        audio=stage("audio", "descriptors"),
        vision=stage("vision", "face"),
        text=stage("text", "whisper"),
    )


def read_recipe(path: Path) -> FeatureRecipe:
    """The recipe in a TOML file, or the one by which a store or a checkpoint was made.

        fps = 12.5
        text = "given"
        [audio]
        name = "descriptors"
        hop = 0.01

    Raises InfofuseError if there is none, or if it names what is unknown.
    """
    if path.is_dir():
        return FeatureRecipe.from_json(_kept(path))
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InfofuseError(f"{path} cannot be read as a recipe in TOML: {error}") from None
    for name in tables:
        if name not in (*STAGES, "fps"):
            raise unknown("part of a feature recipe", name, (*STAGES, "fps"))
    try:
        fps = float(tables.get("fps", FeatureRecipe.fps))
        made = {name: _named(name, tables[name]) for name in STAGES if name in tables}
    except (TypeError, ValueError) as error:
        raise InfofuseError(f"{path}: {error}") from None
    return FeatureRecipe(**made, fps=fps)


def _named(modality: str, entry: Any) -> Any:
    """The extractor of an entry: a table with its name and its options, or the name alone."""
    return stage(modality, entry) if isinstance(entry, str) else stage(modality, **entry)


def _kept(folder: Path) -> Json:
    """What a store or a checkpoint says of its features."""
    file = next((folder / name for name in _SPECS if (folder / name).is_file()), None)
    if file is None:
        raise InfofuseError(f"{folder} is neither a store nor a checkpoint: it has no {_SPECS[0]}")
    kept = DataSpec.from_json(read_object(file, spec=dict)["spec"]).extraction
    if kept is None:
        raise InfofuseError(f"{folder} does not say how its features were made from media")
    return kept


def stage(modality: str, name: str = "", **options: Any) -> Any:
    """The extractor of this name. Raises InfofuseError for a name or an option that is unknown."""
    known = stages(modality)
    if name not in known:
        raise unknown(f"{modality} extractor", name, known)
    extractor = importlib.import_module(f"infofuse.extract.{modality}_{name}").EXTRACTOR
    names = [field.name for field in fields(extractor)]
    for option in options:
        if option not in names:
            raise unknown(f"option of the {modality} extractor {name!r}", option, names)
    return extractor(**options)


def stages(modality: str) -> list[str]:
    """The names of the extractors of a modality: the modules that begin with it."""
    modules = (module.name for module in pkgutil.iter_modules(infofuse.extract.__path__))
    return sorted(name.split("_", 1)[1] for name in modules if name.startswith(f"{modality}_"))


def stage_from_json(modality: str, json: Json) -> Any:
    """The extractor that a recipe's entry names."""
    return stage(modality, json["name"], **json["options"])


def _stages(was: Json, now: Json) -> Iterator[tuple[str, Json, Json]]:
    """The stages that both have, by name."""
    return ((name, was[name], now[name]) for name in STAGES if was.get(name) and now.get(name))
