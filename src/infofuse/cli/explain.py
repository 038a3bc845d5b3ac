"""infofuse explain"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infofuse.cli import show
from infofuse.errors import InfofuseError

if TYPE_CHECKING:
    from infofuse.analysis.labels import Agreement, Drift, GeneratedLabels


def explain(
    run: Annotated[Path, typer.Argument(help="A run, a seed's folder of it, or a checkpoint.")],
    human: Annotated[
        Path | None,
        typer.Option(help='Human labels, JSON: {"clip": {"text": 0.4}}.', show_default=False),
    ] = None,
    clips: Annotated[int, typer.Option(help="How many clips to list.")] = 10,
    out: Annotated[
        Path | None, typer.Option(help="A table of all clips: .csv.", show_default=False)
    ] = None,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Show the labels that training generated for single modalities.

    How far they moved from the human label, the clips where they moved farthest,
    and, where human labels of single modalities are given, whether they agree.
    """
    from infofuse.analysis.labels import agreement, drift, generated_labels
    from infofuse.files import write_text

    if out is not None and out.suffix.lower() != ".csv":
        raise InfofuseError(f"{out} should end in .csv, the format that is written here")
    labels = generated_labels(run)
    moved = drift(labels)
    agreed = agreement(labels, _human(human)) if human else []
    if out is not None:
        write_text(out, labels.to_csv())
    if json:
        show.print_json(_content(labels, moved, agreed))
        return
    typer.echo(_drift_table(moved))
    if agreed:
        typer.echo("\n" + _agreement_table(agreed))
    if clips > 0:
        typer.echo("\n" + _clip_table(labels, clips))


def _human(path: Path) -> dict[str, dict[str, float]]:
    from infofuse.files import read_json

    table = read_json(path)
    good = isinstance(table, dict) and all(isinstance(row, dict) for row in table.values())
    numbers = good and all(
        isinstance(y, int | float) for row in table.values() for y in row.values()
    )
    if not numbers:
        raise InfofuseError(
            f'{path} holds something else than labels by clip and modality, {{"clip": '
            f'{{"text": 0.4}}}}'
        )
    return table


def _content(
    labels: "GeneratedLabels", moved: list["Drift"], agreed: list["Agreement"]
) -> dict[str, Any]:
    from dataclasses import asdict

    own = {m: y.tolist() for m, y in labels.unimodal.items()}
    return {
        "drift": [asdict(one) for one in moved],
        "agreement": [asdict(one) for one in agreed],
        "labels": {"id": list(labels.ids), "multimodal": labels.multimodal.tolist(), **own},
    }


def _drift_table(moved: list["Drift"]) -> str:
    rows = [["generated minus human", "clips", "mean", "sd", "corr", "sign turned"]]
    for d in moved:
        numbers = [f"{d.mean:+.3f}", f"{d.sd:.3f}", f"{d.corr:.3f}", f"{d.turned:.1%}"]
        rows.append([d.modality, str(d.clips), *numbers])
    return show.table(rows)


def _agreement_table(agreed: list["Agreement"]) -> str:
    rows = [["with human labels", "clips", "MAE", "at first", "corr", "at first", "of offsets"]]
    for a in agreed:
        numbers = (a.mae, a.mae_before, a.corr, a.corr_before, a.offset_corr)
        rows.append([a.modality, str(a.clips), *(f"{x:.3f}" for x in numbers)])
    return show.table(rows)


def _clip_table(labels: "GeneratedLabels", count: int) -> str:
    rows = [["moved farthest", "human", *labels.unimodal]]
    for i in labels.farthest(count):
        values = (labels.multimodal[i], *(y[i] for y in labels.unimodal.values()))
        rows.append([labels.ids[i], *("–" if y != y else f"{y:+.2f}" for y in values)])
    return show.table(rows)
