"""What a study's page says: its tables, and its verdicts in sentences.

No table holds a time but `costs`, so that the others can be compared.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from infofuse.files import number
from infofuse.metrics import METRICS
from infofuse.study.gains import ALL, differences, treatments, unit_of
from infofuse.study.grid import Cell, Place, System
from infofuse.study.published import Figure, encoder_of, figures, verdict
from infofuse.study.results import Results
from infofuse.study.statistics import elo, group_mean, rank
from infofuse.study.statistics.ranks import Ranks
from infofuse.study.table import Interval, Spread, Table, Value, text

ELO_RESAMPLES = 200
MEANS = ("epoch", "epochs", "seconds")


def tables(results: Results) -> list[Table]:
    """Every table of the study that has something to say."""
    found = [
        *(scores(results, place) for place in results.places if results.on(place)),
        gain_table(results, "differences"),
        gain_table(results, "treatments"),
        overall(results),
        *(retention(results, place) for place in results.places),
        published(results),
        trials(results),
        audits(results),
        failures(results),
        each_cell(results),
        costs(results),
    ]
    return [watermarked(results, table) for table in found if table.rows]


def watermarked(results: Results, table: Table) -> Table:
    """The table; where epochs were chosen by the test split, marked so."""
    if not results.peeked:
        return table
    return replace(
        table, title=f"[release] {table.title}", note=f"{results.warning} {table.note}".strip()
    )


def scores(results: Results, place: Place) -> Table:
    """Each system's test scores on a data set beside the floors, and what a penalty saw."""
    metrics = results.metrics(place)
    survey = results.surveys[place.name]
    seen = {s.name: results.seen(place, s.name) for s in results.on(place)}
    column = ("D seen",) if any(map(len, seen.values())) else ()
    rows: list[tuple[Value, ...]] = []
    for system in results.on(place):
        by_metric = [results.scores(place, system.name, m) for m in metrics]
        cells: list[Value] = [Spread.of(np.array(list(found.values()))) for found in by_metric]
        cells += [Spread.of(seen[system.name]) if len(seen[system.name]) else None for _ in column]
        rows.append((system.title, *cells, len(by_metric[0])))
    for name, floor in survey.floors.items():
        cells = [Spread(number(floor.get(m)), float("nan")) for m in metrics]
        rows.append((f"floor: {name}", *cells, *(None for _ in column), None))
    note = "Mean ± standard deviation over seeds."
    if column:
        note += (
            " D seen: what the statistical network of a penalty saw in the chosen epoch, in nats "
            "(of Wasserstein's, a distance of bounded samples)."
        )
    return Table(
        f"scores_{place.name}",
        f"Test scores, {survey.title}",
        ("system", *(METRICS[m].short for m in metrics), *column, "seeds"),
        tuple(rows),
        note,
        {METRICS[m].short: METRICS[m].better for m in metrics},
    )


GAINS = {
    "differences": (differences, "Gain over {baseline}"),
    "treatments": (treatments, "What each treatment gains"),
}
GAIN_COLUMNS = (
    *("data", "system", "over", "gain", "95 % interval", "p", "p Wilcoxon", "p permutation"),
    *("P better", "P equivalent", "P worse", "verdict", "n", "of"),
)


def gain_table(results: Results, name: str) -> Table:
    """The gains of that name, tested together. name: of `GAINS`."""
    judge, title = GAINS[name]
    judged = judge(results)
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            one.gain.where,
            one.gain.comparison.title,
            one.gain.comparison.over,
            Spread.of(one.gain.values),
            Interval(*one.tests.interval),
            *one.p.values(),
            one.posterior.better,
            one.posterior.equivalent,
            one.posterior.worse,
            one.verdict,
            one.tests.n,
            one.gain.unit,
        )
        for one in judged
    )
    note = (
        f"Gain in {unit_of(results)}; more is better. One system on one data set is tested over "
        "its seeds; several are tested over their means, as the seeds of one are one block. p: "
        "paired t-test, after Holm over this table, like Wilcoxon's and that of sign flips. P: "
        "Bayesian t-test with a region of practical equivalence of "
        f"±{results.study.rope:g}. Better or worse: p < .05 and P ≥ .95; equivalent: P ≥ .95. "
        f'"{ALL}" is on the scale from floor (0) to perfect (1). {results.replaced}'
    )
    heading = title.format(baseline=results.title(results.study.baseline))
    return Table(name, heading, GAIN_COLUMNS, rows, note.strip())


HALF = 0.5


