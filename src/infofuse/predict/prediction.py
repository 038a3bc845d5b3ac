"""What a model says of one clip, and how sure that is."""

from dataclasses import asdict, dataclass

from infofuse.types import Json

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Prediction:
    """The answer for one clip.

    answer: in the labels' terms: the score of each label column, or the names of the classes that
    are answered (one, or those that hold). scores: the numbers behind it: the scores themselves,
    or the chance of each class. nothing: those numbers from no modality at all.
    interval: by label column, from and to of the conformal interval at the predictor's
    confidence. classes: the conformal set of classes. Each is None where it does not apply, or
    the checkpoint was not calibrated for it.
    abstained: whether the predictor leaves the question open (see `Predictor`).
    present: the modalities that were used. By modality of these, alone: the scores from it by
    itself; contributions: exact Shapley values, which sum to scores - nothing.
    agreement: T of the dependency penalty's statistical network, high where the modalities go
    together; None without one, or for a clip that lacks a modality.
    """

    id: str
    answer: tuple[float | str, ...]
    scores: Numbers
    nothing: Numbers
    interval: tuple[tuple[float, float], ...] | None
    classes: tuple[str, ...] | None
    abstained: bool
    present: tuple[str, ...]
    alone: dict[str, Numbers]
    contributions: dict[str, Numbers]
    agreement: float | None

    def to_json(self) -> Json:
        """The fields as JSON has them."""
        return asdict(self)
