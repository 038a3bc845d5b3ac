"""From a question to an answer, by a decoder in a process of its own and one model."""

import asyncio
import math
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from infofuse.errors import InfofuseError
from infofuse.extract.clip import Extracted, extract_clip
from infofuse.extract.media import Limits as MediaLimits
from infofuse.extract.transcripts import SUBTITLES
from infofuse.predict import Moment, Prediction, Predictor, predict_extracted
from infofuse.predict.clip import recipe_of
from infofuse.serve.child import Extract, Stopped, extract_apart, warm
from infofuse.serve.limits import Limits
from infofuse.serve.metrics import Metrics
from infofuse.serve.question import Question, Upload, echo, read_json
from infofuse.serve.queue import Queue

WINDOW, HOP = 3.0, 1.0
"""Seconds of the timeline: less than an utterance, since people follow it while a clip plays."""

TOO_LARGE = (
    "what was extracted is more than the service takes back, so that modalities cannot be switched "
    "off: ask with a shorter clip"
)


class Answer(BaseModel):
    """What the model says of a clip. extracted: what was read from it, where that was asked for."""

    prediction: Prediction
    timeline: list[Moment]
    seconds: float
    notes: list[str]
    extracted: Question | None = None


class Service:
    """One model, its line of requests, and its decoders.

    extract: how a clip is read; None for the way in which the model's training data was. no_clips:
    why clips are not read, if they are not.
    """

    def __init__(self, predictor: Predictor, extract: Extract | None, limits: Limits) -> None:
        self.predictor, self.limits = predictor, limits
        self.queue, self.metrics = Queue(limits), Metrics()
        self.metrics.inside.set_function(lambda: self.queue.inside)
        self.no_clips: str | None = None
        try:
            self._extract = extract or _reader(predictor, limits)
        except InfofuseError as error:
            self.no_clips = str(error)

    def warm(self) -> None:
        """Start what decoders are forked from; the first clip waits for it, nobody else."""
        if self.no_clips is None:
            self.queue.prepare(warm)

    async def answer_json(self, body: bytes) -> Answer:
        """The answer to a question that brings its features and words."""
        async with asyncio.timeout(self.limits.answer_seconds):
            return await self.queue.model(partial(self._read, body))

    async def answer_upload(self, upload: Upload) -> Answer:
        """The answer to a question that brings a clip."""
        if self.no_clips is not None:
            raise InfofuseError(self.no_clips)
        async with asyncio.timeout(self.limits.answer_seconds):
            found = await self.queue.decode(partial(self._extracted, upload))
            return await self.queue.model(
                partial(self._answer, found, upload.only, upload.features)
            )

    def _read(self, body: bytes) -> Answer:
        found, only = read_json(body, self.predictor, self.limits)
        return self._answer(found, only, False)

    def _answer(self, found: Extracted, only: list[str] | None, features: bool) -> Answer:
        said = predict_extracted(self.predictor, found, only=only, window=WINDOW, hop=HOP)
        _check(said.prediction)
        extracted = echo(found, self.limits) if features else None
        notes = [TOO_LARGE] if features and extracted is None else []
        return Answer.model_construct(
            prediction=said.prediction,
            timeline=list(said.timeline),
            seconds=said.seconds,
            notes=[*said.notes, *notes],
            extracted=Question.model_construct(**extracted) if extracted else None,
        )

    def _extracted(self, upload: Upload, seconds: float) -> Extracted:
        files: list[Any] = [
            file and _rolled(file.file) for file in (upload.clip, upload.transcript)
        ]
        try:
            return extract_apart(
                self._extract,
                files[0],
                upload.text,
                files[1],
                suffix=_suffix(upload),
                seconds=seconds,
                memory=self.limits.memory,
            )
        except Stopped:
            self.metrics.stopped.inc()
            raise


def _reader(predictor: Predictor, limits: Limits) -> Extract:
    """How the clips of the model's training data were read. Raises InfofuseError if unknown."""
    recipe = recipe_of(predictor)
    if not Path("/proc/self/fd").is_dir():
        raise InfofuseError("clips are read on Linux alone: send features, or words")
    bounds = MediaLimits(bytes=limits.upload_bytes, seconds=limits.clip_seconds)
    return partial(extract_clip, recipe=recipe, limits=bounds)


def _suffix(upload: Upload) -> str:
    """What kind of transcript it is, by its name; the name itself is never used."""
    name = (upload.transcript and upload.transcript.filename) or ""
    return next((known for known in SUBTITLES if name.lower().endswith(known)), ".txt")


def _rolled(file: Any) -> Any:
    """An upload on disk, in a file without a name: small ones are held in memory until now."""
    file.rollover()
    file.flush()
    return file


def _check(said: Prediction) -> None:
    """Raises InfofuseError for an answer from nothing, or one that is not finite."""
    if not said.present:
        raise InfofuseError("there is nothing in it that the model reads")
    if not all(map(math.isfinite, said.scores)):
        raise InfofuseError("the model has no finite answer to such features")
