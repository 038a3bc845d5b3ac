"""infofuse explain"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infofuse.cli import show
from infofuse.errors import InfofuseError

if TYPE_CHECKING:
    from infofuse.analysis.explanation import Explanation
    from infofuse.analysis.labels import Agreement, Drift, GeneratedLabels


def explain(
    run: Annotated[Path, show.Run],
    data: Annotated[
        Path | None, typer.Argument(help="The data set whose clips are explained.")
    ] = None,
    split: Annotated[str, show.Split] = "test",
    human: Annotated[
        Path | None,
        typer.Option(help='Human labels, JSON: {"clip": {"text": 0.4}}.', show_default=False),
    ] = None,
    clips: Annotated[int, typer.Option(help="How many clips to list.", min=0)] = 10,
    out: Annotated[
        Path | None, typer.Option(help="All clips: .html with DATA, else .csv.", show_default=False)
    ] = None,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Explain predictions, or generated labels, clip by clip.

    With DATA: what each modality says alone and adds to each prediction (exact Shapley
    values), and, if the run has a dependency penalty, whether a clip's modalities agree.
    Without: how far the generated labels of single modalities moved from the human ones.
    """
    if data is None:
        _explain_labels(run, human, clips, out, json)
    elif human is not None:
        raise InfofuseError("--human goes with the labels of a run: leave out the data set")
    else:
        _explain_clips(run, data, split, clips, out, json)


def _explain_clips(
    run: Path, data: Path, split: str, count: int, out: Path | None, json: bool
) -> None:
    from infofuse.analysis.explanation import explain as explain_clips
    from infofuse.analysis.explanation_page import page
    from infofuse.data import open_corpus
    from infofuse.files import check_place, write_text
    from infofuse.training.checkpoint import load_with_penalties, read_config
    from infofuse.training.protocol import find_checkpoint, open_split, task_for

    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise InfofuseError(f"{out} should end in .html, the format of explained clips")
    if out is not None:
        check_place(out)
    folder, corpus = find_checkpoint(run), open_corpus(data)
    with show.busy("predicting from every subset of the modalities"):
        task = task_for(read_config(folder), corpus)
        model, penalties = load_with_penalties(folder)
        chosen = open_split(corpus, split, folder.parent)
        found = explain_clips(model, chosen, task, next(iter(penalties), None))
    if out is not None:
        write_text(out, page(found, f"{run} on {corpus.spec.name}, {split}"))
    if json:
        show.print_json(found.to_json())
        return
    typer.echo(_share_table(found.shares))
    if found.auc is not None:
        typer.echo(f"\nAgreement ranks a clip over a mixed-up one with chance {found.auc:.2f}.")
    typer.echo("\n" + _explained_table(found, count))


def _share_table(shares: dict[str, float]) -> str:
    rows = [["modality", "share of what is added"]]
    return show.table(rows + [[name, f"{share:.0%}"] for name, share in shares.items()])


def _explained_table(found: "Explanation", count: int) -> str:
    values = found.attribution.values
    scored = found.agreement is not None
    rows = [["clip", "label", "said", *(["agree"] if scored else []), *values]]
    for i in found.order()[:count]:
        agree = [] if found.agreement is None else [show.number(found.agreement[i])]
        adds = [f"{v[i, found.shown(i)]:+.2f}" for v in values.values()]
        said = [found.words(found.clips.labels[i]), found.words(found.answers[i])]
        rows.append([str(found.clips.ids[i]), *said, *agree, *adds])
    return show.table(rows)


def _explain_labels(
    run: Path, human: Path | None, clips: int, out: Path | None, json: bool
) -> None:
    from infofuse.analysis.labels import agreement, drift, generated_labels, read_human
    from infofuse.files import write_text

    if out is not None and out.suffix.lower() != ".csv":
        raise InfofuseError(f"{out} should end in .csv, the format of generated labels")
    labels = generated_labels(run)
    moved = drift(labels)
    agreed = agreement(labels, read_human(human)) if human else []
    if out is not None:
        write_text(out, labels.to_csv())
    if json:
        content = {"drift": [*map(asdict, moved)], "agreement": [*map(asdict, agreed)]}
        show.print_json(content | {"labels": labels.to_json()})
        return
    typer.echo(_drift_table(moved))
    if agreed:
        typer.echo("\n" + _agreement_table(agreed))
    if clips > 0:
        typer.echo("\n" + _clip_table(labels, clips))


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
