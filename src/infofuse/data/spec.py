"""What a model and a task must know of a data set: widths, labels, and how scores are read."""

from dataclasses import asdict, dataclass, fields

from infofuse.errors import InfofuseError, nearest, unknown
from infofuse.tasks import Regression, Task
from infofuse.types import Json


@dataclass(frozen=True)
class DataSpec:
    """The shape of a data set, without its clips.

    features: feature modality -> features a step, such as {"audio": 73, "vision": 20}.
    text: whether the clips have their words. Dense features of the words, where there are any,
    are a feature modality by the name "text".
    outputs: label columns. label_range: the ends of the label's scale, None where it has none.
    metrics: the convention by which scores are read: "mosi", "sims" or "plain".
    unimodal: the modalities that have labels of their own, on the same scale.
    """

    name: str
    features: dict[str, int]
    text: bool = False
    outputs: int = 1
    label_range: tuple[float, float] | None = None
    metrics: str = "plain"
    unimodal: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for modality, width in self.features.items():
            if width < 1:
                raise ValueError(f"{modality} must have at least 1 feature a step, not {width}")
        if self.outputs < 1:
            raise ValueError(f"a data set needs at least 1 label column, not {self.outputs}")

    @property
    def modalities(self) -> tuple[str, ...]:
        """What a model may be built on: "text" first, as words or as features, then the others."""
        text = ("text",) if self.text or "text" in self.features else ()
        return text + tuple(name for name in self.features if name != "text")

    @property
    def task(self) -> Task:
        """What the labels ask for."""
        return Regression(self.outputs, self.label_range, self.metrics)

    def to_json(self) -> Json:
        """The fields as JSON has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, json: Json) -> "DataSpec":
        """The inverse of `to_json`. Raises InfofuseError for a field that is unknown or missing."""
        known = [field.name for field in fields(cls)]
        for name in json:
            if name not in known:
                raise unknown("field of a data spec", name, known)
        for name in ("name", "features"):
            if name not in json:
                raise InfofuseError(f"a data spec has no {name!r}; {nearest(name, json)}")
        span = json.get("label_range")
        label_range = None if span is None else (span[0], span[1])
        unimodal = tuple(json.get("unimodal", ()))
        return cls(**{**json, "label_range": label_range, "unimodal": unimodal})
