"""Predictions as text: one clip at length, several as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infofuse.cli import show

if TYPE_CHECKING:
    from infofuse.predict import ClipPrediction, Moment, Prediction, Predictor

OPEN = "open"
NOTHING = "–"
_FEW = 3


def tell(predictor: "Predictor", found: Sequence["ClipPrediction"] | Sequence["Prediction"]) -> str:
    """The text of `infofuse predict`."""
    from infofuse.predict import ClipPrediction
    from infofuse.predict.clip import UNCALIBRATED

    notes: Sequence[str] = () if predictor.calibration else (UNCALIBRATED,)
    several = [one.prediction if isinstance(one, ClipPrediction) else one for one in found]
    if len(found) != 1:
        parts = [_table(predictor, several)]
        notes = [*notes, *_notes(found)]
    elif isinstance(found[0], ClipPrediction):
        parts, notes = _media(predictor, found[0]), found[0].notes
    else:
        parts = _clip(predictor, several[0])
    parts += ["\n".join(f"* {note}" for note in notes)] if notes else []
    return "\n\n".join(parts)


def _notes(found: Sequence["ClipPrediction"] | Sequence["Prediction"]) -> list[str]:
    """What was noticed of each of several media files."""
    from infofuse.predict import ClipPrediction
    from infofuse.predict.clip import UNCALIBRATED

    return [
        f"{one.prediction.id}: {note}"
        for one in found
        if isinstance(one, ClipPrediction)
        for note in one.notes
        if note != UNCALIBRATED
    ]


def _media(predictor: "Predictor", found: "ClipPrediction") -> list[str]:
    parts = _clip(predictor, found.prediction, f", {found.seconds:.1f} s")
    return [*parts, _timeline(predictor, found.timeline)] if found.timeline else parts


def _table(predictor: "Predictor", found: Sequence["Prediction"]) -> str:
    rows = [["clip", "answer", _level(predictor.confidence), "read from"]]
    rows += [[p.id, *_cells(predictor, p)] for p in found]
    return show.table(rows)


def _clip(predictor: "Predictor", found: "Prediction", after: str = "") -> list[str]:
    """The paragraphs on one clip."""
    lines = [("answer", _answer(predictor, found))]
    lines.append((_level(predictor.confidence), _possible(found)))
    if predictor.abstain is not None:
        lines.append((_level(predictor.abstain), _why(predictor, found)))
    if found.agreement is not None:
        lines.append(("agreement", f"{found.agreement:.2f}"))
    said = "\n".join(f"{name:<10} {value}" for name, value in lines)
    parts = [f"{found.id}{after}", said]
    return [*parts, _shares(predictor, found)] if found.present else parts


def _why(predictor: "Predictor", found: "Prediction") -> str:
    if not found.abstained:
        return "decided"
    if not found.present:
        return f"{OPEN}: there is nothing to read"
    what = "several classes" if predictor.spec.classes else "both sides of the scale"
    return f"{OPEN}: {what} are possible"


def _shares(predictor: "Predictor", found: "Prediction") -> str:
    """What each modality says alone and adds, of each column that is told."""
    rows = [["modality", "alone", "adds"]]
    for name, i in _told(predictor, found).items():
        for modality in found.present:
            alone, adds = found.alone[modality][i], found.contributions[modality][i]
            rows.append([f"{modality}{name}", _number(predictor, alone), f"{adds:+.2f}"])
    return show.table(rows)


def _told(predictor: "Predictor", found: "Prediction") -> dict[str, int]:
    """The columns: every score, or the chances of the answered classes, else of the likeliest."""
    classes = predictor.spec.classes
    if not classes:
        several = len(found.scores) > 1
        return {f", label {i + 1}" if several else "": i for i in range(len(found.scores))}
    likeliest = classes[found.scores.index(max(found.scores))]
    return {f" for {c}": classes.index(c) for c in found.answer or (likeliest,)}


def _timeline(predictor: "Predictor", moments: Sequence["Moment"]) -> str:
    rows = [["seconds", "answer", _level(predictor.confidence), "read from"]]
    for moment in moments:
        span = f"{moment.start:.1f} to {moment.end:.1f}"
        rows.append([span, *_cells(predictor, moment.prediction)])
    return show.table(rows)


def _cells(predictor: "Predictor", found: "Prediction") -> list[str]:
    """Answer, what is possible, and what was read; many classes are counted, to fit the line."""
    many = found.classes is not None and len(found.classes) > _FEW
    possible = f"{len(found.classes or ())} classes" if many else _possible(found)
    return [_answer(predictor, found), possible, " ".join(found.present) or "nothing"]


def _level(confidence: float) -> str:
    return f"at {100 * confidence:g} %"


def _answer(predictor: "Predictor", found: "Prediction") -> str:
    """The answer with the chance of a class; "open" where the predictor abstains."""
    if found.abstained:
        return OPEN
    classes = predictor.spec.classes
    if not classes:
        return ", ".join(f"{score:+.2f}" for score in found.scores)
    told = (
        f"{name} {found.scores[i]:.2f}" for i, name in enumerate(classes) if name in found.answer
    )
    return ", ".join(told) or "none"


def _possible(found: "Prediction") -> str:
    """The interval of each label, or the classes that are possible."""
    if found.interval is not None:
        return ", ".join(f"{low:+.2f} to {high:+.2f}" for low, high in found.interval)
    if found.classes is not None:
        return ", ".join(found.classes) or "none"
    return NOTHING


def _number(predictor: "Predictor", value: float) -> str:
    return f"{value:.2f}" if predictor.spec.classes else f"{value:+.2f}"
