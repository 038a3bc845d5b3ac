"""What is asked of the service: features and words as JSON, or a form with a clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from infofuse.errors import InfofuseError, unknown
from infofuse.extract.clip import Extracted
from infofuse.extract.text import Word
from infofuse.predict import Predictor
from infofuse.serve.limits import Limits
from infofuse.types import Sample

LARGEST = 1e6  # of a feature, by size: beyond it float32 layers overflow
_A_NUMBER = 12  # bytes of JSON, at most about: "-1.23456e-05"
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class TimedWord(BaseModel):
    """A word, and when it is said, in seconds."""

    model_config = _STRICT
    text: str
    start: float | None = None
    end: float | None = None


class Question(BaseModel):
    """The JSON form of a question; the answer to a clip holds all of it, to be asked again."""

    model_config = _STRICT
    text: str = ""
    features: dict[str, list[list[float]]] = {}
    times: dict[str, list[tuple[float, float]]] = {}
    words: list[TimedWord] = []
    seconds: float = Field(0.0, ge=0)
    only: list[str] | None = None


@dataclass(frozen=True, eq=False)
class Upload:
    """The form of a question that has a clip. features: whether the answer holds those, too."""

    clip: UploadFile
    transcript: UploadFile | None
    text: str | None
    only: list[str] | None
    features: bool


def read_json(
    body: bytes, predictor: Predictor, limits: Limits
) -> tuple[Extracted, list[str] | None]:
    """What a JSON body holds, and by which modalities alone it is to be answered.

    Raises HTTPException (400) for what is not JSON, and InfofuseError for what does not fit.
    """
    try:
        asked = Question.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from None
    _check_text(asked.text, limits)
    _check_text(_spoken(asked.words), limits)
    _check_only(asked.only, predictor)
    if asked.text and not predictor.reads_words:
        raise InfofuseError("the model reads no words: send features alone")
    widths = predictor.spec.features
    for name in (*asked.features, *asked.times):
        if name not in widths:
            raise unknown("feature modality", name[:40], widths)
    features = {
        m: _features(m, rows, widths[m], limits) for m, rows in asked.features.items() if rows
    }
    sample = Sample("clip", features, asked.text)
    words = tuple(Word(w.text, w.start, w.end) for w in asked.words)
    times = {m: _times(m, rows, features) for m, rows in asked.times.items() if rows}
    _check_seconds(asked, times, limits)
    untimed = [m for m in features if m not in times]
    if asked.seconds and untimed:
        raise InfofuseError(
            f"times.{untimed[0]} is missing: a clip of so many seconds has a timeline, which needs "
            f"to know when each step is; send it, or leave out seconds"
        )
    return Extracted(sample, times, words, asked.seconds), asked.only


def read_form(form: FormData, predictor: Predictor, limits: Limits) -> Upload:
    """What a form holds. Raises InfofuseError for what does not fit."""
    for name in form:
        if name not in ("clip", "transcript", "text", "only", "features"):
            raise unknown("field", name[:40], ("clip", "transcript", "text", "only", "features"))
    clip, transcript = _file(form, "clip"), _file(form, "transcript")
    if clip is None:
        raise InfofuseError("the form has no clip: send a file by this name, or JSON without one")
    text = _text(form, "text")
    _check_text(text or "", limits)
    names = [name.strip() for name in (_text(form, "only") or "").split(",") if name.strip()]
    _check_only(names or None, predictor)
    wanted = _text(form, "features") or "false"
    if wanted not in ("true", "false"):
        raise InfofuseError("features is either true or false")
    return Upload(clip, transcript, text or None, names or None, wanted == "true")


def echo(found: Extracted, limits: Limits) -> dict[str, Any] | None:
    """What was extracted, as the fields of a `Question`, numbers to six digits.

    None where a question of such a size would be refused.
    """
    numbers = sum(values.size for values in found.sample.features.values())
    long = max(len(found.sample.text), len(_spoken(found.words))) > limits.characters
    steps = max(map(len, found.sample.features.values()), default=0)
    if long or steps > limits.steps or numbers * _A_NUMBER > limits.json_bytes:
        return None
    times = {m: spans.clip(0, found.seconds) for m, spans in found.times.items()}
    return {
        "text": found.sample.text,
        "features": {m: _rounded(v) for m, v in found.sample.features.items()},
        "times": {m: list(map(tuple, _rounded(spans))) for m, spans in times.items()},
        "words": [TimedWord(text=w.text, start=w.start, end=w.end) for w in found.words],
        "seconds": found.seconds,
    }


def _spoken(words: Sequence[TimedWord] | Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _rounded(values: np.ndarray) -> list[list[float]]:
    return np.char.mod("%.6g", values).astype(float).tolist()


def _refusal(error: ValidationError) -> Exception:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return HTTPException(400, f"the body is not JSON: {first['msg']}")
    place = ".".join(str(part)[:40] for part in first["loc"]) or "the body"
    return InfofuseError(f"{place}: {first['msg']}")


def _features(modality: str, rows: list[list[float]], width: int, limits: Limits) -> np.ndarray:
    if len(rows) > limits.steps:
        raise InfofuseError(
            f"features.{modality} has {len(rows)} steps, and at most {limits.steps} are taken"
        )
    for k, row in enumerate(rows):
        if len(row) != width:
            raise InfofuseError(
                f"features.{modality} has {len(row)} numbers in step {k}, and the model reads "
                f"{width}"
            )
    values = np.array(rows, np.float64)
    if np.abs(values).max() > LARGEST:
        raise InfofuseError(f"features.{modality} has a number beyond ±{LARGEST:,.0f}")
    return values.astype(np.float32)


def _times(
    modality: str, rows: list[tuple[float, float]], features: dict[str, np.ndarray]
) -> np.ndarray:
    """Spans of the steps. Raises InfofuseError if they are not as many, or not in order."""
    steps = len(features.get(modality, ()))
    times = np.array(rows, np.float64)
    if len(rows) != steps:
        raise InfofuseError(f"times.{modality} has {len(rows)} spans, and there are {steps} steps")
    if (times < 0).any() or (times[:, 1] < times[:, 0]).any() or (np.diff(times[:, 0]) < 0).any():
        raise InfofuseError(f"times.{modality} has spans that are not in order")
    return times


def _check_seconds(asked: Question, times: dict[str, np.ndarray], limits: Limits) -> None:
    """A timeline has a moment for every so many seconds, so that these are bounded."""
    last = max([asked.seconds, *(float(spans.max()) for spans in times.values())])
    if last > limits.clip_seconds:
        raise InfofuseError(
            f"the clip is {last:.6g} s long, and at most {limits.clip_seconds:g} s are taken"
        )


def _check_text(text: str, limits: Limits) -> None:
    if len(text) > limits.characters:
        raise InfofuseError(
            f"the text has {len(text)} characters, and at most {limits.characters} are taken"
        )


def _check_only(only: list[str] | None, predictor: Predictor) -> None:
    for name in only or ():
        if name not in predictor.modalities:
            raise unknown("modality", name[:40], predictor.modalities)


def _file(form: FormData, name: str) -> UploadFile | None:
    value = _value(form, name)
    if isinstance(value, str):
        raise InfofuseError(f"{name} should be a file, and is a text")
    return value


def _text(form: FormData, name: str) -> str | None:
    value = _value(form, name)
    if isinstance(value, UploadFile):
        raise InfofuseError(f"{name} should be a text, and is a file")
    return value


def _value(form: FormData, name: str) -> UploadFile | str | None:
    found = form.getlist(name)
    if len(found) > 1:
        raise InfofuseError(f"the form has {len(found)} fields {name}, and one was expected")
    return found[0] if found else None
