"""A study as a page of Markdown and the record beside it: what a repository keeps of a study."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from infofuse.files import write_text
from infofuse.metrics import METRICS
from infofuse.study.gains import ALL, Judged
from infofuse.study.record import write_record
from infofuse.study.report.comparison import forests
from infofuse.study.report.content import GAINS, tables
from infofuse.study.report.panel import Panel
from infofuse.study.results import Results
from infofuse.study.table import Spread, text, to_markdown

LEFT_OUT = {"cells"}
"""Tables that are in the record alone."""
RULE = (
    "Better or worse: p < .05 by a paired t-test, after Holm's correction for the number of "
    "comparisons, and a posterior probability of 95 % that the gain is beyond ±{rope:g}, what "
    "matters in practice. Equivalent: 95 % that it is within. Undecided: no detectable effect, "
    "though more seeds might show one. The seeds of one system on one data set are one block; what "
    "is said of several blocks is tested over their means."
)


def record_of(page: Path) -> Path:
    """Where the record of a page of Markdown is: beside it, such as `mmim.jsonl` by `mmim.md`."""
    return page.with_suffix(".jsonl")


def write_markdown(results: Results, page: Path, command: str) -> None:
    """Write the page, its picture and its record. command: the one by which it is made."""
    drawn, picture = _picture(results), page.with_suffix(".svg")
    if drawn is not None:
        svg = (drawn.peeked() if results.peeked else drawn).svg
        write_text(picture, svg.replace("<svg", '<svg style="background: #fff"', 1))
    write_record(results.lines(), record_of(page))
    write_text(page, markdown(results, command, picture.name if drawn else ""))


def _picture(results: Results) -> Panel | None:
    """What single rows gain on the first data set: by treatments, or over the baseline."""
    for name in ("treatments", "differences"):
        alone = [
            one
            for one in GAINS[name][0](results)
            if len(pairs := one.gain.comparison.pairs) == 1
            and (name == "differences" or pairs[0][1] in results.study.rows)
        ]
        for panel in forests(results, name, alone):
            return panel
    return None


def markdown(results: Results, command: str, picture: str = "") -> str:
    """The page as text. picture: the file of its picture, beside it."""
    parts = filter(None, (part.strip() for part in _parts(results, command, picture)))
    return "\n\n".join(parts) + "\n"


def _parts(results: Results, command: str, picture: str) -> Iterator[str]:
    study = results.study
    yield f"# {study.title}"
    if results.peeked:
        yield f"**{results.warning}**"
    made = [f"    {source.made_by}" for source in study.data.values() if source.made_by]
    yield "Made by\n\n" + "\n".join([*made, f"    {command}"])
    yield (
        f"{len(results.found)} of {results.total} cells are finished. The command runs those that "
        "are not, and takes the others from the record beside this page."
    )
    yield study.about
    for source in study.data.values():
        if source.about:
            yield f"**{source.title}.** {source.about.strip()}"
    yield "## What it says"
    yield RULE.format(rope=study.rope)
    for judge, title in GAINS.values():
        judged = judge(results)
        if judged:
            yield f"### {title.format(baseline=results.title(study.baseline))}"
            yield from _verdicts(results, judged)
    yield study.notes
    if picture:
        yield f"![Gains with their intervals.]({picture})"
    yield "## Tables"
    for table in tables(results):
        if table.name not in LEFT_OUT:
            yield to_markdown(table)
    yield "## Versions"
    yield "\n".join(f"* {line}" for line in _versions(results))


def _verdicts(results: Results, judged: Sequence[Judged]) -> Iterator[str]:
    """For each data set a line for each that is better or worse, and one for those that are not."""
    for where in dict.fromkeys(one.gain.where for one in judged):
        there = [one for one in judged if one.gain.where == where]
        title = "All data" if where == ALL else results.surveys[where].title
        lines = [f"* {_sentence(results, one)}" for one in there if one.verdict in WORDS]
        for verdict in ("equivalent", "undecided"):
            these = [_listed(results, one) for one in there if one.verdict == verdict]
            lines += [f"* {verdict.capitalize()}: {'; '.join(these)}."] if these else []
        yield "\n".join([f"**{title}**", "", *lines])


WORDS = {"better": "better than", "worse": "worse than"}


def _sentence(results: Results, one: Judged) -> str:
    """Such as "MMIM is better than Self-MM: +0.051 ± 0.020 MAE, p = .021."."""
    comparison = one.gain.comparison
    said = f"**{comparison.title}** is **{WORDS[one.verdict]}** {comparison.over}"
    return f'<a id="{one.anchor}"></a>{said}: {_numbers(results, one)}.'


def _listed(results: Results, one: Judged) -> str:
    comparison = one.gain.comparison
    said = f"{comparison.title} over {comparison.over}"
    return f'<a id="{one.anchor}"></a>{said} ({_numbers(results, one)})'


def _numbers(results: Results, one: Judged) -> str:
    """The gain, its p, and what it is tested over where that is not seeds."""
    place = next((p for p in results.places if p.name == one.gain.where), None)
    unit = METRICS[results.primary(place)].short if place else "normalised"
    spread = Spread.of(one.gain.values)
    sd = f" ± {spread.sd:.3f}" if one.tests.n > 1 else ""
    over = "" if one.gain.unit == "seeds" else f", over {one.tests.n} {one.gain.unit}"
    return f"{spread.mean + 0.0:+.3f}{sd} {unit}{over}, p = {text(one.p['t'])}"


def _versions(results: Results) -> list[str]:
    """What the cells were run with, each once, with how many of them were."""
    count: dict[str, int] = {}
    for line in results.lines():
        if line["kind"] == "cell":
            said = ", ".join(f"{k} {v}" for k, v in line.get("versions", {}).items())
            count[said] = count.get(said, 0) + 1
    return [f"{cells} cells: {said or 'not known'}" for said, cells in count.items()]
