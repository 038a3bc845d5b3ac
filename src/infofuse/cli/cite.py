"""infofuse cite"""

from dataclasses import asdict
from typing import Annotated

import typer

from infofuse.cli import show


def cite(
    paper: Annotated[str, typer.Argument(help="A paper's name; see `infofuse papers`.")],
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Print how to cite a paper, and what is a reconstruction."""
    from infofuse import papers

    found = papers.get(paper).PAPER
    if json:
        show.print_json(asdict(found) | {"bibtex": found.bibtex(paper)})
        return
    typer.echo(found.bibtex(paper))
    if found.code:
        typer.echo(f"% authors' code: {found.code}")
    if found.reconstruction:
        typer.echo("% infofuse's implementation is a reconstruction: say so where you use it")
