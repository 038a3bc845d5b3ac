"""How much better one system is than another, seed by seed: tables of gains, tested together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
from jaxtyping import Float

from infofuse.files import number
from infofuse.metrics import METRICS
from infofuse.study.grid import Place
from infofuse.study.results import Results
from infofuse.study.spec import with_penalties
from infofuse.study.statistics import compare, holm, rope
from infofuse.study.table import Interval, Spread, Table, Value

ALL = "all data"
SIGNIFICANT = 0.05
COLUMNS = (
    *("data", "system", "gain", "95 % interval", "p Wilcoxon", "p permutation"),
    *("P better", "P equivalent", "P worse", "verdict", "pairs"),
)
NOTE = (
    "seed by seed; more is better. Bootstrap interval (BCa). P: Bayesian t-test with a region of "
    "practical equivalence of ±{rope:g}. "
    f'"{ALL}" is on the scale from floor (0) to perfect (1). p after Holm over this table.'
)


@dataclass(frozen=True)
class Comparison:
    """What a row of the table compares. pairs: of systems, each with the one to be better than."""

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Gain:
    """The gains of a comparison on a data set. width: of equivalence. rho: how pairs correlate."""

    where: str
    title: str
    values: Float[np.ndarray, "n"]
    width: float
    rho: float


def differences(results: Results) -> Table:
    """Each system beside the baseline, seed by seed, on each data set and over all."""
    base = results.study.baseline
    compared = [Comparison(s.title, ((s.name, base),)) for s in results.systems if s.name != base]
    title = f"Gain over {results.title(base)}"
    return _table(results, "differences", title, title, compared)


def penalties(results: Results) -> Table:
    """Each row with a penalty beside the row by itself, and each penalty over all of its rows."""
    by_penalty: dict[str, list[Comparison]] = {name: [] for name in results.study.penalties}
    for row in results.study.rows:
        for system, penalty in with_penalties(results.study, row).items():
            if penalty is not None:
                one = Comparison(results.title(system), ((system, row),))
                by_penalty[penalty].append(one)
    compared = []
    for name, each in by_penalty.items():
        compared += each
        if len(each) > 1:
            title = f"all rows + {results.study.penalties[name].title or name}"
            compared.append(Comparison(title, tuple(one.pairs[0] for one in each)))
    title = "What each penalty gains"
    return _table(results, "penalties", title, "Gain over the same row without it", compared)


def _table(
    results: Results, name: str, title: str, what: str, compared: Sequence[Comparison]
) -> Table:
    gains = list(_gains(results, compared))
    found = [compare(gain.values) for gain in gains]
    tests = ("wilcoxon", "permutation")
    corrected = [holm(np.array([getattr(p, test) for p in found])) for test in tests]
    rows: list[tuple[Value, ...]] = []
    for i, gain in enumerate(gains):
        judged = rope(gain.values, gain.width, gain.rho)
        rows.append(
            (
                gain.where,
                gain.title,
                Spread.of(gain.values),
                Interval(*found[i].interval),
                *(float(c[i]) for c in corrected),
                judged.better,
                judged.equivalent,
                judged.worse,
                judged.verdict if found[i].n > 1 else None,
                found[i].n,
            )
        )
    compared_by = {METRICS[results.primary(place)].short for place in results.places}
    metric = "each data set's metric" if len(compared_by) > 1 else "".join(compared_by)
    note = f"{what} in {metric}, {NOTE.format(rope=results.study.rope)} {_enough(len(rows))}"
    return Table(name, title, COLUMNS, tuple(rows), f"{note} {results.replaced}".strip())


def _enough(comparisons: int) -> str:
    """How many pairs a row needs, as Holm multiplies the least p, 2^(1 - n), by the rows."""
    pairs = next(n for n in count(2) if comparisons * 2.0 ** (1 - n) < SIGNIFICANT)
    return f"The least p here can be below {SIGNIFICANT:g} only in a row of {pairs} pairs or more."


def _gains(results: Results, compared: Sequence[Comparison]) -> Iterator[Gain]:
    """On each data set, then over all of them on the scale from floor to perfect."""
    for place in results.places:
        for one in compared:
            found = _of_pairs(results.gains, place, one)
            if found and (len(found) > 1 or len(one.pairs) == 1):  # of one row, "all" says it again
                values = np.concatenate(found)
                yield Gain(place.name, one.title, values, results.study.rope, 0.0)
    rho = _overlap(results)
    for one in compared if len(results.places) > 1 else ():
        by_place = {p: _of_pairs(results.normalised_gains, p, one) for p in results.places}
        widths = [_equivalence(results, place) for place, found in by_place.items() if found]
        if len(widths) > 1:
            values = np.concatenate(list(chain.from_iterable(by_place.values())))
            yield Gain(ALL, one.title, values, float(np.mean(widths)), rho)


def _of_pairs(
    gains: Callable[[Place, str, str], Float[np.ndarray, "_"]], place: Place, one: Comparison
) -> list[Float[np.ndarray, "n"]]:
    """The gains of each pair of systems that ran there."""
    return [found for pair in one.pairs if len(found := gains(place, *pair))]


def _equivalence(results: Results, place: Place) -> float:
    """The region of equivalence on the scale from floor to perfect."""
    metric = results.primary(place)
    low, high = METRICS[metric].ends(number(results.surveys[place.name].floor.get(metric)))
    return results.study.rope / abs(high - low)


def _overlap(results: Results) -> float:
    """The share of test clips, where random divisions share clips; 0 where none do."""
    divided = [results.surveys[p.name].clips for p in results.places if p.split != "given"]
    return max((c["test"] / sum(c.values()) for c in divided), default=0.0)
