"""infofuse synth"""

from pathlib import Path
from typing import Annotated

import typer

from infofuse.cli import show


def synth(
    out: Annotated[Path, show.Store],
    preset: Annotated[
        str | None,
        typer.Option(help="demo (if none is named), redundant, unique, synergy or conflict."),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(help="A twin of a known data set instead, such as mosi-unaligned."),
    ] = None,
    scale: Annotated[float, typer.Option(help="Of a twin: the share of its clips.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change one dial: --set noise=2.0", metavar="KEY=VALUE"),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a store that is there.")] = False,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Write a generated corpus whose structure is known.

    Three modalities as sequences, with real words in the text, and dials for
    redundant, unique and synergistic information, noise, imbalance, missing
    modalities, label skew and lengths. Or a twin of a known data set, with its
    true counts, widths and padding.
    """
    from infofuse.data.store import free_for_store, write_store
    from infofuse.data.synthetic import synthesize, twin
    from infofuse.errors import InfofuseError

    if like and (preset or set_):
        raise InfofuseError("--like makes a twin, which has no --preset and no dials to --set")
    if scale != 1 and not like:
        raise InfofuseError("--scale is of a twin: name one by --like, or use --set train=N")
    free_for_store(out, overwrite)
    with show.busy("generating"):
        corpus = twin(like, scale, seed) if like else synthesize(preset or "demo", seed, set_ or ())
    write_store(corpus, out, overwrite)
    counts = {name: len(clips) for name, clips in corpus.splits.items()}
    if json:
        show.print_json({"path": str(out), "clips": counts, "fingerprint": corpus.fingerprint})
        return
    typer.echo(f"Written to {out}: {show.counts(counts)} clips.")
