"""The demonstration: MMIM on a generated corpus, beside two baselines of the same seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infofuse.data.corpus import open_corpus
from infofuse.data.store import write_store
from infofuse.data.synthetic import synthesize
from infofuse.files import write_json
from infofuse.training.observer import Observer
from infofuse.training.recipe import recipe
from infofuse.training.run import train

PRESET, CORPUS_SEED = "demo", 0
SEEDS = (1111, 1112)
NO_DEPENDENCY = {"alpha": 0.0, "beta": 0.0}


@dataclass(frozen=True)
class System:
    """A row of the table."""

    name: str
    title: str
    model: dict[str, Any]


SYSTEMS = (
    System("mmim", "MMIM", {}),
    System("no-dependency", "MMIM, no dependency objectives", NO_DEPENDENCY),
    System("text-only", "text only", NO_DEPENDENCY | {"modalities": ["text"]}),
)


def demo(
    out: Path, seeds: tuple[int, ...] = SEEDS, observers: Sequence[Observer] = ()
) -> dict[str, dict[str, Any]]:
    """Make the corpus, train and test every system, and return their metrics by name."""
    path = out / "corpus"
    if not path.exists():
        write_store(synthesize(PRESET, CORPUS_SEED), path)
    corpus = open_corpus(path)
    results = {}
    for system in SYSTEMS:
        made = recipe("mmim", str(path), model=system.model, train={"epochs": 6}, seeds=seeds)
        results[system.name] = train(made, out / system.name, corpus=corpus, observers=observers)
    write_json(out / "comparison.json", {n: r["summary"] for n, r in results.items()})
    return results
