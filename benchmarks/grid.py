"""What the benchmarks share: cells that are run once, floors, and tables of mean ± sd.

A system's seeds are one ordinary `infofuse train` in a folder of its own, with one torch thread,
and each seed is a cell. What a finished cell measured is kept as JSON beside its page, and such a
cell is not run again.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from infofuse.data import Corpus
from infofuse.environment import versions
from infofuse.files import write_json
from infofuse.metrics import METRICS
from markdown_table import tabled

ROOT = Path(__file__).parents[1]
SEEDS = (1111, 1112, 1113, 1114, 1115)
FROZEN = ("model.freeze_text=true", "train.epochs=40", "train.patience=8")
"""What a recipe is given for a text encoder whose states are computed once."""
MOSI = {"official": "data/mosi_official.pkl", "bclstm": "data/mosi_bclstm.pkl"}
MOSI_CLIPS = {
    "official": "1,284 / 229 / 686 clips",
    "bclstm": "1,228 / 219 / 752 clips, disjoint in videos",
}
MOSI_METRICS = ("mae", "corr", "acc7", "acc5", "acc2_has0", "f1_has0", "acc2_non0", "f1_non0")


@dataclass(frozen=True)
class Grid:
    """Where a benchmark keeps its runs and its results.

    name: of the page. runs: below runs/. keep: whether runs stay there once they are measured, at
    about 100 MB a seed.
    """

    name: str
    runs: str
    keep: bool = False

    @property
    def page(self) -> Path:
        return ROOT / "benchmarks" / "results" / f"{self.name}.md"

    def folder(self, data: str, system: str) -> Path:
        return ROOT / "runs" / self.runs / data / system

    def cell(self, data: str, system: str, seed: int | str) -> Path:
        return self.page.with_suffix("") / f"{data}-{system}-{seed}.json"

    def measured(self, data: str, system: str, seed: int) -> dict[str, Any] | None:
        """What a cell measured, None if it is not finished."""
        path = self.cell(data, system, seed)
        return json.loads(path.read_text()) if path.is_file() else None

    def seeds(self, data: str, system: str) -> dict[int, dict[str, Any]]:
        """The finished seeds of a system."""
        found = {seed: self.measured(data, system, seed) for seed in SEEDS}
        return {seed: measured for seed, measured in found.items() if measured}

    def progress(self, systems: Sequence[tuple[str, str]]) -> dict[str, int]:
        """How many cells are finished, and of how many, as a preface says it."""
        finished = sum(len(self.seeds(*system)) for system in systems)
        return {"cells": finished, "all": len(systems) * len(SEEDS)}

    def scores(
        self,
        data: str,
        titles: Mapping[str, str],
        metrics: Sequence[str],
        below: Mapping[str, Mapping[str, float]] | None = None,
        more: Mapping[str, Callable[[Sequence[Mapping[str, Any]]], str]] | None = None,
    ) -> str:
        """Scores on the test split. below: those of floors. more: columns of a system's facts."""
        columns = {**(more or {}), "seeds": lambda facts: str(len(facts))}
        blank = ["–"] * len(columns)
        rows = {n: [*(number(f[m]) for m in metrics), *blank] for n, f in (below or {}).items()}
        for system, title in titles.items():
            if facts := list(self.seeds(data, system).values()):
                cells = [spread([f["test"][m] for f in facts]) for m in metrics]
                rows[title] = [*cells, *(column(facts) for column in columns.values())]
        return table("test split", [*(METRICS[m].short for m in metrics), *columns], rows)

    def gains(self, data: str, system: str, base: str, metric: str) -> list[float]:
        """A system's test scores minus those of a base, seed by seed."""
        found, than = self.seeds(data, system), self.seeds(data, base)
        return [found[s]["test"][metric] - than[s]["test"][metric] for s in found if s in than]

    def minus(
        self, data: str, base: str, name: str, titles: Mapping[str, str], metrics: Sequence[str]
    ) -> str:
        """The gains of the systems over a base of this name."""
        rows = {}
        for system, title in titles.items():
            gains = [self.gains(data, system, base, metric) for metric in metrics]
            if system != base and gains[0]:
                rows[title] = [*(spread(g, sign=True) for g in gains), str(len(gains[0]))]
        columns = [*(METRICS[m].short for m in metrics), "seeds"]
        return table(f"minus {name}, paired", columns, rows) if rows else ""

    def costs(self, data: str, titles: Mapping[str, str], digits: int = 1) -> str:
        """Means over seeds. digits: of the seconds."""
        rows = {
            title: [
                f"{mean(f['epochs'] for f in facts):.1f}",
                f"{mean(f['epoch'] for f in facts):.1f}",
                f"{mean(map(seconds_an_epoch, facts)):.{digits}f}",
            ]
            for system, title in titles.items()
            if (facts := self.seeds(data, system).values())
        }
        return table("cost", ["epochs", "best epoch", "seconds an epoch"], rows) if rows else ""

    def run(
        self,
        systems: Iterable[tuple[str, str]],
        words: Callable[[str, str], Sequence[str]],
        jobs: int,
        seeds: Sequence[int] = SEEDS,
    ) -> None:
        """Run the cells that are not finished. words: what `infofuse train` is given for each."""

        def one(cell: tuple[str, str]) -> None:
            data, system = cell
            self._run(data, system, words(data, system), seeds)

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, systems))

    def _run(self, data: str, system: str, words: Sequence[str], seeds: Sequence[int]) -> None:
        left = [seed for seed in seeds if not self.measured(data, system, seed)]
        if not left:
            return
        folder = self.folder(data, system)
        command = [sys.executable, "-m", "infofuse", "train", *words]
        command += ["--seeds", ",".join(map(str, left)), "--out", str(folder.relative_to(ROOT))]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            print(f"{data} {system} failed: {done.stderr[-500:]}", flush=True)
            return
        for seed, facts in json.loads((folder / "metrics.json").read_text())["seeds"].items():
            self.cell(data, system, seed).parent.mkdir(parents=True, exist_ok=True)
            write_json(self.cell(data, system, seed), facts)
            split = "test" if "test" in facts else "valid"
            print(f"{data} {system} {seed}: {split} MAE {facts[split]['mae']:.3f}", flush=True)
        if not self.keep:
            shutil.rmtree(folder)

    def write(self, preface: str, sections: Iterable[str]) -> None:
        """The page: preface, sections, and the versions of what it was made with."""
        made_with = ", ".join(f"{name} {version}" for name, version in versions().items())
        parts = [preface, *sections, "## Versions", made_with]
        self.page.write_text("\n\n".join(part.strip() for part in parts) + "\n")
        print(f"written: {self.page.relative_to(ROOT)}")

    def write_study(
        self,
        study: Path,
        preface: str,
        tables: Iterable[str],
        figures: Mapping[str, str],
        more: Iterable[str] = (),
    ) -> None:
        """The page of a study: these tables and figures (with their titles) of its report."""
        kept = self.page.with_suffix("")
        kept.mkdir(exist_ok=True)
        sections = [(study / f"report/tables/{name}.md").read_text() for name in tables]
        for name, title in figures.items():
            shutil.copy(study / f"report/figures/{name}.svg", kept)
            sections.append(f"![{title}]({kept.name}/{name}.svg)")
        self.write(preface, [*sections, *more])


