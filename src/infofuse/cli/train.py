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
    if said := _below(metrics):
        typer.echo(f"\n{show.wrap(said, hang='')}")
    if resolved.protocol == "release":
        typer.echo("\n" + show.wrap(PEEKED, hang=""))
    typer.echo(f"\nWritten to {folder}: metrics.json, curves.png, and a checkpoint for each seed.")


def report(metrics: dict[str, Any]) -> str:
    """The summary of a run as a table of metrics by split, beside the floors of the last split."""
    from infofuse.errors import counted
    from infofuse.metrics import named

    summary = metrics["summary"]
    splits = list(summary)
    floors = metrics["floors"].get(splits[-1], {})
    rows = [[counted(len(metrics["seeds"]), "seed"), *splits, *show.floor_columns(floors)]]
    for key in summary[splits[0]]:
        ours = (show.spread(summary[split][key]) for split in splits)
        rows.append([named(key), *ours, *(show.number(f[key], 3) for f in floors.values())])
    return show.table(rows)


def _below(metrics: dict[str, Any]) -> str:
    """What is said where the mean over the seeds is not above the floors of the last split."""
    from infofuse.training.floors import not_above

    split = list(metrics["summary"])[-1]
    scores = {name: entry["mean"] for name, entry in metrics["summary"][split].items()}
    return not_above(metrics["metric"], scores, metrics["floors"].get(split, {}))
