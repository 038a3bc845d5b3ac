"""infofuse measure --shared-private"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from infofuse.cli import show

if TYPE_CHECKING:
    from infofuse.analysis import SharedPrivate


def report(
    run: Path,
    data: Path | None,
    split: str,
    names: Sequence[str],
    out: Path | None,
    seed: int,
    json: bool,
) -> None:
    """What the views of a run's model share, as it was at first and as it is now."""
    from infofuse.analysis import draw_shared_private

    with show.busy("measuring what is shared and what is private"):
        found = _before_and_after(run, data, split, names, seed)
    if out is not None:
        draw_shared_private(found, out)
    if json:
        show.print_json({"split": split, **{s: one.to_json() for s, one in found.items()}})
        return
    typer.echo(_pair_table(found))
    typer.echo("\n" + _view_table(found))
    typer.echo(f"\n{found['after'].clips} clips of {split}, each held out once.")


def _before_and_after(
    run: Path, data: Path | None, split: str, names: Sequence[str], seed: int
) -> dict[str, "SharedPrivate"]:
    from infofuse.analysis import shared_private, views_of_model
    from infofuse.data import open_corpus
    from infofuse.models import encoders
    from infofuse.training import load
    from infofuse.training.prepare import untrained
    from infofuse.training.protocol import data_of, find_checkpoint, open_split

    folder = find_checkpoint(run)
    corpus = open_corpus(data or data_of(folder))
    clips = open_split(corpus, split, folder.parent)
    states = {
        "before": untrained(folder, corpus.split("train")),
        "after": load(folder),
    }
    views = {
        state: views_of_model(model, clips, names or list(encoders(model)))
        for state, model in states.items()
    }
    return {
        state: shared_private(v.values, v.labels[:, 0], groups=v.groups, seed=seed)
        for state, v in views.items()
    }


def _pair_table(found: dict[str, "SharedPrivate"]) -> str:
    """A line a pair and state; X → Y is the held-out R² of Y from X."""
    rows = [["shared", "", "CKA", "→", "←", "canonical correlations"]]
    for pairs in zip(*(one.pairs for one in found.values()), strict=True):
        for state, p in zip(found, pairs, strict=True):
            spectrum = " ".join(f"{r:.2f}" for r in p.spectrum[:4])
            shares = [f"{x:.3f}" for x in (p.cka, p.forward, p.backward)]
            rows.append([" → ".join(p.views), state, *shares, spectrum])
    return show.table(rows)


def _view_table(found: dict[str, "SharedPrivate"]) -> str:
    rows = [["R² of the label from", "", "the view", "private"]]
    for views in zip(*(one.views for one in found.values()), strict=True):
        for state, v in zip(found, views, strict=True):
            rows.append([v.view, state, f"{v.label:.3f}", f"{v.private:.3f}"])
    return show.table(rows)
