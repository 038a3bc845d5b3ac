"""What a paper's module must have, and how one is found by name.

A paper is a module of this package: its name is its registry entry. It holds `PAPER`, the facts
to cite it by; `Config`, a frozen dataclass of its choices; and `build(config, spec)`, which
returns the model and the objective. It may hold `SPACE`, what tuning searches by default
(`infofuse.papers.spaces`).

A paper whose term can be added to another's objective holds `Plus` too, a frozen dataclass of the
term's choices, and `plus(model, choices)`, the objective that is added for a model.
"""

import contextlib
import dataclasses
import importlib
import pkgutil
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import nn

from infofuse.data.spec import DataSpec
from infofuse.errors import InfofuseError, nearest, unknown
from infofuse.objectives import Objective, Sum


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
        published = self.venue != "arXiv"
        venue = f"  booktitle = {{{self.venue}}},\n" if published else ""
        return (
            f"@{'inproceedings' if published else 'misc'}{{{key},\n"
            f"  title = {{{self.title}}},\n"
            f"  author = {{{' and '.join(self.authors)}}},\n"
            f"{venue}"
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


@runtime_checkable
class TermModule(Protocol):
    """The face of a paper's module whose term can be added to another's objective."""

    Plus: type

    def plus(self, model: nn.Module, choices: Any) -> Objective: ...


HELPERS = {"inputs", "paper", "spaces"}
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


def build(
    name: str, config: Any, spec: DataSpec, plus: Mapping[str, Any] | None = None
) -> tuple[nn.Module, Objective]:
    """The model and the objective of a paper, with the terms of other papers that are added.

    plus: by paper, its choices (`TermModule`). Raises InfofuseError for choices of which nothing
    can be built, such as a dropout above 1.
    """
    with _choices_of(name, config):
        model, objective = get(name).build(config, spec)
    terms = []
    for other, choices in (plus or {}).items():
        with _choices_of(other, choices):
            terms.append(get_term(other).plus(model, choices))
    return model, Sum(objective, *terms) if terms else objective


@contextlib.contextmanager
def _choices_of(name: str, choices: Any) -> Iterator[None]:
    """What is refused of a paper's choices as a user's mistake, in one sentence.

    Sizes and counts are looked at before. Then ValueErrors count, as torch and the parts of models
    raise them for values that make no sense, and what torch asserts of them or divides by. Every
    other exception is a mistake of ours, and stays what it is.
    """
    try:
        _refuse_sizes(choices)
        yield
    except InfofuseError:
        raise
    except (ValueError, AssertionError, ZeroDivisionError) as error:
        if not isinstance(error, ValueError) and _is_ours(error):
            raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InfofuseError(f"{name} cannot be built of these choices: {said}") from error


def _refuse_sizes(choices: Any) -> None:
    """Raise ValueError for a whole number below 0, or for a number of heads below 1."""
    for field in dataclasses.fields(choices):
        value, least = getattr(choices, field.name), int(field.name.endswith("heads"))
        if type(value) is int and value < least:
            raise ValueError(f"{field.name} is at least {least}; found {value}")


def _is_ours(error: BaseException) -> bool:
    """Whether it was raised by a line of this package, and not of torch or another."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Path(last.filename).is_relative_to(Path(__file__).parents[1])


def get_term(name: str) -> TermModule:
    """The paper's module. Raises InfofuseError if its term cannot be added to an objective."""
    module: Any = get(name)
    if not isinstance(module, TermModule):
        known = ", ".join(n for n in names() if isinstance(get(n), TermModule))
        raise InfofuseError(
            f"{name} has no term to add to another paper's objective; known: {known}"
        )
    return module


def choose_modalities(wanted: tuple[str, ...], spec: DataSpec) -> tuple[str, ...]:
    """The modalities a model is built for: those wanted, or all that the data has."""
    for name in wanted:
        if name not in spec.modalities:
            raise InfofuseError(
                f"the data has no modality {name!r}; {nearest(name, spec.modalities)}"
            )
    if len(set(wanted)) < len(wanted):
        raise InfofuseError(f"modalities are given once each; found {list(wanted)}")
    return wanted or spec.modalities