def retention(results: Results, place: Place) -> Table:
    """What each system keeps of its score as one modality of half the clips or steps goes wrong."""
    metric = results.primary(place) if results.on(place) else ""
    kept: dict[str, dict[str, Spread]] = {}
    for system in results.on(place):
        curves = (results.ended.analysis(place, system) or {"curves": []})["curves"]
        of_metric = [c for c in curves if c["metric"] == metric and HALF in c["rates"]]
        if of_metric:
            kept[system.title] = {
                f"{c['modality']} {c['corruption']}": Spread.of(
                    np.array(c["retention"], float)[:, c["rates"].index(HALF)]
                )
                for c in of_metric
            }
    kinds = list(dict.fromkeys(kind for found in kept.values() for kind in found))
    rows = tuple((title, *(found.get(k) for k in kinds)) for title, found in kept.items())
    clips = {"valid": "validation", "test": "test"}[results.study.analyse_on]
    short = METRICS[metric].short if metric else ""
    return Table(
        f"retention_{place.name}",
        f"Share of the {short} kept at rate {HALF:g}, {results.surveys[place.name].title}",
        ("system", *kinds),
        rows,
        f"The score on {clips} clips as they are over that with a modality spoilt at that rate "
        "(the other way round where more is better); 1 keeps all. Mean ± standard deviation over "
        "seeds.",
        dict.fromkeys(kinds, "max"),
    )


def blocks(results: Results) -> Float[np.ndarray, "blocks k"]:
    """Normalised scores, a row for each data set and seed, a column a system; NaN if missing."""
    rows = []
    for place in (p for p in results.places if results.metrics(p)):
        by_system = [results.normalised(place, s.name) for s in results.systems]
        rows += [[found.get(seed, np.nan) for found in by_system] for seed in results.study.seeds]
    return np.array(rows, float).reshape(len(rows), len(results.systems))


def ranks(results: Results) -> Ranks | None:
    """Of the systems over the blocks that all of them have; None where there are none such."""
    scored = blocks(results)
    complete = scored[np.isfinite(scored).all(1)]
    if len(complete) < 2 or scored.shape[1] < 2:
        return None
    return rank(complete, tuple(s.title for s in results.systems))


def overall(results: Results) -> Table:
    """Every system over all data sets: normalised mean, Elo, average rank."""
    scored = blocks(results)
    if not np.isfinite(scored).any():
        return Table("overall", "", (), ())
    names = [s.name for s in results.systems]
    anchor = names.index(results.study.baseline)
    ratings = elo(scored, anchor)
    low, high = _elo_interval(scored, anchor)
    ranked = ranks(results)
    places = dict(zip(ranked.names, ranked.average, strict=True)) if ranked else {}
    rows: list[tuple[Value, ...]] = []
    for i, system in enumerate(results.systems):
        groups = [np.array(list(g.values())) for g in _by_place(results, system)]
        if groups:
            mean = group_mean(groups)
            rows.append(
                (
                    system.title,
                    mean.mean,
                    Interval(*mean.interval),
                    round(float(ratings[i])),
                    Interval(round(float(low[i])), round(float(high[i]))),
                    places.get(system.title),
                    mean.groups,
                )
            )
    columns = ("system", "normalised", "95 % interval", "Elo", "Elo 95 %", "mean rank", "data sets")
    note = (
        "Normalised: 0 is the constant predictor, 1 a perfect one, the mean over data sets. Elo: "
        f"Bradley-Terry over all pairs, {results.title(names[anchor])} at 1000; a worse newcomer "
        "moves nobody. Ranks are over the data sets and seeds that all systems have. "
        f"{results.replaced}"
    ).strip()
    best = {"normalised": "max", "Elo": "max", "mean rank": "min"}
    return Table("overall", "Over all data sets", columns, tuple(rows), note, best)  # type: ignore[arg-type]


def _by_place(results: Results, system: System) -> Iterator[dict[int, float]]:
    for place in results.places:
        found = results.normalised(place, system.name) if results.metrics(place) else {}
        if found:
            yield found


