"""infofuse convert"""

from pathlib import Path
from typing import Annotated

import typer

from infofuse.cli import show


def convert(
    path: Annotated[Path, show.DataSet],
    out: Annotated[Path, show.Store],
    overwrite: Annotated[bool, typer.Option(help="Replace a store that is there.")] = False,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Write a data set as a store: ragged and memory-mapped.

    It opens at once, takes no padding and little memory, and pyarrow reads it
    too. It is written whole or not at all; what is no store is never replaced.
    """
    from infofuse.data import open_corpus
    from infofuse.data.store import free_for_store, write_store

    free_for_store(out, overwrite)
    with show.busy(f"reading {path}"):
        corpus = open_corpus(path)
    counts = {name: len(clips) for name, clips in corpus.splits.items()}
    with show.busy(f"writing {sum(counts.values()):,} clips to {out}"):
        write_store(corpus, out, overwrite)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    if json:
        facts = {"path": str(out), "clips": counts, "bytes": size, "notes": list(corpus.notes)}
        show.print_json({**facts, "fingerprint": corpus.fingerprint})
        return
    typer.echo(f"Written to {out}: {show.counts(counts)} clips, {size / 1e6:.1f} MB.")
    for note in corpus.notes:
        typer.echo(f"Note: {note}.")
