"""infofuse extract"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infofuse.cli import show

if TYPE_CHECKING:
    from infofuse.extract.folder import Extraction
    from infofuse.extract.recipe import FeatureRecipe

NONE = "none"
_LISTED = 20


def extract(
    media: Annotated[list[Path], typer.Argument(help="Media files, or folders of them.")],
    out: Annotated[Path, typer.Option(help="The store to write (a folder).")],
    labels: Annotated[
        Path | None, typer.Option(help="A csv: id or path, label, and text, split, group.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe in TOML, or a store or checkpoint to follow.")
    ] = None,
    audio: Annotated[str | None, typer.Option(help="The audio extractor, or none.")] = None,
    vision: Annotated[str | None, typer.Option(help="The vision extractor, or none.")] = None,
    text: Annotated[str | None, typer.Option(help="The source of words, or none.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames a second to look at.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace a store that is there.")] = False,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Make a data set of media files: sound, face and words.

    Stopped at any moment, the same command goes on from there. Clips that
    cannot be read are left out and listed with the reason; exit status 1 says
    that there are any. The store keeps how its features were made, and so does
    what is trained on it.
    """
    from infofuse.extract.folder import extract_folder

    chosen = _recipe(recipe, {"audio": audio, "vision": vision, "text": text}, fps)
    with show.interruptible(), show.counting("extracting") as report:
        made = extract_folder(
            media, out, chosen, labels, jobs=jobs, overwrite=overwrite, report=report
        )
    if json:
        show.print_json(asdict(made) | {"store": str(made.store), "kept": _path(made.kept)})
    else:
        typer.echo(_text(made))
    if made.failed:
        raise typer.Exit(show.FINDINGS)


def _recipe(path: Path | None, stages: dict[str, str | None], fps: float | None) -> "FeatureRecipe":
    from infofuse.extract.recipe import FeatureRecipe, default_recipe, read_recipe, stage

    named = {m: None if name == NONE else stage(m, name) for m, name in stages.items() if name}
    everything = len(named) == len(stages)
    base = read_recipe(path) if path else FeatureRecipe() if everything else default_recipe()
    return replace(base, **named, fps=base.fps if fps is None else fps)


def _text(made: "Extraction") -> str:
    lines = [f"Written to {made.store}: {show.counts(made.clips)} clips."]
    lines += [f"Note: {note}." for note in made.notes]
    lines += [f"FAILED {id}: {why}" for id, why in [*made.failed.items()][:_LISTED]]
    if len(made.failed) > _LISTED:
        lines.append(f"and {len(made.failed) - _LISTED} more, in extraction.json")
    if made.kept is not None:
        lines.append(f"The others are kept in {made.kept} for another try, with --overwrite.")
    return "\n".join(lines)


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)
