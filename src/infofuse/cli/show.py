"""What the verbs share: tables, JSON, and a progress bar that is silent where nobody watches."""

import contextlib
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from infofuse.training.observer import Observer, Step

FINDINGS, INTERRUPTED = 1, 130
COLUMNS, GAP, NARROW = 80, "  ", 12

Json = typer.Option("--json", help="Print JSON for machines.")
Split = typer.Option(help="train, valid or test.")
Picture = typer.Option(help="A picture: .png or .svg.")
Corpus = typer.Option(help="The data set: a store, or a file in a known format.")
DataSet = typer.Argument(help="A data set, in any known format.")
Store = typer.Argument(help="The store to write (a folder).")
Run = typer.Argument(help="A run, a seed's folder of it, or a checkpoint.")
OneSeed = typer.Argument(help="A run of one seed, a seed's folder, a checkpoint.")


def print_json(content: Any) -> None:
    """JSON on standard output."""
    from infofuse.files import dumps

    typer.echo(dumps(content))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns of text under a heading, the first to the left, the others to the right.

    Where that is more than 80 columns wide, the first column is broken into lines, and where the
    others alone are as wide, the table is wider.
    """
    others = [max(len(row[i]) for row in rows) for i in range(1, len(rows[0]))]
    room = max(NARROW, COLUMNS - sum(w + len(GAP) for w in others))
    first = min(room, max(len(row[0]) for row in rows))
    lines = [line for row in rows for line in _lines(row, first, others)]
    rule = GAP.join("-" * w for w in [first, *others])
    return "\n".join([lines[0], rule, *lines[1:]])


def _lines(row: Sequence[str], first: int, others: Sequence[int]) -> Iterator[str]:
    """A row's text lines: its numbers on the first, what is left of its name below."""
    name, *rest = textwrap.wrap(row[0], first, subsequent_indent="  ") or [""]
    cells = [cell.rjust(w) for cell, w in zip(row[1:], others, strict=True)]
    yield GAP.join([name.ljust(first), *cells]).rstrip()
    yield from rest


def wrap(text: str, lead: str = "", hang: str = "  ") -> str:
    """A paragraph behind a lead, its further lines under the first and a hanging indent."""
    below = " " * len(lead) + hang
    return textwrap.fill(
        text, COLUMNS - 1, initial_indent=lead, subsequent_indent=below, break_on_hyphens=False
    )


def counts(clips: Mapping[str, int]) -> str:
    """Such as "train 1,284, valid 229"."""
    return ", ".join(f"{name} {count:,}" for name, count in clips.items())


def names(text: str) -> list[str]:
    """The names of an option such as `--only text,audio`."""
    return [name.strip() for name in text.split(",") if name.strip()]


def number(value: float, digits: int = 2) -> str:
    """A number of a table, a dash where it is undefined."""
    return "–" if value != value else f"{value:.{digits}f}"


def spread(entry: Mapping[str, float], digits: int = 3) -> str:
    """`mean ± sd`, or the mean alone of a single seed."""
    mean, sd = entry["mean"], entry["sd"]
    return number(mean, digits) + ("" if sd != sd or mean != mean else f" ± {number(sd, digits)}")


def floor_columns(floors: Mapping[str, object]) -> list[str]:
    """Headings for the scores of floors: their first words."""
    return [name.split()[0] for name in floors]


@contextlib.contextmanager
def busy(what: str) -> Iterator[None]:
    """Say what is being done while the block runs; silent unless standard error is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time left, moved by (done, total); silent unless somebody watches."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextlib.contextmanager
def progress(quiet: bool = False) -> Iterator["Observer"]:
    """A bar for each seed while the block runs; silent unless standard error is a terminal.

    An interruption is answered with how to go on.
    """
    with interruptible(), _bars() if sys.stderr.isatty() and not quiet else _silence() as observer:
        yield observer


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """An interruption of the block is answered with how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextlib.contextmanager
def _silence() -> Iterator["Observer"]:
    from infofuse.training.observer import Observer

    yield Observer()


@contextlib.contextmanager
def _bars() -> Iterator["Observer"]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from infofuse.training.observer import Observer

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=14),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
    ) as bars:

        class Bars(Observer):
            def seed_begins(self, seed: int, seeds: Sequence[int], folder: Path) -> None:
                place = f"seed {seed} ({list(seeds).index(seed) + 1}/{len(seeds)})"
                self.task = bars.add_task(place, what="setting up", left="", total=1)

            def step(self, step: "Step") -> None:
                elapsed = bars.tasks[self.task].elapsed or 0.0
                bars.update(self.task, **_at(elapsed, step))

        yield Bars()


def _at(elapsed: float, step: "Step") -> dict[str, Any]:
    """Where a training is, and how long it takes at most: it may stop before its last epoch."""
    done = (step.epoch - 1 + step.done / step.total) / step.epochs
    left = "" if done == 0 else f"≤ {clock(elapsed * (1 - done) / done)} left"
    what = f"epoch {step.epoch}/{step.epochs} {step.what}"
    return {"completed": done, "what": what, "left": left}


def clock(seconds: float) -> str:
    """Minutes and seconds, such as "12:05"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
