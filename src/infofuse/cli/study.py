"""infofuse study"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infofuse.cli import show
from infofuse.errors import InfofuseError

if TYPE_CHECKING:
    from infofuse.study.pool import Standing, Watch


def study(
    words: Annotated[
        list[str],
        typer.Argument(metavar="STUDY.toml | report DIR", help="A study to run, or to report."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The study's folder (runs/NAME); with report, the page."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(help="Processes at once, one thread each; 0: this process.")
    ] = 1,
    protocol: Annotated[
        str, typer.Option(help="honest, or release: the epoch is chosen by test.")
    ] = "",
    log: Annotated[str, typer.Option(help="Also tell each epoch to: tensorboard.")] = "",
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Compare papers, penalties and data sets, with a report.

    Given a study file, what is not finished is run, each cell an ordinary run
    in a process of its own; a study that was stopped goes on when the same
    command is given again. Given `report` and a study's folder, its page is
    written anew. Exit status 1 if a cell could not be run.
    """
    verb, *rest = words if words[0] in ("run", "report") else ("run", *words)
    if len(rest) != 1:
        raise InfofuseError("give one study file, or: infofuse study report DIR")
    if verb == "report":
        if protocol or log or jobs != 1:
            raise InfofuseError("a report trains nothing: leave out --jobs, --protocol and --log")
        _report(Path(rest[0]), out, json)
    else:
        _run(Path(rest[0]), out, jobs, protocol, log, json)


def _run(file: Path, out: Path | None, jobs: int, protocol: str, log: str, json: bool) -> None:
    from infofuse.study.run import run_study
    from infofuse.study.spec import read_study

    if jobs < 0:
        raise InfofuseError(f"--jobs is 0 or more; found {jobs}")
    declared = read_study(file, protocol)
    folder = out or Path("runs") / file.stem
    with show.interruptible(), _watching(quiet=json) as watch:
        say = (lambda _: None) if json else (lambda line: typer.echo(line, err=True))
        failures = run_study(declared, folder, jobs, watch, say, log)
    _report(folder, None, json)
    if failures:
        raise typer.Exit(show.FINDINGS)


def _report(folder: Path, out: Path | None, json: bool) -> None:
    from infofuse.study.report import report
    from infofuse.study.results import open_results
    from infofuse.study.tables import summary

    results = open_results(folder)
    page = out or folder / "report.html"
    report(results, page)
    if json:
        show.print_json(results.to_json())
        return
    typer.echo(summary(results))
    typer.echo(f"\nWritten: {page}, and every table and figure to {folder / 'report'}.")


@contextlib.contextmanager
def _watching(quiet: bool) -> Iterator["Watch"]:
    """A bar where somebody watches, else a line for each job that ended."""
    if quiet:
        yield lambda standing: None
    elif sys.stderr.isatty():
        with _bar() as watch:
            yield watch
    else:
        yield _line


def _line(standing: "Standing") -> None:
    ended = standing.ended
    if ended is None:
        return
    how = f"failed: {ended.failure}" if ended.failure else f"{show.clock(ended.seconds)}"
    left = _left(standing)
    line = f"[{standing.done}/{standing.total}] {ended.job.name}, {how}{left and '; ' + left}"
    typer.echo(line, err=True)


def _left(standing: "Standing") -> str:
    seconds = standing.seconds_left
    return "" if seconds is None else f"about {show.clock(seconds)} left"


@contextlib.contextmanager
def _bar() -> Iterator["Watch"]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        MofNCompleteColumn(),
        BarColumn(bar_width=14),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
    ) as bars:
        task = bars.add_task("", left="")

        def watch(standing: "Standing") -> None:
            if standing.ended and standing.ended.failure:
                bars.console.print(f"{standing.ended.job.name}: {standing.ended.failure}")
            bars.update(
                task,
                completed=standing.done,
                total=standing.total,
                left=_left(standing),
                description=", ".join(standing.running),
            )

        yield watch