def command_line(about: str, *what: str) -> argparse.ArgumentParser:
    """The arguments of a benchmark: what it is to do, and in how many jobs."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("what", choices=what)
    parser.add_argument("--jobs", type=int, default=1)
    return parser


def overrides(settings: Iterable[str]) -> list[str]:
    """The words by which `infofuse train` is given these."""
    return [word for setting in settings for word in ("--set", setting)]


def floors(
    corpus: Corpus, ridge: str, features: Callable[[Any], np.ndarray]
) -> dict[str, dict[str, float]]:
    """The median label, and ridge regression on `features(clips)`, its strength by validation."""
    from sklearn.linear_model import Ridge

    parts = [corpus.split(name) for name in ("train", "valid", "test")]
    x, x_valid, x_test = (features(clips) for clips in parts)
    y, y_valid, y_test = (clips.labels for clips in parts)
    ridges = [Ridge(alpha).fit(x, y) for alpha in 10.0 ** np.arange(-2, 6)]
    best = min(
        ridges, key=lambda r: np.abs(r.predict(x_valid).reshape(y_valid.shape) - y_valid).mean()
    )
    guesses = {
        "constant (median label)": np.tile(np.median(y, axis=0), (len(y_test), 1)),
        ridge: best.predict(x_test).reshape(y_test.shape),
    }
    return {
        name: corpus.spec.task.score(guess.astype(np.float32), y_test)
        for name, guess in guesses.items()
    }


def table(heading: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """A table in Markdown, its rows by name."""
    return tabled([heading, *columns], [[name, *cells] for name, cells in rows.items()])


def number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"


def spread(values: Sequence[float | None], sign: bool = False) -> str:
    """mean ± standard deviation; of the defined ones, with their number, where some are not."""
    known = np.array([value for value in values if value is not None and value == value])
    if not len(known):
        return "–"
    middle = f"{known.mean():+.3f}" if sign else f"{known.mean():.3f}"
    of = "" if len(known) == len(values) else f" ({len(known)} of {len(values)})"
    return middle + (f" ± {known.std(ddof=1):.3f}" if len(known) > 1 else "") + of


def seconds_an_epoch(facts: Mapping[str, Any]) -> float:
    return facts["seconds"] / facts["epochs"]
