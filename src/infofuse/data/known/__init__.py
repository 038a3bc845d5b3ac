"""What is published of the field's data sets: one TOML file each, every number with its source.

A new data set costs one file beside this one. What could not be verified is left out, not guessed.
Nothing here is data, and nothing is downloaded: `access` says how one gets it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from infofuse.errors import unknown

_STRICT = ConfigDict(extra="forbid")


@checked(frozen=True, config=_STRICT)
class Labels:
    """One set of labels: a scale, or classes. cuts: how the field makes classes of scores."""

    what: str
    source: str
    scale: tuple[float, float] | None = None
    classes: tuple[str, ...] = ()
    outputs: int = 1
    cuts: str = ""


@checked(frozen=True, config=_STRICT)
class Split:
    """A published split: clips by split, and by id where that is public.

    groups: the videos of each split, as `Clips.groups` has them; empty where not recorded.
    by_group: whether the publishers kept each video, or speaker, within one split.
    """

    name: str
    clips: dict[str, int]
    source: str
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by_group: bool | None = None


@checked(frozen=True, config=_STRICT)
class Variant:
    """Features in which a data set is exchanged.

    features: width by modality. most_steps: the length that the file pads to. aligned: whether
    the modalities have one step per word. clips: by split, where not those of the first split.
    """

    name: str
    title: str
    features: dict[str, int]
    source: str
    most_steps: dict[str, int] = field(default_factory=dict)
    aligned: bool = False
    clips: dict[str, int] = field(default_factory=dict)


@checked(frozen=True, config=_STRICT)
class Dataset:
    """What is published of a data set. groups: what clips belong to, such as 93 videos."""

    name: str
    title: str
    about: str
    language: str
    clips: int
    groups: str
    licence: str
    access: str
    paper: str
    source: str
    labels: tuple[Labels, ...]
    splits: tuple[Split, ...] = ()
    variants: tuple[Variant, ...] = ()
    warning: str = ""


@dataclass(frozen=True)
class Known:
    """A variant of a data set, and how many clips its splits have."""

    dataset: Dataset
    variant: Variant

    @property
    def name(self) -> str:
        """Such as "mosi-unaligned"."""
        return f"{self.dataset.name}-{self.variant.name}"

    @property
    def clips(self) -> Mapping[str, int]:
        """Clips by split, empty where none were published."""
        first = self.dataset.splits[0].clips if self.dataset.splits else {}
        return self.variant.clips or first


def names() -> list[str]:
    """The data sets that are known: the files beside this one."""
    here = files("infofuse.data.known").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in here if f.name.endswith(".toml"))


def get(name: str) -> Dataset:
    """A data set by name. Raises InfofuseError, with the nearest name, if it is not known."""
    if name not in names():
        raise unknown("data set", name, names())
    text = (files("infofuse.data.known") / f"{name}.toml").read_text(encoding="utf-8")
    return TypeAdapter(Dataset).validate_python({"name": name, **tomllib.loads(text)})


def variants() -> list[Known]:
    """Every known variant of every data set."""
    return [Known(d, v) for d in map(get, names()) for v in d.variants]
