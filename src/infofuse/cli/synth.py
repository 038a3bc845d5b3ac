"""infofuse synth"""

from pathlib import Path
from typing import Annotated

import typer

from infofuse.cli import show


def synth(
    out: Annotated[Path, typer.Argument(help="The store to write (a folder).")],
    preset: Annotated[
        str, typer.Option(help="demo, redundant, unique, synergy or conflict.")
    ] = "demo",
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change one dial: --set noise=2.0", metavar="KEY=VALUE"),
    ] = None,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Write a generated corpus whose structure is known.

    Three modalities as sequences, with real words in the text, and dials for
    redundant, unique and synergistic information, noise, imbalance, missing
    modalities, label skew and lengths.
    """
    from infofuse.data.store import write_store
    from infofuse.data.synthetic import synthesize

    corpus = synthesize(preset, seed, set_ or ())
    write_store(corpus, out)
    counts = {name: len(clips) for name, clips in corpus.splits.items()}
    if json:
        show.print_json({"path": str(out), "clips": counts, "fingerprint": corpus.fingerprint})
        return
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    typer.echo(f"Written to {out}: {listed} clips.")
