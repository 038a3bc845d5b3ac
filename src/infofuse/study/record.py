"""What finished cells measured, kept as a line of JSON each, so that it outlives their runs.

A record is what is committed of a study. Its lines are of four kinds:

data       what is known of a data set before training (`infofuse.study.survey`)
trial      a tuning trial: its validation scores
cell       a seed of a system: its scores, what it cost, what its statistical network saw
analysis   robustness and dependence of a system's seeds

A trial, a cell and an analysis name the identity of their run: the digest of its whole recipe and
of the data's fingerprint. Where a study needs a cell of that identity and seed, it is not run
again, whichever row asked for it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infofuse.errors import InfofuseError
from infofuse.files import as_written, dumps, write_text
from infofuse.training.recipe import Recipe
from infofuse.training.run import identity_of
from infofuse.types import Json

KINDS = ("data", "trial", "cell", "analysis")
NEEDED = {
    "data": {"place", "fingerprint"},
    "trial": {"identity", "seed", "facts"},
    "cell": {"identity", "seed", "facts"},
    "analysis": {"identity", "found"},
}


@dataclass(frozen=True)
class Record:
    """The lines of a record: data by place, cells by identity and seed, analyses by identity."""

    data: Mapping[str, Json] = field(default_factory=dict)
    cells: Mapping[tuple[str, int], Json] = field(default_factory=dict)
    analyses: Mapping[str, Json] = field(default_factory=dict)

    def cell(self, identity: str, seed: int, tested: bool) -> Json | None:
        """The line of a cell, None if there is none, or it was to be tested and was not."""
        line = self.cells.get((identity, seed))
        return None if line is None or (tested and "test" not in line["facts"]) else line


def identity(recipe: Recipe, fingerprint: str) -> str:
    """What a run is but for its seeds, in 16 letters: its recipe and the clips it is trained on."""
    whole = as_written(identity_of(recipe, fingerprint))
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]


def read_record(path: Path) -> Record:
    """Read a record; an empty one where there is no such file.

    Raises InfofuseError for a line that is none of a record.
    """
    if not path.is_file():
        return Record()
    data, cells, analyses = {}, {}, {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = _line(text, f"{path}, line {number}")
        if line["kind"] == "data":
            data[line["place"]] = line
        elif line["kind"] == "analysis":
            analyses[line["identity"]] = line
        else:
            cells[line["identity"], line["seed"]] = line
    return Record(data, cells, analyses)


def _line(text: str, where: str) -> Json:
    try:
        line = json.loads(text)
        kind = line["kind"]
        if kind in KINDS and NEEDED[kind] <= line.keys():
            return line
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        pass
    raise InfofuseError(
        f"{where} is no line of a study's record: bring the file back, or remove it to run "
        f"everything again"
    )


def write_record(lines: Iterable[Json], path: Path) -> None:
    """Write a record, whole or not at all."""
    write_text(path, "".join(f"{json.dumps(json.loads(dumps(line)))}\n" for line in lines))
