"""A checkpoint that answers: predictions with conformal regions, Shapley values and agreement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import nn

from infofuse.analysis.attribution import attributed
from infofuse.analysis.explanation import agreements
from infofuse.conformal import Calibration, Region
from infofuse.data.spec import DataSpec
from infofuse.encoders import Transcript
from infofuse.encoders.cache import nothing_kept
from infofuse.errors import InfofuseError, unknown
from infofuse.models import columns, encoders
from infofuse.objectives import DependencyPenalty
from infofuse.predict.prediction import Numbers, Prediction
from infofuse.tasks import Task
from infofuse.training.calibration import FILE, read_calibration
from infofuse.training.checkpoint import load_with_penalties, read_config, spec_of
from infofuse.training.predict import Subset
from infofuse.training.protocol import find_checkpoint
from infofuse.types import Clips, Json, Ragged


@dataclass(frozen=True, eq=False)
class Predictor:
    """Answers for clips, from all of their modalities or from some.

    confidence: of the conformal interval or set, in (0, 1). abstain: the confidence at which an
    answer must be decided, else it is marked as abstained: a score must have all of its interval
    to one side of the scale's middle, a class must be alone in its set, and of several labels each
    must be clear. So, over clips like those of the validation split, at most a share 1 - abstain
    is answered with the wrong side or class (of several labels, each). None: only a clip of which
    there is nothing to read is left open.

    Nothing of the clips is kept on disk, not even in the cache of tokens.
    """

    model: nn.Module
    spec: DataSpec
    facts: Json
    calibration: Calibration | None = None
    penalties: Sequence[DependencyPenalty] = field(default=())
    confidence: float = 0.9
    abstain: float | None = None

    def __post_init__(self) -> None:
        for name in ("confidence", "abstain"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise InfofuseError(f"{name} lies between 0 and 1, such as 0.9; found {value:g}")
        if self.abstain is not None and self.calibration is None:
            raise InfofuseError(
                f"the checkpoint has no {FILE}, so how sure it is cannot be said: leave out "
                f"abstain, or train it again"
            )

    @classmethod
    def load(
        cls, run: Path | str, confidence: float = 0.9, abstain: float | None = None
    ) -> "Predictor":
        """From a run of one seed, a seed's folder, or a checkpoint.

        Raises InfofuseError where there is no checkpoint, or several.
        """
        folder = find_checkpoint(Path(run))
        facts = read_config(folder)
        model, penalties = load_with_penalties(folder)
        calibration = read_calibration(folder)
        return cls(model, spec_of(facts), facts, calibration, penalties, confidence, abstain)

    @property
    def name(self) -> str:
        """The paper."""
        return self.facts["paper"]

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """What the model reads, in its order."""
        return tuple(encoders(self.model))

    @cached_property
    def reads_words(self) -> bool:
        """Whether it has a use for a text, rather than for features of one or for none."""
        reader = encoders(self.model).get("text")
        return reader is not None and any(isinstance(part, Transcript) for part in reader.modules())

    @property
    def task(self) -> Task:
        return self.spec.task

    def __call__(self, clips: Clips, only: Sequence[str] | None = None) -> list[Prediction]:
        """A prediction for each clip, in order. only: these modalities, all others absent.

        Raises InfofuseError for an unknown modality, and for features of another width than the
        model's.
        """
        if len(clips) == 0:
            return []
        used = self.used(only)
        with nothing_kept():
            whole = columns(self.model, clips)
        read = {m: column if m in used else column.emptied for m, column in whole.items()}
        present = [
            tuple(m for m, column in read.items() if len(column[i])) for i in range(len(clips))
        ]
        of, answers = attributed(self.model, read, self.task)
        region = self._region(of.whole, present, self.confidence)
        doubt = self._region(of.whole, present, self.abstain)
        agreement = self._agreement(read, len(clips))
        return [
            Prediction(
                id=str(clips.ids[i]),
                answer=self.task.say(answers[i]),
                scores=_numbers(of.whole[i]),
                nothing=_numbers(of.predictions[()][i]),
                interval=_interval(region, i),
                classes=_classes(region, i, self.spec.classes),
                abstained=not there or (doubt is not None and not doubt.decided[i]),
                present=there,
                alone={m: _numbers(of.alone(m)[i]) for m in there},
                contributions={m: _numbers(of.values[m][i]) for m in there},
                agreement=agreement[i],
            )
            for i, there in enumerate(present)
        ]

    def used(self, only: Sequence[str] | None = None) -> Subset:
        """The modalities that are used, all or only these. Raises InfofuseError for an unknown."""
        for name in only or ():
            if name not in self.modalities:
                raise unknown("modality", name, self.modalities)
        return tuple(m for m in self.modalities if only is None or m in only)

    def _region(
        self,
        scores: Float[np.ndarray, "n width"],
        present: Sequence[Subset],
        confidence: float | None,
    ) -> Region | None:
        """What is possible at this confidence; None if none is asked for, or can be had."""
        if confidence is None or self.calibration is None:
            return None
        limits = [self.calibration.limits(there, confidence) for there in present]
        return self.task.region(scores, np.array(limits))

    def _agreement(self, read: dict[str, Ragged], clips: int) -> list[float | None]:
        if not self.penalties:
            return [None] * clips
        found = agreements(self.model, self.penalties[0], read)
        return [None if np.isnan(score) else float(score) for score in found]


def _numbers(row: Float[np.ndarray, "width"]) -> Numbers:
    return tuple(row.tolist())


def _interval(region: Region | None, i: int) -> tuple[tuple[float, float], ...] | None:
    """None where it would have no end, for there are too few clips to go by."""
    if region is None or region.interval is None or not np.isfinite(region.interval[i]).all():
        return None
    return tuple((float(low), float(high)) for low, high in region.interval[i])


def _classes(region: Region | None, i: int, names: Sequence[str]) -> tuple[str, ...] | None:
    if region is None or region.classes is None:
        return None
    return tuple(n for n, possible in zip(names, region.classes[i], strict=True) if possible)
