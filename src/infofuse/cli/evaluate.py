"""infofuse evaluate"""

from pathlib import Path
from typing import Annotated

import typer

from infofuse.cli import show
from infofuse.errors import counted


def evaluate(
    run: Annotated[Path, show.Run],
    data: Annotated[Path, typer.Argument(help="The data set.")],
    split: Annotated[str, show.Split] = "test",
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Score a checkpoint on a split of a data set.

    Every opening of the test split is counted in the run and reported here.
    """
    from infofuse.data import open_corpus
    from infofuse.metrics import named
    from infofuse.training.protocol import evaluate as score
    from infofuse.training.protocol import find_checkpoint

    with show.busy(f"scoring the {split} split"):
        result = score(find_checkpoint(run), open_corpus(data), split)
    if json:
        show.print_json(result)
        return
    rows = [[f"{split}, {result['clips']} clips", "score"]]
    rows += [[named(k), f"{v:.4f}"] for k, v in result["scores"].items()]
    typer.echo(show.table(rows))
    times = counted(result["test_openings"], "time")
    typer.echo(f"\nThe test split was opened {times} for this run.")
    if not result["same_data"]:
        typer.echo("This is other data than the model was trained on (fingerprints differ).")
    for name in result["missing"]:
        typer.echo(f"The data has no {name}: the model predicted without it.")
