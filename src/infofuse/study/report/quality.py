"""Pictures of predictions on the test split: confusion, calibration, and the worst errors."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from infofuse.data.spec import DataSpec
from infofuse.study.grid import Place, System
from infofuse.study.report.comparison import colour
from infofuse.study.report.content import watermarked
from infofuse.study.report.panel import INK, Panel, blank, heat_map, legend
from infofuse.study.results import Results
from infofuse.study.table import Table, Value

BINS = 10
WORST = 10


@dataclass(frozen=True, eq=False)
class Predicted:
    """Labels (n,) of the test clips, and what each seed said, (seeds, n)."""

    ids: tuple[str, ...]
    label: Float[np.ndarray, "n"]
    said: Float[np.ndarray, "seeds n"]


def predicted(results: Results, place: Place, system: System) -> Predicted | None:
    """From the seeds' test_predictions.csv; None where a clip has several labels."""
    if results.surveys[place.name].data.outputs != 1:
        return None
    files = [run / "test_predictions.csv" for run in results.runs(place, system.name)]
    texts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    tables = [list(csv.DictReader(text.splitlines())) for text in texts]
    if not tables:
        return None
    first = tables[0]
    return Predicted(
        tuple(row["id"] for row in first),
        np.array([float(row["label"]) for row in first]),
        np.array([[float(row["prediction"]) for row in rows] for rows in tables]),
    )


def _all(results: Results) -> Iterator[tuple[Place, System, Predicted]]:
    for place in results.places:
        for system in results.on(place):
            found = predicted(results, place, system)
            if found is not None:
                yield place, system, found


def confusions(results: Results) -> Iterator[Panel]:
    """The share of each true class that was taken for each class, over all seeds."""
    for place, system, found in _all(results):
        spec = results.surveys[place.name].data
        names = _classes(spec)
        if names:
            known = np.isfinite(found.label)
            truth = _class_of(found.label[known], spec)
            said = _class_of(found.said[:, known], spec)
            name = f"confusion_{place.name}_{system.name}"
            title = f"{system.title}, {results.surveys[place.name].title}"
            yield _confusion(name, title, names, np.tile(truth, len(said)), said.ravel())


def _classes(spec: DataSpec) -> Sequence[str]:
    """The seven classes of CMU-MOSI's scale, or the classes that the data has."""
    if spec.metrics == "mosi":
        return [f"{v:+d}" if v else "0" for v in range(-3, 4)]
    return spec.classes if spec.metrics == "classification" else ()


def _class_of(values: Float[np.ndarray, "..."], spec: DataSpec) -> Int[np.ndarray, "..."]:
    if spec.metrics == "mosi":
        return np.round(np.clip(values, -3, 3)).astype(int) + 3
    return values.astype(int)


def _confusion(
    name: str,
    title: str,
    names: Sequence[str],
    truth: Int[np.ndarray, "n"],
    said: Int[np.ndarray, "n"],
) -> Panel:
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (truth, said), 1)
    share = counts / np.maximum(1, counts.sum(1, keepdims=True))
    figure, axes = blank(3.5)
    heat_map(axes, share, names, lambda v: f"{100 * v:.0f}" if v > 0 else "")
    axes.set_xlabel("predicted class, % of the true class")
    axes.set_ylabel("true class")
    words = ", ".join(f"{n} {share[i, i]:.0%}" for i, n in enumerate(names))
    return Panel(name, title, f"Found of each class: {words}", figure)


def calibrations(results: Results) -> Iterator[Panel]:
    """The mean label of clips with like predictions: on the diagonal, a score means what it says.

    Deciles of the predictions of all seeds.
    """
    for place in results.places:
        spec = results.surveys[place.name].data
        kept = [(s, p) for where, s, p in _all(results) if where == place]
        if not kept or spec.metrics in ("classification", "multilabel"):
            continue
        figure, axes = blank(3.1)
        for system, found in kept:
            x, y = _deciles(found)
            axes.plot(x, y, "o-", ms=3, lw=1.2, color=colour(results, system.name),
                      label=system.title)  # fmt: skip
        low, high = min(axes.get_xlim()[0], -0.5), max(axes.get_xlim()[1], 0.5)
        axes.plot([low, high], [low, high], color=INK, lw=0.8, ls=":")
        axes.set_xlabel("mean prediction")
        axes.set_ylabel("mean label")
        legend(figure, axes)
        title = results.surveys[place.name].title
        words = f"Mean label against mean prediction in deciles, {title}"
        yield Panel(f"calibration_{place.name}", title, words, figure)


def _deciles(found: Predicted) -> tuple[Float[np.ndarray, "_"], Float[np.ndarray, "_"]]:
    said = found.said.ravel()
    label = np.tile(found.label, len(found.said))
    known = np.isfinite(label)
    order = np.argsort(said[known], kind="stable")
    parts = [p for p in np.array_split(order, BINS) if len(p)]
    values, labels = said[known], label[known]
    return np.array([values[p].mean() for p in parts]), np.array([labels[p].mean() for p in parts])


def worst_errors(results: Results) -> Iterator[Table]:
    """For each data set, the clips on which the system that is best by validation errs most."""
    for place in results.places:
        spec = results.surveys[place.name].data
        shown = results.on(place)
        if not shown or spec.metrics == "multilabel":
            continue
        system = _best(results, place, shown)
        found = predicted(results, place, system)
        if found is not None:
            yield watermarked(results, _worst(results, place, system, found, spec))


def _best(results: Results, place: Place, shown: Sequence[System]) -> System:
    """By the mean validation score; the protocol "release" has none, and takes the first."""
    if results.peeked:
        return shown[0]
    task = results.surveys[place.name].data.task

    def regret(system: System) -> float:
        seeds = results.study.seeds
        facts = [results.found.get((place.name, system.name, seed)) for seed in seeds]
        return float(np.mean([task.regret(f["valid"]) for f in facts if f]))

    return min(shown, key=regret)


def _worst(
    results: Results, place: Place, system: System, found: Predicted, spec: DataSpec
) -> Table:
    wrong = np.abs(found.said - found.label)
    classed = spec.metrics == "classification"
    if classed:
        wrong = (wrong > 0).astype(float)
    error = np.nan_to_num(wrong.mean(0), nan=-1.0)
    words = results.surveys[place.name].words
    rows = []
    for i in np.argsort(-error, kind="stable")[:WORST]:
        clip = found.ids[i]
        label, said = found.label[i : i + 1], found.said[:, i]
        told: tuple[Value, Value] = (float(label[0]), float(said.mean()))
        if classed:
            told = (_named(label, spec), _named(said, spec))
        rows.append((clip, words.get(clip, ""), *told, float(error[i])))
    title = f"{system.title}, {results.surveys[place.name].title}"
    columns = ("clip", "words", "label", "mean prediction", "mean error")
    note = "Means over seeds."
    if classed:
        columns = ("clip", "words", "label", "answer of most", "share that errs")
        note = "Of the seeds."
    return Table(f"worst_{place.name}", title, columns, tuple(rows), note)


def _named(numbers: Float[np.ndarray, "n"], spec: DataSpec) -> str:
    """The most frequent class."""
    known = numbers[np.isfinite(numbers)].astype(int)
    return spec.classes[int(np.bincount(known).argmax())] if len(known) else "–"
