"""infofuse robustness"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infofuse.cli import show
from infofuse.errors import InfofuseError, unknown

if TYPE_CHECKING:
    from infofuse.analysis.robustness import Curve
    from infofuse.data import Corpus


def robustness(
    paths: Annotated[
        list[Path], typer.Argument(metavar="RUN... DATA", help="One or more runs; the data set.")
    ],
    split: Annotated[str, show.Split] = "test",
    metric: Annotated[str, typer.Option(help="Of the table and picture; all if JSON.")] = "",
    corruptions: Annotated[str, typer.Option(help="Such as masked,absent; all if empty.")] = "",
    rates: Annotated[str, typer.Option(help="Such as 0,0.5,1; tenths if empty.")] = "",
    out: Annotated[Path | None, show.Picture] = None,
    seed: Annotated[int, typer.Option(help="Of what goes wrong where.")] = 0,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Measure how scores fall as one modality goes wrong.

    A share of its steps is masked, it is absent from a share of the clips, drowned in noise,
    delayed, or another clip's. Every seed of a run is scored; several runs are compared.
    """
    from infofuse.analysis.robustness_picture import draw_curves
    from infofuse.data import open_corpus
    from infofuse.figures import check_picture
    from infofuse.metrics import METRICS

    if len(paths) < 2:
        raise InfofuseError("give one or more runs, and the data set last")
    if out is not None:
        check_picture(out)
    if metric and metric not in METRICS:
        raise unknown("metric", metric, METRICS)
    *runs, data = paths
    corpus = open_corpus(data)
    options: dict[str, Any] = {"rates": _numbers(rates)} if rates else {}
    if named := show.names(corruptions):
        options["corruptions"] = named
    found = {str(run): _curves(run, corpus, split, seed, options) for run in runs}
    measured = [curve.metric for curves in found.values() for curve in curves]
    metric = metric or measured[0]
    if metric not in measured:
        raise unknown("metric of this data", metric, measured)
    if out is not None:
        draw_curves(found, metric, out)
    if json:
        show.print_json({run: [c.to_json() for c in curves] for run, curves in found.items()})
        return
    typer.echo(_table(found, metric))


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InfofuseError(f"--rates takes numbers such as 0,0.5,1; found {text!r}") from None


def _curves(
    run: Path, corpus: "Corpus", split: str, seed: int, options: dict[str, Any]
) -> list["Curve"]:
    from infofuse.analysis.robustness import robustness as measure
    from infofuse.training import load
    from infofuse.training.checkpoint import read_config
    from infofuse.training.protocol import find_checkpoints, open_split, task_for

    folders = find_checkpoints(run)
    task = task_for(read_config(folders[0]), corpus)
    opened = [open_split(corpus, split, folder.parent) for folder in folders]
    models = [load(folder) for folder in folders]
    with show.counting(f"{run}: predicting") as report:
        return measure(models, opened[0], task, seed=seed, report=report, **options)


def _table(found: dict[str, list["Curve"]], metric: str) -> str:
    from infofuse.metrics import named

    rows = [[named(metric), "p = 0", "p = 0.5", "p = 1", "kept at 0.5", "area"]]
    for run, curves in found.items():
        if len(found) > 1:
            rows.append([run, "", "", "", "", ""])
        rows += [_row(curve) for curve in curves if curve.metric == metric]
    return show.table(rows)


def _row(curve: "Curve") -> list[str]:
    at = [show.number(curve.score_at(rate).mean(), 3) for rate in (0.0, 0.5, 1.0)]
    kept, area = show.number(curve.at(0.5).mean()), show.number(curve.area.mean())
    return [f"{curve.modality} {curve.corruption}", *at, kept, area]
