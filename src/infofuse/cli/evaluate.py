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
    Beside the scores stand those of a constant predictor and of a linear
    model on the mean features, fitted on the data's training clips.
    """
    from infofuse.data import open_corpus
    from infofuse.metrics import named
    from infofuse.training.floors import not_above
    from infofuse.training.protocol import evaluate as score
    from infofuse.training.protocol import find_checkpoint

    with show.busy(f"scoring the {split} split"):
        result = score(find_checkpoint(run), open_corpus(data), split)
    if json:
        show.print_json(result)
        return
    floors = result["floors"]
    rows = [[f"{split}, {result['clips']} clips", "score", *show.floor_columns(floors)]]
    for key, value in result["scores"].items():
        beside = (show.number(floor.get(key, float("nan")), 4) for floor in floors.values())
        rows.append([named(key), show.number(value, 4), *beside])
    typer.echo(show.table(rows))
    if said := not_above(result["metric"], result["scores"], floors):
        typer.echo(f"\n{show.wrap(said, hang='')}")
    times = counted(result["test_openings"], "time")
    typer.echo(f"\nThe test split was opened {times} for this run.")
    if not result["same_data"]:
        typer.echo("This is other data than the model was trained on (fingerprints differ).")
    for name in result["missing"]:
        typer.echo(f"The data has no {name}: the model predicted without it.")
