"""What a paper's module must have, and how one is found by name.

A paper is a module of this package: its name is its registry entry. It holds `PAPER`, the facts
to cite it by; `Config`, a frozen dataclass of its choices; and `build(config, spec)`, which
returns the model and the objective.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import nn

from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError, nearest, unknown
from infofuse.objectives import Objective


@dataclass(frozen=True)
class Paper:
    """The facts of a publication, and whether our implementation is a reconstruction."""

    title: str
    authors: tuple[str, ...]
    year: int
    venue: str
    arxiv: str
    summary: str
    code: str = ""
    reconstruction: bool = False

    @property
    def place(self) -> str:
        """Where it appeared, such as "EMNLP 2021, arXiv 2109.00412"."""
        return f"{self.venue} {self.year}" + (f", arXiv {self.arxiv}" if self.arxiv else "")

    def bibtex(self, key: str) -> str:
        """A BibTeX entry."""
        arxiv = f"  eprint = {{{self.arxiv}}},\n  archivePrefix = {{arXiv}},\n"
        return (
            f"@inproceedings{{{key},\n"
            f"  title = {{{self.title}}},\n"
            f"  author = {{{' and '.join(self.authors)}}},\n"
            f"  booktitle = {{{self.venue}}},\n"
            f"  year = {{{self.year}}},\n"
            f"{arxiv if self.arxiv else ''}"
            f"}}"
        )


@runtime_checkable
class PaperModule(Protocol):
    """The face of a paper's module."""

    PAPER: Paper
    Config: type

    def build(self, config: Any, spec: DataSpec) -> tuple[nn.Module, Objective]: ...


HELPERS = {"base", "inputs"}
"""The modules of this package that are no paper."""


def names() -> list[str]:
    """The papers by name: the modules of this package."""
    package = importlib.import_module("infofuse.papers")
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(set(found) - HELPERS)


def get(name: str) -> PaperModule:
    """The paper's module. Raises InfofuseError, with the nearest name, if there is none."""
    if name not in names():
        raise unknown("paper", name, names())
    return importlib.import_module(f"infofuse.papers.{name}")


def choose_modalities(wanted: tuple[str, ...], spec: DataSpec) -> tuple[str, ...]:
    """The modalities a model is built for: those wanted, or all that the data has."""
    for name in wanted:
        if name not in spec.modalities:
            raise InfofuseError(
                f"the data has no modality {name!r}; {nearest(name, spec.modalities)}"
            )
    return wanted or spec.modalities
