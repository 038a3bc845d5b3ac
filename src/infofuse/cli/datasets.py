"""infofuse datasets"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infofuse.cli import show

if TYPE_CHECKING:
    from infofuse.data.known import Dataset


def datasets(
    name: Annotated[str | None, typer.Argument(help="One of them.", show_default=False)] = None,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """List the field's data sets: facts, and how to get each.

    Nothing is downloaded. Every number has its source.
    """
    from infofuse.data import known

    found = [known.get(n) for n in ([name] if name else known.names())]
    if json:
        plain = {d.name: asdict(d) for d in found}
        show.print_json(plain[name] if name else plain)
        return
    typer.echo("\n".join(_card(found[0])) if name else _list(found))


def _list(found: "list[Dataset]") -> str:
    rows = [["", "clips", "language", "train", "valid", "test"]]
    for d in found:
        clips: dict[str, Any] = d.splits[0].clips if d.splits else {}
        cells = [f"{clips[s]:,}" if s in clips else "–" for s in ("train", "valid", "test")]
        rows.append([f"{d.name}: {d.title}", f"{d.clips:,}", d.language, *cells])
    return show.table(rows) + "\n\nSources, licence and how to get one: infofuse datasets NAME"


def _card(d: "Dataset") -> list[str]:
    lines = [f"{d.title} ({d.name}). {d.about}", f"{d.clips:,} clips, {d.groups}; {d.language}."]
    lines += [f"Paper: {d.paper}", f"Source: {d.source}"]
    lines += [f"Licence: {d.licence}", f"How to get it: {d.access}"]
    lines += [f"Warning: {d.warning}"] if d.warning else []
    for labels in d.labels:
        values = ", ".join(labels.classes) or "from {:g} to {:g}".format(*labels.scale or (0, 0))
        cuts = f" {labels.cuts}" if labels.cuts else ""
        lines.append(f"Labels: {labels.what}: {values}.{cuts} [{labels.source}]")
    for split in d.splits:
        by_id = "; by id in --json" if split.groups else ""
        lines.append(f"Split, {split.name}: {show.counts(split.clips)}{by_id}. [{split.source}]")
    for variant in d.variants:
        widths = ", ".join(f"{m} {w}" for m, w in variant.features.items())
        lines.append(
            f"Features, {d.name}-{variant.name}: {variant.title}: {widths}. [{variant.source}]"
        )
    return [show.wrap(line) for line in lines]
