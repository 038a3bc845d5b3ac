"""infofuse predict"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infofuse.cli import predicted, show
from infofuse.errors import InfofuseError

if TYPE_CHECKING:
    from infofuse.predict import ClipPrediction, Prediction, Predictor

SPLIT = "test"


def predict(
    run: Annotated[Path, show.OneSeed],
    clips: Annotated[
        list[Path] | None,
        typer.Argument(help="Media files, or a data set of features.", show_default=False),
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="The clip's words; without a clip, words alone.")
    ] = None,
    transcript: Annotated[
        Path | None, typer.Option(help="The clip's words as a file: text or subtitles.")
    ] = None,
    only: Annotated[str, typer.Option(help="The modalities to use, such as text,audio.")] = "",
    confidence: Annotated[float, typer.Option(help="Of intervals and sets of classes.")] = 0.9,
    abstain: Annotated[
        float | None,
        typer.Option(help="Leave open what is not decided at this confidence.", show_default=False),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Of a data set: train, valid or test.", show_default=SPLIT),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(help="Seconds of a window of the timeline.", show_default="5.0"),
    ] = None,
    hop: Annotated[
        float | None, typer.Option(help="Seconds from window to window.", show_default="2.5")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The timeline of one media file: .png or .svg.")
    ] = None,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Predict one's own clips.

    Of a media file, the features that the model was trained on are extracted
    first, and what is longer than a window is predicted window by window, too.
    Beside each answer stands what is possible at the confidence, and what each
    modality says alone and adds. Of several media files, those that cannot be
    read are listed at the end, and the exit status is 1.
    """
    from infofuse.figures import check_picture
    from infofuse.predict import Predictor, predict_text
    from infofuse.predict.picture import draw_timeline
    from infofuse.predict.timeline import check_windows

    paths = clips or []
    data = [path for path in paths if _is_data(path)]
    _check(paths, data, text, transcript, only, out)
    if split is not None and not data and all(path.exists() for path in paths):
        raise InfofuseError("--split is of a data set, and none is given: leave it out")
    windows = {k: v for k, v in {"window": window, "hop": hop}.items() if v is not None}
    if windows and (data or not paths):
        raise InfofuseError(f"--{next(iter(windows))} is of a media file's timeline: leave it out")
    check_windows(**windows)
    if out is not None:
        check_picture(out)
    predictor = Predictor.load(run, confidence, abstain)
    chosen = show.names(only) or None
    media: list[ClipPrediction] = []
    failed: dict[str, str] = {}
    if data:
        found = _predict_data(predictor, run, data[0], split or SPLIT, chosen)
    elif paths:
        options = {"text": text, "transcript": transcript, "only": chosen}
        media, failed = _predict_media(predictor, paths, options | windows)
        found = [one.prediction for one in media]
    else:
        found = [predict_text(predictor, text or "")]
    if out is not None:
        draw_timeline(media[0], predictor.spec.classes, out)
    if json:
        show.print_json(_content(predictor, media or found, failed))
    else:
        typer.echo(predicted.tell(predictor, media or found))
        for path, why in failed.items():
            typer.echo(f"{path}: not predicted: {why}")
    if failed:
        raise typer.Exit(show.FINDINGS)


def _is_data(path: Path) -> bool:
    from infofuse.data.corpus import known_format

    return path.is_dir() or (path.is_file() and known_format(path) is not None)


def _check(
    paths: Sequence[Path],
    data: Sequence[Path],
    text: str | None,
    transcript: Path | None,
    only: str,
    out: Path | None,
) -> None:
    """Raise InfofuseError for what does not go together."""
    worded = text is not None or transcript is not None
    if not paths and text is None:
        raise InfofuseError('give a media file, a data set, or words by --text "…"')
    if data and len(paths) > 1:
        raise InfofuseError(f"{data[0]} is a data set, which is predicted by itself")
    if worded and (data or len(paths) > 1):
        raise InfofuseError("--text and --transcript are the words of one media file")
    if transcript is not None and (not paths or text is not None):
        raise InfofuseError("--transcript goes with one media file, in the place of --text")
    if only and not paths:
        raise InfofuseError("words alone are text alone: leave out --only")
    if out is not None and (data or len(paths) != 1):
        raise InfofuseError("--out draws the timeline of one media file; name one")


def _predict_data(
    predictor: "Predictor", run: Path, data: Path, split: str, only: Sequence[str] | None
) -> list["Prediction"]:
    from infofuse.data import open_corpus
    from infofuse.training.protocol import find_checkpoint, open_split

    with show.busy(f"predicting the {split} split"):
        clips = open_split(open_corpus(data), split, find_checkpoint(run).parent)
        return predictor(clips, only)


def _predict_media(
    predictor: "Predictor", paths: Sequence[Path], options: dict[str, Any]
) -> tuple[list["ClipPrediction"], dict[str, str]]:
    """The predictions, and why there is none of the other files; one file's reason is raised."""
    from infofuse.predict import predict_clip
    from infofuse.predict.clip import recipe_of

    predictor.used(options["only"])
    if not any(path.exists() for path in paths):  # said before what a model would make of them
        raise InfofuseError(f"there is no file {paths[0]}")
    recipe_of(predictor, options["only"])
    found, failed = [], {}
    for path in paths:
        try:
            with show.busy(f"extracting and predicting {path.name}"):
                found.append(predict_clip(predictor, path, **options))
        except InfofuseError as error:
            if len(paths) == 1:
                raise
            failed[str(path)] = str(error)
    return found, failed


def _content(
    predictor: "Predictor",
    found: Sequence["ClipPrediction"] | Sequence["Prediction"],
    failed: dict[str, str],
) -> dict[str, Any]:
    from infofuse.predict import ClipPrediction

    return {
        "paper": predictor.name,
        "confidence": predictor.confidence,
        "abstain": predictor.abstain,
        "clips": [
            one.to_json() if isinstance(one, ClipPrediction) else {"prediction": one.to_json()}
            for one in found
        ],
        "failed": [{"path": path, "why": why} for path, why in failed.items()],
    }
