"""An exported model that answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from infofuse_runtime.inputs import Column, pad, read_features, read_tokens, read_word_tokens
from infofuse_runtime.labels import Answer, Labels, Scores, limits, read_scores
from infofuse_runtime.refusal import Refusal

FORMAT = 1
BATCH = 32
"""Clips that are predicted at once, unless something else is asked for."""

Texts = Sequence[str | None]
Features = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, eq=False)
class Runtime:
    """The model of a folder that `infofuse export --onnx` wrote.

    inputs: by modality, in the model's order, what it reads: {"reads": "tokens"}, {"reads":
    "word_tokens"} or {"reads": "features", "width": 74}. facts: all of config.json.
    """

    session: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    inputs: Mapping[str, Mapping[str, Any]]
    labels: Labels
    scores: Scores | None = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)

    @classmethod
    def load(cls, folder: str | Path, threads: int | None = None) -> "Runtime":
        """Read the folder. threads: for one batch; None leaves it to onnxruntime.

        Raises Refusal if it is not an exported model that this version can read.
        """
        folder = Path(folder)
        facts = _read(folder / "config.json")
        if not isinstance(facts, dict) or facts.get("export_format") != FORMAT:
            raise Refusal(f"{folder} is not an exported model of format {FORMAT}")
        spec, calibration = facts["spec"], folder / "calibration.json"
        words = any(reads["reads"] != "features" for reads in facts["inputs"].values())
        span = spec["label_range"]
        return cls(
            _session(folder / "model.onnx", threads),
            _tokenizer(folder / "tokenizer.json") if words else None,
            facts["inputs"],
            Labels(spec["metrics"], tuple(spec["classes"]), None if span is None else tuple(span)),
            read_scores(_read(calibration)) if calibration.is_file() else None,
            facts,
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model reads, in its order."""
        return tuple(self.inputs)

    def __call__(
        self, texts: Texts | None = None, features: Features | None = None, batch: int = BATCH
    ) -> np.ndarray:
        """The answers, (n, k), in the labels' unit: scores, class numbers, or 0 and 1 by class.

        texts: one a clip. features: by modality, a sequence (steps, width) a clip. None, "" or a
        sequence of no steps where a clip lacks the modality; a modality that no clip has may be
        left out. batch: clips that are predicted at once.

        Raises Refusal for what the model cannot read.
        """
        return self.labels.answer(self.run(texts, features, batch)["prediction"])

    def answers(
        self,
        texts: Texts | None = None,
        features: Features | None = None,
        batch: int = BATCH,
        confidence: float = 0.9,
    ) -> list[Answer]:
        """The answers one by one, with conformal intervals or sets at this confidence."""
        if not 0 < confidence < 1:
            raise Refusal(f"confidence lies between 0 and 1; found {confidence:g}")
        columns = self._columns(texts, features)
        predictions = self._run(columns, batch)["prediction"]
        return [
            self._answer(row, tuple(m for m, c in columns.items() if len(c[i])), confidence)
            for i, row in enumerate(predictions)
        ]

    def run(
        self, texts: Texts | None = None, features: Features | None = None, batch: int = BATCH
    ) -> dict[str, np.ndarray]:
        """The model's outputs as they are, (n, _): "prediction" and "view_NAME" of each view."""
        return self._run(self._columns(texts, features), batch)

    def _answer(self, row: np.ndarray, present: tuple[str, ...], confidence: float) -> Answer:
        within = None if self.scores is None else limits(self.scores, present, confidence)
        return self.labels.say(row, present, within)

    def _columns(self, texts: Texts | None, features: Features | None) -> dict[str, Column]:
        """What the model reads of the clips, by modality."""
        given = dict(features or {}) | ({} if texts is None else {"text": texts})
        for name in given:
            if name not in self.inputs:
                raise Refusal(f"the model reads no {name!r}; it reads {', '.join(self.inputs)}")
        counts = {name: len(sequences) for name, sequences in given.items()}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            found = ", ".join(f"{count} of {name}" for name, count in counts.items()) or "nothing"
            raise Refusal(f"every modality that is given needs an entry a clip; found {found}")
        nothing = [None] * max(counts.values())
        return {name: self._column(name, given.get(name, nothing)) for name in self.inputs}

    def _column(self, name: str, given: Sequence[Any]) -> Column:
        reads = self.inputs[name]
        if reads["reads"] == "features":
            return read_features(name, reads["width"], given)
        read = read_tokens if reads["reads"] == "tokens" else read_word_tokens
        return read(self.tokenizer, given)

    def _run(self, columns: dict[str, Column], batch: int) -> dict[str, np.ndarray]:
        """Batches of clips of like length, and their rows put back in order."""
        if batch < 1:
            raise Refusal(f"batch is at least 1; found {batch}")
        names = [output.name for output in self.session.get_outputs()]
        steps = np.sum([[len(sequence) for sequence in c] for c in columns.values()], axis=0)
        order = np.argsort(steps, kind="stable")
        parts = [
            self.session.run(names, self._feed(columns, order[i : i + batch].tolist()))
            for i in range(0, len(order), batch)
        ]
        back = np.argsort(order)
        return {name: np.concatenate([p[i] for p in parts])[back] for i, name in enumerate(names)}

    def _feed(self, columns: dict[str, Column], rows: list[int]) -> dict[str, np.ndarray]:
        """The graph's inputs for these clips: values and lengths of each modality."""
        feed = {}
        for name, column in columns.items():
            feed[name], feed[f"{name}_lengths"] = pad(column, rows)
        return {given.name: feed[given.name] for given in self.session.get_inputs()}


def _session(file: Path, threads: int | None) -> Any:
    options = onnxruntime.SessionOptions()
    if threads is not None:
        if threads < 1:
            raise Refusal(f"threads are at least 1; found {threads}")
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class
        raise Refusal(f"{file} cannot be run: {str(error).splitlines()[0]}") from None


def _tokenizer(file: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # tokenizers raises nothing more special
        raise Refusal(f"{file} is no tokenizer: {error}") from None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refusal(f"there is no file {path}") from None
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Refusal(f"{path} is not JSON: {error}") from None
