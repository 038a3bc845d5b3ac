"""How much better one system is than another, block by block, and what may be said of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from infofuse.files import number
from infofuse.metrics import METRICS
from infofuse.study.grid import Place
from infofuse.study.results import Results
from infofuse.study.spec import treated, with_treatment
from infofuse.study.statistics import (
    Paired,
    Rope,
    Verdict,
    compare,
    holm,
    rope,
    verdict,
)

ALL = "all data"
TESTS = ("t", "wilcoxon", "permutation")


@dataclass(frozen=True)
class Comparison:
    """What is compared. over: what with. pairs: of systems, each with the one to be better than.

    name: for links, such as "mmim-over-none". label: its title where `over` is not beside it.
    """

    name: str
    title: str
    over: str
    pairs: tuple[tuple[str, str], ...]
    label: str


@dataclass(frozen=True)
class Gain:
    """The gains of a comparison on a data set, or over all of them.

    values: one for each block's seed, or one for each block where there are several: `unit` says
    which. width: of equivalence. rho: how the values correlate.
    """

    where: str
    comparison: Comparison
    values: Float[np.ndarray, "n"]
    unit: str
    width: float
    rho: float


@dataclass(frozen=True)
class Judged:
    """A gain beside its tests. p: by the name of a test, after Holm over all of the table."""

    gain: Gain
    tests: Paired
    p: dict[str, float]
    posterior: Rope
    verdict: Verdict

    @property
    def anchor(self) -> str:
        """What links to it: its place and its comparison."""
        name = f"{self.gain.where}-{self.gain.comparison.name}"
        return "".join(c if c.isalnum() else "-" for c in name.lower())


def differences(results: Results) -> list[Judged]:
    """Each row beside the baseline, on each data set and over all.

    A row with a treatment is beside its own row instead (`treatments`), unless the baseline is such
    a one.
    """
    base = results.study.baseline
    rows_alone = base in results.study.rows
    beside = [s for s in results.systems if s.name != base and (s.name == s.row or not rows_alone)]
    return judge(results, [_single(results, s.name, base) for s in beside])


def treatments(results: Results) -> list[Judged]:
    """Each row with a treatment beside the row by itself, and each treatment over all its rows.

    So too beside the row with the treatment that a treatment is to be compared with (`over`).
    """
    compared: list[Comparison] = []
    for name, treatment in results.study.treatments.items():
        compared += _of_treatment(results, name, "")
        compared += _of_treatment(results, name, treatment.over) if treatment.over else []
    return judge(results, compared)


def _of_treatment(results: Results, name: str, over: str) -> list[Comparison]:
    study = results.study
    title = {key: one.title or key for key, one in study.treatments.items()}
    beside = f" (over {title[over]})" if over else ""
    each = []
    for row in study.rows:
        system, base = with_treatment(row, name), with_treatment(row, over) if over else row
        if {system, base} <= treated(study, row).keys():
            each.append(_single(results, system, base, beside))
    if len(each) > 1:
        said = f"all rows, {title[name]}"
        without = f"all rows, {title[over]}" if over else "all rows without it"
        pairs = tuple(one.pairs[0] for one in each)
        link = f"all-rows-{name}-over-{over or 'row'}"
        each.append(Comparison(link, said, without, pairs, f"{said}{beside}"))
    return each


def _single(results: Results, system: str, base: str, beside: str = "") -> Comparison:
    title = results.title(system)
    name = f"{system}-over-{base}"
    return Comparison(name, title, results.title(base), ((system, base),), f"{title}{beside}")


def judge(results: Results, compared: Sequence[Comparison]) -> list[Judged]:
    """What may be said of each comparison, by `infofuse.study.statistics.verdict`."""
    gains = list(_gains(results, compared))
    tests = [compare(gain.values, gain.rho) for gain in gains]
    corrected = {name: holm(np.array([getattr(t, name) for t in tests])) for name in TESTS}
    found = []
    for i, (gain, test) in enumerate(zip(gains, tests, strict=True)):
        posterior = rope(gain.values, gain.width, gain.rho)
        p = {name: float(values[i]) for name, values in corrected.items()}
        found.append(Judged(gain, test, p, posterior, verdict(p["t"], posterior)))
    return found


def unit_of(results: Results) -> str:
    """The metric that gains are in, in words."""
    short = {METRICS[results.primary(place)].short for place in results.places}
    return "each data set's metric" if len(short) > 1 else "".join(short)


def _gains(results: Results, compared: Sequence[Comparison]) -> Iterator[Gain]:
    """On each data set, then over all of them on the scale from floor to perfect."""
    for place in results.places:
        for one in compared:
            blocks = _of_pairs(results.gains, place, one)
            if blocks and (len(blocks) > 1 or len(one.pairs) == 1):  # of one row "all" is nothing
                values, unit = _units(blocks, "rows")
                yield Gain(place.name, one, values, unit, results.study.rope, 0.0)
    rho = _overlap(results)
    for one in compared if len(results.places) > 1 else ():
        by_place = {p: _of_pairs(results.normalised_gains, p, one) for p in results.places}
        widths = [_equivalence(results, place) for place, found in by_place.items() if found]
        if len(widths) > 1:
            blocks = [block for found in by_place.values() for block in found]
            values, _ = _units(blocks, "")
            unit = "data sets" if len(one.pairs) == 1 else "rows on data sets"
            yield Gain(ALL, one, values, unit, float(np.mean(widths)), rho)


def _units(
    blocks: Sequence[Float[np.ndarray, "_"]], several: str
) -> tuple[Float[np.ndarray, "n"], str]:
    """The seeds of one block, or the means of several: what a claim is tested over."""
    if len(blocks) == 1:
        return blocks[0], "seeds"
    return np.array([block.mean() for block in blocks]), several


def _of_pairs(
    gains: Callable[[Place, str, str], Float[np.ndarray, "_"]], place: Place, one: Comparison
) -> list[Float[np.ndarray, "_"]]:
    """The gains of each pair of systems that ran there: a block each."""
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
