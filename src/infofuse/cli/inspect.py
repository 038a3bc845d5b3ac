"""infofuse inspect"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infofuse.cli import show

if TYPE_CHECKING:
    from infofuse.data.describe import Column, Description, LabelColumn

BAR = 40


def inspect(
    path: Annotated[Path, show.DataSet],
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Say what a data set holds, and what cannot be used.

    Splits, lengths, labels, what is missing, constant or no number, and
    which published data set and variant have these counts and widths.
    """
    from infofuse.data.corpus import format_of, reader
    from infofuse.data.describe import describe
    from infofuse.data.unpickle import loading_once

    with show.busy(f"reading {path}"), loading_once():
        layout = format_of(path)
        found = describe(reader(layout).read(path))
    if json:
        show.print_json({"path": str(path), "format": layout, **found.to_json()})
        return
    typer.echo("\n".join(_lines(path, layout, found)))


def _lines(path: Path, layout: str, found: "Description") -> list[str]:
    from infofuse.data.describe import odd

    splits = list(found.clips)
    head = [["clips", *splits], ["all", *(f"{found.clips[s]:,}" for s in splits)]]
    head.append(["videos or speakers", *(f"{found.groups[s]:,}" for s in splits)])
    columns = found.columns
    head += [[f"with {n}", *(f"{c.clips[s]:,}" for s in splits)] for n, c in columns.items()]
    lines = [f"{path}: {layout}", show.wrap(found.likeness.sentence()), "", show.table(head), ""]
    lines += [show.table(_steps(columns)), ""] if columns else []
    lines += [line for k, label in enumerate(found.labels) for line in _histogram(k, label)]
    lines += [show.wrap(f"Odd: {w}.") for n, c in columns.items() for w in odd(n, c).values()]
    lines += [show.wrap(f"Note: {note}.") for note in found.notes]
    return [*lines, f"Fingerprint: {found.fingerprint[:16]}"]


def _steps(columns: "dict[str, Column]") -> list[list[str]]:
    rows = [["steps a clip", "width", "least", "median", "95 %", "most"]]
    for name, column in columns.items():
        n = column.lengths
        cells = [f"{n.min:,}", f"{n.median:,}", f"{n.p95:,}", f"{n.max:,}"] if n else ["–"] * 4
        rows.append([name, "" if name == "words" else str(column.width), *cells])
    return rows


def _histogram(k: int, label: "LabelColumn") -> list[str]:
    """A bar for each bin of the first label, a line for each of the others."""
    if not label.known:
        return [f"Label {k + 1}: unknown for every clip."]
    summary = f"from {label.min:g} to {label.max:g}, mean {label.mean:.3g}, {label.known:,} known"
    if k:
        return [f"Label {k + 1}: {summary}."]
    most = max(label.counts)
    bars = [
        f"{low:>8.2f} {'#' * round(BAR * n / most):<{BAR}} {n:,}"
        for low, n in zip(label.edges, label.counts, strict=False)
    ]
    return [f"Label: {summary}.", *bars]