def _elo_interval(
    scored: Float[np.ndarray, "blocks k"], anchor: int
) -> tuple[Float[np.ndarray, "k"], Float[np.ndarray, "k"]]:
    """95 % percentiles over blocks drawn anew."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(scored), (ELO_RESAMPLES, len(scored)))
    low, high = np.quantile([elo(scored[d], anchor) for d in draws], [0.025, 0.975], axis=0)
    return low, high


def published(results: Results) -> Table:
    """Published scores beside ours, where the words were read by the same class of encoder."""
    rows: list[tuple[Value, ...]] = []
    for place in results.places:
        dataset, _, split = results.surveys[place.name].published.partition("/")
        for system in results.on(place):
            for figure in figures(dataset) if dataset else ():
                same = (figure.paper, figure.split) == (system.tables["paper"], split)
                if same and system.published and not system.tables["plus"]:
                    rows += _beside(results, place, system, figure)
    columns = (
        *("data", "system", "published as", "metric", "published", "ours", "verdict"),
        *("our words", "their words", "source"),
    )
    note = (
        "Reached: our mean is as good. Within spread: it is not, by at most our standard "
        "deviation. Where another encoder reads the words, nothing is said. Modalities and "
        "protocols differ too: see the sources."
    )
    return Table("published", "Paper and ours", columns, tuple(rows), note)


def _beside(
    results: Results, place: Place, system: System, figure: Figure
) -> Iterator[tuple[Value, ...]]:
    survey = results.surveys[place.name]
    cell = Cell(place, system, results.study.seeds[0])
    ours = encoder_of(results.ended.recipe(cell, results.trial(place, system)), survey.data)
    for metric, score in figure.scores.items():
        values = np.array(list(results.scores(place, system.name, metric).values()))
        if not len(values):
            continue
        said = verdict(score, values, metric) if ours == figure.encoder else "not compared"
        yield (
            place.name,
            system.title,
            figure.title,
            METRICS[metric].short,
            score,
            Spread.of(values),
            said,
            ours,
            figure.encoder,
            figure.source,
        )


def trials(results: Results) -> Table:
    """What tuning chose."""
    rows = [
        (place.name, system.title, number + 1, " ".join(system.trials[number]))
        for place in results.places
        for system in results.on(place)
        if (number := results.trial(place, system)) is not None
    ]
    budget = results.study.tune.trials if results.study.tune else 0
    note = f"The best of {budget} trials by validation, as many for every row that is tuned."
    return Table("trials", "Tuning", ("data", "system", "trial", "choices"), tuple(rows), note)


def audits(results: Results) -> Table:
    """What the audit found of each data set before anything was trained."""
    rows = [
        (place.name, finding["severity"], finding["check"], finding["what"])
        for place in results.places
        for finding in results.surveys[place.name].findings
    ]
    return Table(
        "audit", "Audit of the data", ("data", "severity", "check", "finding"), tuple(rows)
    )


def failures(results: Results) -> Table:
    """Cells that could not be run."""
    rows = tuple(results.failures.items())
    return Table("failures", "Cells that failed", ("cell", "why"), rows)


def each_cell(results: Results) -> Table:
    """Every score of every cell."""
    rows = [
        (place, results.title(system), seed, split, metric, number(value))
        for (place, system, seed), facts in results.found.items()
        for split in ("valid", "test")
        for metric, value in facts.get(split, {}).items()
    ]
    columns = ("data", "system", "seed", "split", "metric", "score")
    return Table("cells", "Every cell", columns, tuple(rows))


def costs(results: Results) -> Table:
    """What the cells cost, and how often the test split was opened."""
    rows: list[tuple[Value, ...]] = []
    for place in results.places:
        for system in results.on(place):
            keys = ((place.name, system.name, seed) for seed in results.study.seeds)
            facts = [results.found[key] for key in keys if key in results.found]
            means = [round(float(np.mean([f[k] for f in facts])), 2) for k in MEANS]
            opened = max(f["test_openings"] for f in facts)
            rows.append((place.name, system.title, facts[0]["parameters"], *means, opened))
    columns = (
        "data", "system", "parameters", "best epoch", "epochs", "seconds", "test openings",
    )  # fmt: skip
    note = "Means over seeds; openings of the test split: the most of a cell."
    return Table("costs", "Costs", columns, tuple(rows), note, digits=1)


def summary(results: Results) -> str:
    """What the command line says: the primary score of each system on each data set."""
    lines = [f"{results.study.title}: {len(results.found)} of {results.total} cells"]
    lines += [results.warning] if results.peeked else []
    for place in (p for p in results.places if results.on(p)):
        metric = results.primary(place)
        lines += ["", f"{results.surveys[place.name].title}, test {METRICS[metric].short}"]
        for system in results.on(place):
            values = np.array(list(results.scores(place, system.name, metric).values()))
            lines.append(f"  {system.title:<40.40} {text(Spread.of(values))}")
    lines += [f"failed: {name}: {why}" for name, why in results.failures.items()]
    return "\n".join(lines)
