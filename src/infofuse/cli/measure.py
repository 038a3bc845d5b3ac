"""infofuse measure"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infofuse.cli import shared_private as shared_private_verb
from infofuse.cli import show
from infofuse.errors import InfofuseError, counted

if TYPE_CHECKING:
    from infofuse.analysis import Report, Views

ESTIMATOR = "InfoNCE"


def measure(
    target: Annotated[Path, typer.Argument(help="A run or checkpoint, or a data set.")],
    data: Annotated[Path | None, typer.Argument(help="The data set, for a run.")] = None,
    views: Annotated[str, typer.Option(help="Such as text,audio,fused; all if empty.")] = "",
    estimator: Annotated[
        str | None, typer.Option(help="A measure in nats.", show_default=ESTIMATOR)
    ] = None,
    split: Annotated[str, show.Split] = "valid",
    out: Annotated[Path | None, show.Picture] = None,
    seed: Annotated[int, typer.Option(help="Of the parts and the critic.")] = 0,
    shared_private: Annotated[
        bool,
        typer.Option(
            "--shared-private",
            help="What a run's modalities share and what each says alone, before and after "
            "training; DATA may be left out.",
        ),
    ] = False,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Measure how much views depend on each other, in nats.

    Of a model's representations, or of the mean features of a data set. Critics are fitted on
    half of the clips; the numbers are of the other half.
    """
    from infofuse.analysis import dependence, draw
    from infofuse.figures import check_picture

    if out is not None:
        check_picture(out)
    names = show.names(views)
    if shared_private:
        if estimator is not None:
            raise InfofuseError("--shared-private asks no estimator in nats: leave out --estimator")
        return shared_private_verb.report(target, data, split, names, out, seed, json)
    with show.busy("measuring dependence"):
        found = _of_model(target, data, split, names) if data else _of_data(target, split, names)
        report = dependence(found.values, estimator or ESTIMATOR, groups=found.groups, seed=seed)
    if out is not None:
        draw(report, out)
    if json:
        show.print_json({"split": split, "left_out": found.left_out, **report.to_json()})
        return
    typer.echo(_table(report))
    others = f"; critics were fitted on {report.fitted_on} others" if report.fitted_on else ""
    typer.echo(f"\n{report.estimated_on} clips of {split}{others}.")
    if found.left_out:
        left_out = counted(found.left_out, "clip")
        typer.echo(f"Left out, for want of one of the views: {left_out}.")
    for warning in report.warnings:
        typer.echo(show.wrap(warning, "- ", ""))


def _of_model(run: Path, data: Path, split: str, names: list[str]) -> "Views":
    from infofuse.analysis import views_of_model
    from infofuse.data import open_corpus
    from infofuse.training import load
    from infofuse.training.protocol import find_checkpoint, open_split

    folder = find_checkpoint(run)
    corpus, model = open_corpus(data), load(folder)
    return views_of_model(model, open_split(corpus, split, folder.parent), names)


def _of_data(path: Path, split: str, names: list[str]) -> "Views":
    from infofuse.analysis import views_of_clips
    from infofuse.data import open_corpus
    from infofuse.training.protocol import is_run

    if is_run(path):
        raise InfofuseError(f"{path} is a run: give the data set to measure it on as well")
    if split == "test":
        raise InfofuseError(
            "openings of the test split are counted in a run, and there is none here: "
            "use --split train or valid"
        )
    return views_of_clips(open_corpus(path).split(split), names)


def _table(report: "Report") -> str:
    rows = [["views", "nats", "95 % interval", "p", "ceiling"]]
    for e in report.estimates:
        low, high = e.interval
        ceiling = "–" if e.ceiling is None else f"{e.ceiling:.2f}"
        spread = f"[{low:.3f}, {high:.3f}]"
        rows.append([", ".join(e.views), f"{e.nats:.3f}", spread, f"{e.p:.3f}", ceiling])
    return show.table(rows)
