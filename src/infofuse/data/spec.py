"""What a model and a task must know of a data set: widths, labels, and how scores are read."""

from dataclasses import asdict, dataclass, fields

from infofuse.config import from_table, shown
from infofuse.errors import InfofuseError, counted, nearest, unknown
from infofuse.tasks import Classification, MultiLabel, Regression, Task
from infofuse.types import Json

MOST_FEATURES = 1 << 24
"""Of a step: more are no features, and models would ask for all memory that there is."""


@dataclass(frozen=True)
class DataSpec:
    """The shape of a data set, without its clips.

    features: feature modality -> features a step, such as {"audio": 73, "vision": 20}.
    text: whether the clips have their words. Dense features of the words, where there are any,
    are a feature modality by the name "text".
    outputs: label columns. label_range: the ends of the label's scale, None where it has none.
    metrics: the convention by which scores are read: "mosi", "sims" or "plain" for scores on a
    scale, "classification" (a label is a class's number) or "multilabel" (a column per class, 1
    where it holds). classes: the names of the classes, for the last two.
    unimodal: the modalities that have labels of their own, in the same columns as the label.
    extraction: how the features were made from media, as `infofuse.extract.recipe` writes it, so
    that a new clip can be read alike; None where that is not known.
    """

    name: str
    features: dict[str, int]
    text: bool = False
    outputs: int = 1
    label_range: tuple[float, float] | None = None
    metrics: str = "plain"
    classes: tuple[str, ...] = ()
    unimodal: tuple[str, ...] = ()
    extraction: Json | None = None

    def __post_init__(self) -> None:
        for modality, width in self.features.items():
            if not 1 <= width <= MOST_FEATURES:
                raise InfofuseError(
                    f"{modality} must have at least 1 feature a step, and at most "
                    f"{MOST_FEATURES:,}, not {width}"
                )
        if not 1 <= self.outputs <= MOST_FEATURES:
            raise InfofuseError(f"a data set needs at least 1 label column, not {self.outputs}")
        columns = {"classification": 1, "multilabel": len(self.classes)}
        if self.metrics in columns and (
            len(self.classes) < 1 or self.outputs != columns[self.metrics]
        ):
            raise InfofuseError(
                f"labels of {self.metrics!r} need the names of their classes, and "
                f"{counted(columns[self.metrics], 'column')}; found {len(self.classes)} names and "
                f"{counted(self.outputs, 'column')}"
            )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What a model may be built on: "text" first, as words or as features, then the others."""
        text = ("text",) if self.text or "text" in self.features else ()
        return text + tuple(name for name in self.features if name != "text")

    @property
    def task(self) -> Task:
        """What the labels ask for."""
        if self.metrics == "classification":
            return Classification(self.classes)
        if self.metrics == "multilabel":
            return MultiLabel(self.classes)
        return Regression(self.outputs, self.label_range, self.metrics)

    def to_json(self) -> Json:
        """The fields as JSON has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, json: Json) -> "DataSpec":
        """The inverse of `to_json`.

        Raises InfofuseError for a field that is unknown, missing or of another type.
        """
        if not isinstance(json, dict):
            raise InfofuseError(f"a data spec is an object; found {shown(json)}")
        known = [field.name for field in fields(cls)]
        for name in json:
            if name not in known:
                raise unknown("field of a data spec", name, known)
        for name in ("name", "features"):
            if name not in json:
                raise InfofuseError(f"a data spec has no {name!r}; {nearest(name, json)}")
        return from_table(cls, json, "spec")
