"""infofuse audit"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infofuse.cli import show
from infofuse.errors import counted

if TYPE_CHECKING:
    from infofuse.data.audit import Audit


def audit(
    path: Annotated[Path, show.DataSet],
    as_: Annotated[
        str | None,
        typer.Option("--as", help="What it should be, such as mosi; see `infofuse datasets`."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with everything.")] = None,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Say whether a data set can be trusted.

    Counts beside the published ones, duplicates, a video or speaker in two
    splits, features that were made with the labels, odd labels and lengths.
    Exit status 1 if there is a finding of severity error.
    """
    from infofuse.data import open_corpus
    from infofuse.data.audit import audit as look
    from infofuse.data.audit.page import page
    from infofuse.files import check_place, write_text

    if html is not None:
        check_place(html)
    with show.busy(f"reading {path}"):
        corpus = open_corpus(path)
    with show.busy("looking at every clip"):
        found = look(corpus, as_)
    if html is not None:
        write_text(html, page(found))
    if json:
        show.print_json(found.to_json())
    else:
        typer.echo(report(path, found))
    if not found.passed:
        raise typer.Exit(show.FINDINGS)


def report(path: Path, found: "Audit") -> str:
    """The findings as text, the gravest first."""
    counts = show.counts(found.description.clips)
    lines = [f"{path}: {counts} clips", show.wrap(found.description.likeness.sentence()), ""]
    for finding in found.findings:
        lines.append(show.wrap(f"{finding.check}: {finding.what}.", f"{finding.severity:<8}"))
        lines += [show.wrap(f"- {example}", " " * 8) for example in finding.examples]
    severities = [finding.severity for finding in found.findings]
    tally = ", ".join(counted(severities.count(s), s) for s in dict.fromkeys(severities))
    end = f"{tally}. Fingerprint: {found.description.fingerprint[:16]}"
    return "\n".join([*lines, "", end])
