"""What the service says of its model, and the form that its questions have, for OpenAPI."""

from typing import Any

from pydantic import BaseModel

from infofuse import papers
from infofuse.predict import Predictor
from infofuse.serve.limits import Limits
from infofuse.serve.question import LARGEST


class About(BaseModel):
    """The model of the service.

    clips: None where clips are read, else why not. scale: the ends of the label's scale. classes:
    their names, for a classification. confidence: of the intervals and sets.
    """

    paper: str
    title: str
    trained_on: str
    modalities: list[str]
    text: bool
    features: dict[str, int]
    clips: str | None
    kind: str
    scale: tuple[float, float] | None
    classes: list[str]
    confidence: float
    calibrated: bool
    upload_bytes: int
    clip_seconds: float
    characters: int


def about(predictor: Predictor, clips: str | None, limits: Limits) -> About:
    """The facts of a predictor. clips: why clips are not read, if they are not."""
    spec = predictor.spec
    kinds = {"classification": "class", "multilabel": "labels"}
    return About(
        paper=predictor.name,
        title=papers.get(predictor.name).PAPER.title,
        trained_on=spec.name,
        modalities=list(predictor.modalities),
        text=predictor.reads_words,
        features=spec.features,
        clips=clips,
        kind=kinds.get(spec.metrics, "score"),
        scale=spec.label_range,
        classes=list(spec.classes),
        confidence=predictor.confidence,
        calibrated=predictor.calibration is not None,
        upload_bytes=limits.upload_bytes,
        clip_seconds=limits.clip_seconds,
        characters=limits.characters,
    )


def request_body(facts: About, limits: Limits) -> dict[str, Any]:
    """`requestBody` of /predict for this model: widths and names are those that it takes."""
    content = {"application/json": {"schema": _question(facts, limits)}}
    if facts.clips is None:
        content["multipart/form-data"] = {"schema": _form(facts, limits)}
    return {"required": True, "content": content}


def uniform(schema: Any) -> Any:
    """A schema in which tuples of one kind are arrays of so many, which more tools understand."""
    if isinstance(schema, list):
        return [uniform(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: uniform(part) for key, part in schema.items()}
    kinds = found.get("prefixItems")
    if isinstance(kinds, list) and all(kind == kinds[0] for kind in kinds):
        found["items"] = found.pop("prefixItems")[0]
    return found


def _question(facts: About, limits: Limits) -> dict[str, Any]:
    seconds = {"type": "number", "minimum": 0, "maximum": limits.clip_seconds}
    maybe = {"anyOf": [seconds, {"type": "null"}]}
    word = {"text": {"type": "string"}, "start": maybe, "end": maybe}
    spans = {"type": "array", "items": _row(seconds, 2)}
    number = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
    steps = {
        m: {"type": "array", "items": _row(number, width), "maxItems": limits.steps}
        for m, width in facts.features.items()
    }
    fields = {
        "features": _object(steps, description="Steps by modality, each of the model's width."),
        "times": _object(
            dict.fromkeys(facts.features, spans),
            description="From and to of each step, in seconds; the timeline needs them.",
        ),
        "words": {
            "type": "array",
            "items": _object(word, required=["text"]),
            "maxItems": limits.characters,
        },
        "seconds": seconds,
        "only": {"anyOf": [_only(facts), {"type": "null"}]},
    }
    text = {"type": "string", "maxLength": limits.characters}
    if facts.text:
        fields["text"] = text
    return _object(fields, description="Words, features, or both.")


def _form(facts: About, limits: Limits) -> dict[str, Any]:
    file = {"type": "string", "format": "binary"}
    fields = {
        "clip": file | {"description": f"A clip; at most {facts.clip_seconds:g} s are read."},
        "text": {"type": "string", "maxLength": limits.characters},
        "transcript": file | {"description": "Subtitles or a transcript, in place of text."},
        "only": {"type": "string", "description": "Modalities, with commas between."},
        "features": {
            "enum": ["true", "false"],
            "description": "Whether to answer with what was extracted, to ask again without it.",
        },
    }
    return _object(fields, required=["clip"])


def _only(facts: About) -> dict[str, Any]:
    return {"type": "array", "items": {"enum": facts.modalities}}


def _row(number: dict[str, Any], width: int) -> dict[str, Any]:
    return {"type": "array", "items": number, "minItems": width, "maxItems": width}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **more,
    }
