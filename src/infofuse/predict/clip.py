"""A clip that is a media file, or words alone, to a prediction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infofuse.errors import InfofuseError
from infofuse.predict.prediction import Prediction
from infofuse.predict.predictor import Predictor
from infofuse.predict.timeline import HOP, WINDOW, Moment, check_windows, timeline
from infofuse.types import Clips, Json, Sample

if TYPE_CHECKING:
    from infofuse.extract.clip import Extracted
    from infofuse.extract.recipe import FeatureRecipe
    from infofuse.extract.text import Word

UNCALIBRATED = "the checkpoint was not calibrated: there is no interval"


@dataclass(frozen=True)
class ClipPrediction:
    """What a model says of a media file: of the whole of it, and of its windows.

    timeline: empty for a clip that is no longer than a window. notes: what was noticed on the way,
    a sentence each. words: with their times, where those are known.
    """

    prediction: Prediction
    timeline: tuple[Moment, ...]
    notes: tuple[str, ...]
    seconds: float
    words: tuple["Word", ...]

    def to_json(self) -> Json:
        """The fields as JSON has them."""
        return asdict(self)


def predict_clip(
    predictor: Predictor,
    path: Path | str,
    *,
    text: str | None = None,
    transcript: Path | None = None,
    only: Sequence[str] | None = None,
    window: float = WINDOW,
    hop: float = HOP,
) -> ClipPrediction:
    """Extract the features that the model was trained on from a media file, and predict.

    text, transcript: the clip's words, or a file of them (subtitles have times, too). Without
    either, words in a file beside it are read, as `extract_folder` reads them.

    Raises InfofuseError for a model that was trained on features of unknown making, and for a file
    that cannot be read.
    """
    from infofuse.extract.clip import extract_clip
    from infofuse.extract.listing import transcript_beside

    check_windows(window, hop)
    recipe = recipe_of(predictor, only)
    if text is None and transcript is None and recipe.text is not None:
        transcript = transcript_beside(Path(path))
    extracted = extract_clip(path, recipe, text=text, transcript=transcript)
    differences = recipe.differences(predictor.spec.extraction or {})
    extracted = replace(extracted, notes=(*extracted.notes, *differences))
    return predict_extracted(predictor, extracted, only=only, window=window, hop=hop)


def recipe_of(predictor: Predictor, only: Sequence[str] | None = None) -> "FeatureRecipe":
    """How the features that the model reads, or `only` some of them, are made from media.

    Raises InfofuseError where nothing says how, and where they cannot be made alike here.
    """
    spec = predictor.spec
    if spec.extraction is None:
        widths = ", ".join(f"{m} of {width} numbers" for m, width in spec.features.items())
        raise InfofuseError(
            f"this model cannot read media: it was trained on {spec.name}, whose features "
            f"({widths or 'none'}) are of unknown making; train it on a store made by "
            f"`infofuse extract`, or give it features of the same making"
        )
    from infofuse.extract.recipe import STAGES, FeatureRecipe

    used = predictor.used(only)
    unused = {stage: None for stage in STAGES if stage not in used}
    return FeatureRecipe.from_json(spec.extraction | unused)


def predict_extracted(
    predictor: Predictor,
    extracted: "Extracted",
    *,
    only: Sequence[str] | None = None,
    window: float = WINDOW,
    hop: float = HOP,
) -> ClipPrediction:
    """The same, of a clip that was extracted before."""
    moments = timeline(predictor, extracted, only, window, hop)
    return ClipPrediction(
        prediction=_one(predictor, extracted.sample, only),
        timeline=moments,
        notes=(*extracted.notes, *_notes(predictor, extracted, moments)),
        seconds=extracted.seconds,
        words=extracted.words,
    )


def predict_text(predictor: Predictor, text: str) -> Prediction:
    """What the model says of words alone. Raises InfofuseError if it reads no words."""
    if not predictor.reads_words:
        read = ", ".join(predictor.modalities)
        raise InfofuseError(
            f"this model reads no words: it was trained on features of {read}; train one with "
            f"a text encoder, such as --set model.text_encoder=minilm"
        )
    return _one(predictor, Sample("text", text=text))


def _one(predictor: Predictor, sample: Sample, only: Sequence[str] | None = None) -> Prediction:
    spec = predictor.spec
    return predictor(Clips.of([sample], spec.features, spec.outputs), only)[0]


def _notes(
    predictor: Predictor, extracted: "Extracted", moments: Sequence[Moment]
) -> tuple[str, ...]:
    notes = []
    if predictor.calibration is None:
        notes.append(UNCALIBRATED)
    if moments and extracted.words and all(word.start is None for word in extracted.words):
        notes.append("the words have no times: the timeline is without them")
    return tuple(notes)
