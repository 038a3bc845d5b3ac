"""infofuse tune"""

from pathlib import Path
from typing import Annotated, Any

import typer

from infofuse.cli import show


def tune(
    recipe: Annotated[
        Path | None,
        typer.Argument(help="A recipe file (TOML), maybe with [tune].", show_default=False),
    ] = None,
    paper: Annotated[
        str | None, typer.Option(help="The paper to tune; see `infofuse papers`.")
    ] = None,
    data: Annotated[str | None, show.Corpus] = None,
    trials: Annotated[int | None, typer.Option(help="Trials in all; 20 by default.")] = None,
    jobs: Annotated[int, typer.Option(help="Trials at a time, a core each.")] = 1,
    seeds: Annotated[str | None, typer.Option(help="Seeds that each trial trains.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The search's folder. Used again, the search goes on.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Fix one key, which is then not searched.", metavar="KEY=VALUE"),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local, or ray for the cluster that runs on this machine.")
    ] = "local",
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Search a paper's hyper-parameters by validation score.

    The test split is not opened. What is searched is declared with each paper,
    or given in the recipe's table [tune.space]. OUT receives best.toml, the
    recipe to train, trials.csv, tuning.png and study.db. A search that was
    stopped goes on when the same command is given again.
    """
    from infofuse.training.recipe import read_recipe, resolve, with_given
    from infofuse.tuning.search import tune as search
    from infofuse.tuning.space import options, space_from, space_of

    tables: dict[str, Any] = read_recipe(recipe) if recipe else {}
    own = options(tables.pop("tune", {}))
    tables = with_given(tables, paper=paper, data=data, seeds=seeds)
    resolved = resolve(tables, set_ or ())
    fixed = {change.partition("=")[0].strip() for change in set_ or ()}
    space = space_from(own.space, resolved) if own.space else space_of(resolved)
    space = {key: range_ for key, range_ in space.items() if key not in fixed}
    folder = out or Path("runs") / f"tune-{recipe.stem if recipe else resolved.paper}"
    with show.interruptible(), show.counting("tuning") as watch:
        found = search(
            resolved,
            folder,
            space=space,
            trials=own.trials if trials is None else trials,
            together=own.together,
            seed=own.seed,
            engine=_engine(engine, jobs),
            watch=watch,
        )
    if json:
        show.print_json(found)
        return
    typer.echo(report(found))
    typer.echo(f"\nWritten to {folder}. Next: infofuse train {folder}/best.toml")


def _engine(name: str, jobs: int) -> Any:
    from infofuse.errors import unknown
    from infofuse.tuning import engines

    if name not in ("local", "ray"):
        raise unknown("engine", name, ("local", "ray"))
    return engines.local(jobs) if name == "local" else engines.on_ray()


def report(found: dict[str, Any]) -> str:
    """The best trial's choices, and what the search has spent."""
    best, budget = found["best"], found["budget"]
    shares = found["importances"]
    rows = [[f"best of {budget['trials']} trials", "chosen", "importance"]]
    rows += [
        [key, f"{value:.4g}" if isinstance(value, float) else str(value), _share(shares.get(key))]
        for key, value in best["choices"].items()
    ]
    spent = (
        f"trial {best['number']}: validation regret {best['regret']:.4f}; "
        f"{budget['complete']} finished, {budget['pruned']} stopped early,\n"
        f"{budget['failed']} failed; {budget['epochs']} epochs of {budget['epochs_at_most']}"
    )
    return f"{show.table(rows)}\n\n{spent}"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.2f}"
