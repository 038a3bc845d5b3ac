"""From a media file to a clip's features."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from infofuse.data.layouts.columns import video
from infofuse.errors import InfofuseError
from infofuse.extract.features import Features
from infofuse.extract.media import Limits, Media, open_media
from infofuse.extract.recipe import FeatureRecipe
from infofuse.extract.text import Transcript, Word
from infofuse.types import Sample


@dataclass(frozen=True, eq=False)
class Extracted:
    """What was made of one clip.

    times: when each step of a feature modality begins and ends, in seconds. words: with their
    times, where these are known. seconds: how long the clip is. notes: what was noticed.
    """

    sample: Sample
    times: dict[str, Float[np.ndarray, "_ 2"]]
    words: tuple[Word, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


def extract_clip(
    path: Path | str | None,
    recipe: FeatureRecipe,
    *,
    text: str | None = None,
    transcript: Path | None = None,
    limits: Limits | None = None,
) -> Extracted:
    """The features of one clip, by a recipe.

    path: the media file; None for words alone. text, transcript: what is said, as words or as a
    file, for a recipe that reads words.

    Raises InfofuseError, with what is wrong, if the file cannot be read, or if nothing that the
    recipe looks for is in it.
    """
    path = None if path is None else Path(path)
    media = nothing() if path is None else open_media(path, limits or Limits(), fps=recipe.fps)
    made = {"audio": recipe.audio, "vision": recipe.vision}
    found = {name: stage(media) for name, stage in made.items() if stage is not None}
    features = {name: f for name, f in found.items() if f is not None and len(f.values)}
    spoken = _words(media, recipe, text, transcript)
    if not features and not (spoken and spoken.text):
        why = "; ".join(media.notes) or "the recipe asks for nothing that was given"
        raise InfofuseError(f"{path or 'the clip'}: there is nothing to extract: {why}")
    return _joined(media, features, spoken or Transcript(""))


def nothing() -> Media:
    """The media of a clip that is words alone."""
    return Media("text", 0.0, np.zeros(0, np.float32), (), [])


def _words(
    media: Media, recipe: FeatureRecipe, text: str | None, transcript: Path | None
) -> Transcript | None:
    if recipe.text is not None:
        return recipe.text(media, text, transcript)
    if text or transcript:
        media.notes.append("the words that were given are not used: the recipe reads none")
    return None


def _joined(media: Media, features: dict[str, Features], spoken: Transcript) -> Extracted:
    sample = Sample(
        id=media.name,
        features={name: f.values for name, f in features.items()},
        text=spoken.text,
        group=video(media.name),
    )
    times = {name: f.times for name, f in features.items()}
    return Extracted(sample, times, spoken.words, media.seconds, tuple(media.notes))
