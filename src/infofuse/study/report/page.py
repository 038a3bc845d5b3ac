"""A study as one page that needs nothing else, and its tables and figures as files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from infofuse import html
from infofuse.files import replacing, write_text
from infofuse.study.report.behaviour import dependence_maps, robustness_curves
from infofuse.study.report.comparison import critical_difference, forests, learning_curves
from infofuse.study.report.content import GAINS, ranks, tables
from infofuse.study.report.panel import Panel
from infofuse.study.report.quality import calibrations, confusions, worst_errors
from infofuse.study.results import Results
from infofuse.study.table import Table, Value, key, text, to_csv, to_latex, to_markdown

STYLE = """
h2 { margin-top: 2.5rem; border-bottom: 2px solid var(--line); }
h3 { margin: 1.5rem 0 .3rem; font-size: 1.05rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 1rem 0; }
a { color: inherit; }
.note { font-size: .88rem; opacity: .85; margin-top: 0; }
table { font-size: .9rem; margin: .4rem 0; }
.best { font-weight: 700; }
.panels { display: grid; gap: 1.5rem;
          grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr)); }
figure { margin: 0; break-inside: avoid; } figure svg { width: 100%; height: auto; display: block; }
figcaption { font-size: .9rem; font-weight: 600; margin-bottom: .3rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
.facts dt { font-weight: 600; } .facts dd { margin: 0; overflow-wrap: anywhere; }
.peeked { background: #b3261e; color: #fff; padding: .6rem 1rem; max-width: none;
          position: sticky; top: 0; z-index: 2; }
@media (max-width: 40rem) { .facts { grid-template-columns: 1fr; } }
@media print {
  nav { display: none; } h2, h3 { break-after: avoid; }
  .panels { grid-template-columns: repeat(2, 1fr); }
}
"""
LONG = 24
"""Text of more letters than this is broken into lines."""


@dataclass(frozen=True)
class Section:
    """A heading, what it says, and its tables and panels."""

    title: str
    words: str
    tables: Sequence[Table] = ()
    panels: Sequence[Panel] = ()


def report(results: Results, page: Path) -> None:
    """Write the page, and every table and figure below `report` in the study's folder.

    Of a study that has none, as its record is all that there is, below `report` beside the page.
    """
    folder = (results.ended.out or page.parent) / "report"
    sections = [s for s in _sections(results) if s.tables or s.panels]
    if results.peeked:
        sections = [replace(s, panels=[p.peeked() for p in s.panels]) for s in sections]
    with replacing(folder) as new:
        new.mkdir()
        for table in [t for s in sections for t in s.tables]:
            _write_table(table, new / "tables")
        for panel in [p for s in sections for p in s.panels]:
            _write_panel(panel, new / "figures")
    write_text(
        page, html.page(results.study.title, _body(results, sections), html.BIG_TABLES + STYLE)
    )


def _sections(results: Results) -> Iterator[Section]:
    every = {table.name: table for table in tables(results)}
    ranked = ranks(results)
    clips = {"valid": "validation", "test": "test"}[results.study.analyse_on]
    named = [t for name, t in every.items() if name.startswith("scores_")]
    yield Section("Scores", "Test scores of every system, and of floors to be above.", named)
    headings = {
        "differences": ("Differences", "How much better each row is than the baseline."),
        "treatments": ("Treatments", "How much better a row is with a treatment than without."),
    }
    for name, (heading, words) in headings.items():
        yield Section(
            heading,
            f"{words} In the figures, the grey band is the region of practical equivalence.",
            [every[name]] if name in every else [],
            list(forests(results, name, GAINS[name][0](results))) if name in every else [],
        )
    yield Section(
        "Over all data sets",
        "Systems that a bar joins do not differ by Nemenyi's test. Blocks of one data set tell of "
        "other seeds on it, not of other data.",
        [every[name] for name in ("overall",) if name in every],
        [critical_difference(ranked)] if ranked else [],
    )
    yield Section("Paper and ours", "", [every[n] for n in ("published",) if n in every])
    yield Section(
        "Learning curves",
        "Mean over the seeds that still train; the band is one standard deviation to either side.",
        panels=list(learning_curves(results)),
    )
    yield Section(
        "Calibration",
        "Mean label of test clips with like predictions (deciles over all seeds). On the dotted "
        "line a score means what it says.",
        panels=list(calibrations(results)),
    )
    yield Section(
        "Confusion",
        "Test clips of each true class by predicted class, over all seeds.",
        panels=list(confusions(results)),
    )
    yield Section(
        "Robustness",
        f"Scores on {clips} clips as one modality goes wrong.",
        [table for name, table in every.items() if name.startswith("retention_")],
        panels=list(robustness_curves(results)),
    )
    yield Section(
        "Dependence of views",
        f"Debiased linear CKA of every two views on {clips} clips, mean over seeds: 0 if they "
        "have nothing to do with each other, 1 if they are alike.",
        panels=list(dependence_maps(results)),
    )
    yield Section(
        "Worst errors",
        "Test clips on which the system that is best by validation errs most.",
        list(worst_errors(results)),
    )
    yield Section(
        "Protocol",
        "What the audit said of the data before anything was trained, and what cells cost.",
        [every[n] for n in ("failures", "trials", "audit", "costs", "cells") if n in every],
    )


def _body(results: Results, sections: Sequence[Section]) -> Iterator[str]:
    if results.peeked:
        yield f'<p class="peeked" role="alert">{escape(results.warning)}</p>'
    yield f"<h1>{escape(results.study.title)}</h1>"
    yield f'<dl class="facts">{"".join(_facts(results))}</dl>'
    links = (f'<a href="#{_anchor(s.title)}">{escape(s.title)}</a>' for s in sections)
    yield f"<nav>{''.join(links)}</nav>"
    for section in sections:
        yield f'<section id="{_anchor(section.title)}"><h2>{escape(section.title)}</h2>'
        yield f"<p>{escape(section.words)}</p>" if section.words else ""
        yield from map(_table, (t for t in section.tables if t.name != "cells"))
        if section.panels:
            yield f'<div class="panels">{"".join(p.html() for p in section.panels)}</div>'
        yield "</section>"
    yield html.SORT


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _facts(results: Results) -> Iterator[str]:
    study = results.study
    selection = "the test split (protocol release)" if results.peeked else "validation alone"
    facts = {
        "Cells": f"{len(results.found)} of {results.total} finished"
        + (f", {len(results.failures)} failed" if results.failures else ""),
        "Seeds": ", ".join(map(str, study.seeds)),
        "Epochs chosen by": selection,
        "Tuning": f"{study.tune.trials} trials for each tuned row" if study.tune else "none",
        "Data": "; ".join(
            f"{s.title}: "
            + ", ".join(f"{name} {count:,}" for name, count in s.clips.items())
            + f" clips, fingerprint {s.fingerprint[:12]}"
            for s in results.surveys.values()
        ),
    }
    for name, value in facts.items():
        yield f"<dt>{name}</dt><dd>{escape(value)}</dd>"


def _table(table: Table) -> str:
    winners = table.winners()
    texts = [any(isinstance(row[j], str) for row in table.rows) for j in range(len(table.columns))]
    head = "".join(
        f"<th{' class=text' if is_text else ''}><button>{escape(column)}</button></th>"
        for column, is_text in zip(table.columns, texts, strict=True)
    )
    rows = (
        f"<tr>{''.join(_cell(v, table.digits, (i, j) in winners) for j, v in enumerate(row))}</tr>"
        for i, row in enumerate(table.rows)
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<h3>{escape(table.title)}</h3><div class="wide" tabindex="0"><table><thead><tr>{head}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{note}"
    )


def _cell(value: Value, digits: int, best: bool) -> str:
    said = escape(text(value, digits))
    if isinstance(value, str):
        return f'<td class="text{" long" if len(value) > LONG else ""}">{said}</td>'
    by = key(value)
    sorting = "" if by != by else f' data-key="{by}"'
    return f"<td{' class=best' if best else ''}{sorting}>{said}</td>"


def _write_table(table: Table, folder: Path) -> None:
    write_text(folder / f"{table.name}.csv", to_csv(table))
    if table.name != "cells":
        write_text(folder / f"{table.name}.md", to_markdown(table))
        write_text(folder / f"{table.name}.tex", to_latex(table))


def _write_panel(panel: Panel, folder: Path) -> None:
    write_text(folder / f"{panel.name}.svg", panel.svg)
    with replacing(folder / f"{panel.name}.png") as new:
        new.write_bytes(panel.png())
