"""infofuse papers"""

from dataclasses import asdict
from typing import Annotated

import typer

from infofuse.cli import show


def papers(json: Annotated[bool, show.Json] = False) -> None:
    """List the papers that can be trained."""
    from infofuse import papers as library

    found = {name: library.get(name).PAPER for name in library.names()}
    if json:
        show.print_json({name: asdict(paper) for name, paper in found.items()})
        return
    for name, paper in found.items():
        status = ", a reconstruction" if paper.reconstruction else ""
        typer.echo(f"{name}  ({paper.place}{status})")
        typer.echo(show.wrap(paper.title, "  ", ""))
        typer.echo(show.wrap(paper.summary, "  ", ""))
