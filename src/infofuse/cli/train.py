"""infofuse train"""

from pathlib import Path
from typing import Annotated, Any

import typer

from infofuse.cli import show
from infofuse.errors import InfofuseError


def train(
    recipe: Annotated[
        Path | None, typer.Argument(help="A recipe file (TOML).", show_default=False)
    ] = None,
    paper: Annotated[
        str | None, typer.Option(help="The paper to train; see `infofuse papers`.")
    ] = None,
    data: Annotated[str | None, show.Corpus] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds, such as 1111-1115 or 1,2,3.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder. Used again, the run goes on.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change one key: --set model.alpha=0.2", metavar="KEY=VALUE"),
    ] = None,
    test: Annotated[
        bool, typer.Option(help="Score the test split once, at the end of each seed.")
    ] = True,
    devices: Annotated[
        int, typer.Option(help="Processes that share each batch, a device or a core each.")
    ] = 1,
    strategy: Annotated[str | None, typer.Option(hidden=True)] = None,
    log: Annotated[
        str, typer.Option(help="Also tell each epoch to: tensorboard.", show_default=False)
    ] = "",
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Train a paper on a data set, several seeds in one command.

    Name a recipe, or a paper and data. The checkpoint of each seed is chosen
    by its validation score (MAE; weighted F1 for classes); then the test split
    is opened once. OUT receives recipe.toml, metrics.json, curves.png and, for
    each seed, its checkpoint.
    A run that was stopped goes on when the same command is given again.
    With several devices, training gives the weights that it gives with one.
    """
    from infofuse.training.processes import rank
    from infofuse.training.recipe import PEEKED, read_recipe, resolve, with_given
    from infofuse.training.run import train as run

    if strategy is not None:
        raise InfofuseError(
            "--strategy is gone, as there was one alone: leave it out, --devices N has the whole "
            "model in each of N processes"
        )
    tables: dict[str, Any] = read_recipe(recipe) if recipe else {}
    tables = with_given(tables, paper=paper, data=data, seeds=seeds)
    resolved = resolve(tables, set_ or ())
    folder = out or Path("runs") / (recipe.stem if recipe else resolved.paper)
    with show.progress(quiet=json or rank() > 0) as observer:
        metrics = run(
            resolved,
            folder,
            test=test,
            observers=[observer],
            log=log,
            devices=devices,
        )
    if rank() > 0:
        return
    if json:
        show.print_json(metrics)
        return
    typer.echo(report(metrics))
    if resolved.protocol == "release":
        typer.echo("\n" + show.wrap(PEEKED, hang=""))
    typer.echo(f"\nWritten to {folder}: metrics.json, curves.png, and a checkpoint for each seed.")


def report(metrics: dict[str, Any]) -> str:
    """The summary of a run as a table of metrics by split."""
    from infofuse.metrics import named

    splits = list(metrics["summary"])
    count = len(metrics["seeds"])
    names = list(metrics["summary"][splits[0]])
    rows = [[f"{count} seed{'s' * (count > 1)}", *splits]]
    rows += [[named(n), *(show.spread(metrics["summary"][s][n]) for s in splits)] for n in names]
    return show.table(rows)
