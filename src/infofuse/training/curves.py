"""Learning curves as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infofuse.figures import blank, save
from infofuse.training.meter import MEASURED

MAIN = ("mae", "corr", "f1_weighted", "accuracy")
LEFT_OUT = ("epoch", "seconds", "estimators", "inner")


def draw(histories: Mapping[int, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """One panel per quantity, one line per seed, epochs along the bottom: a PNG."""
    from matplotlib.ticker import MaxNLocator

    names = _quantities(histories)
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = blank((4.2 * across, 2.8 * down))
    for place, name in enumerate(names, start=1):
        axes = figure.add_subplot(down, across, place)
        for seed, history in histories.items():
            points = [(e["epoch"], e[name]) for e in history if e.get(name) is not None]
            axes.plot(*zip(*points, strict=True), label=f"seed {seed}", linewidth=1.2)
        axes.set_title(_title(name), fontsize=10)
        axes.set_xlabel("epoch", fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
    if len(histories) > 1:
        figure.axes[0].legend(fontsize=7)
    save(figure, path, dpi=110)


def _quantities(histories: Mapping[int, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The training terms, the main validation scores, and what a meter read of the views."""
    first = next(iter(histories.values()))[0]
    measured = [name for name in first if name.startswith(MEASURED)]
    apart = ("valid_", "test_", MEASURED)
    terms = [name for name in first if not name.startswith(apart) and name not in LEFT_OUT]
    kept = [f"{split}_{name}" for split in ("valid", "test") for name in MAIN]
    scores = [name for name in kept if name in first]
    return [*terms, *scores, *measured]


def _title(name: str) -> str:
    if name.startswith("valid_"):
        return f"validation {name.removeprefix('valid_').replace('mae', 'MAE')}"
    if name.startswith("test_"):
        return f"test {name.removeprefix('test_').replace('mae', 'MAE')}, the epoch chosen by it"
    if name.startswith(MEASURED):
        return f"{name.removeprefix(MEASURED)}, validation"
    return f"{name}, training (nats)" if name.startswith("I(") else f"{name}, training"
