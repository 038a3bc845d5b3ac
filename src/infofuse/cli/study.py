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
    from infofuse.study.results import Results


def study(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY.toml | report DIR",
            help="A study to run, or to report (DIR, or STUDY.toml).",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The study's folder (runs/NAME); with report, the page."),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE.md",
            help="Keep a page of results too, and PAGE.jsonl, whose cells are not run again.",
        ),
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
    """Compare papers, treatments and data sets, with a report.

    Given a study file, what is not finished is run, each cell an ordinary run
    in a process of its own; a study that was stopped goes on when the same
    command is given again. Given `report` and a study's folder, its page is
    written anew; given `report`, a study file and --markdown, the page of
    Markdown from its record alone. Exit status 1 if a cell could not be run.
    """
    verb, *rest = words if words[0] in ("run", "report") else ("run", *words)
    if len(rest) != 1:
        raise InfofuseError("give one study file, or: infofuse study report DIR")
    if markdown is not None and markdown.suffix != ".md":
        raise InfofuseError(f"--markdown names a page such as results.md; found {markdown}")
    if verb == "report":
        if protocol or log or jobs != 1:
            raise InfofuseError("a report trains nothing: leave out --jobs, --protocol and --log")
        what = Path(rest[0])
        if what.suffix == ".toml":
            _report_record(what, out, markdown, json)
        else:
            _report(
                what, out, markdown, json, f"infofuse study report {what} --markdown {markdown}"
            )
    else:
        _run(Path(rest[0]), out, markdown, jobs, protocol, log, json)


def _run(
    file: Path,
    out: Path | None,
    page: Path | None,
    jobs: int,
    protocol: str,
    log: str,
    json: bool,
) -> None:
    from infofuse.study.report.markdown import record_of
    from infofuse.study.runner import run_study
    from infofuse.study.spec import read_study

    if jobs < 0:
        raise InfofuseError(f"--jobs is 0 or more; found {jobs}")
    declared = read_study(file, protocol)
    folder = out or Path("runs") / file.stem
    record = record_of(page) if page else None
    with show.interruptible(), _watching(quiet=json) as watch:
        say = (lambda _: None) if json else (lambda line: typer.echo(line, err=True))
        failures = run_study(declared, folder, jobs, watch, say, log, record)
    _report(folder, None, page, json, _command(file, page))
    if failures:
        raise typer.Exit(show.FINDINGS)


def _command(file: Path, page: Path | None) -> str:
    """The command by which a page of Markdown is made."""
    return f"infofuse study {file} --markdown {page} --jobs 2"


def _report(folder: Path, out: Path | None, page: Path | None, json: bool, command: str) -> None:
    from infofuse.study.report import report
    from infofuse.study.results import open_results

    results = open_results(folder)
    written = out or folder / "report.html"
    report(results, written)
    _tell(results, page, command, json)
    if not json:
        typer.echo(f"\nWritten: {written}, and every table and figure to {folder / 'report'}.")


def _report_record(file: Path, out: Path | None, page: Path | None, json: bool) -> None:
    from infofuse.study.report.markdown import record_of
    from infofuse.study.results import results_of_record
    from infofuse.study.spec import read_study

    if page is None or out is not None:
        raise InfofuseError(
            f"a report of {file} is of its record: give --markdown PAGE.md, beside which "
            f"PAGE.jsonl lies, and no --out"
        )
    results = results_of_record(read_study(file), record_of(page))
    _tell(results, page, _command(file, page), json)


def _tell(results: "Results", page: Path | None, command: str, json: bool) -> None:
    """Keep the page of Markdown, if one is wanted, and say what was found."""
    from infofuse.study.report.content import summary
    from infofuse.study.report.markdown import record_of, write_markdown

    if page is not None:
        write_markdown(results, page, command)
    if json:
        show.print_json(results.to_json())
        return
    typer.echo(summary(results))
    if page is not None:
        typer.echo(f"\nKept: {page}, and every cell in {record_of(page)}.")


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
