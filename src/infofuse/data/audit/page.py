"""An audit as one page of HTML that needs nothing else: no script, no picture, no other file."""

from collections.abc import Sequence
from html import escape

import numpy as np

from infofuse import html
from infofuse.data.audit import Audit
from infofuse.data.audit.leak import Skill
from infofuse.data.describe import Column, LabelColumn

_STYLE = """
.severity { font-weight: 600; padding: 0 .4rem; border: 1px solid; border-radius: .2rem; }
.error { color: light-dark(#a40000, #ff9a8d); } .warning { color: light-dark(#7a4b00, #f0b860); }
.note { color: light-dark(#3a4a5a, #b8c4d0); }
"""


def page(audit: Audit) -> str:
    """The page. Whatever comes from the data is escaped."""
    d = audit.description
    verdict = "No errors were found." if audit.passed else "Errors were found."
    body = [
        f"<h1>{escape(d.name)}: can it be trusted?</h1>",
        f"<p>{verdict} It {escape(d.likeness.sentence())}. Fingerprint "
        f"<code>{escape(d.fingerprint)}</code>.</p>",
        "<h2>Findings</h2>",
        _findings(audit),
        "<h2>Clips</h2>",
        html.table(["", *d.clips], [["clips", *d.clips.values()], ["groups", *d.groups.values()]]),
        "<h2>Lengths, in steps</h2>",
        _lengths(d.columns),
        "<h2>What a linear probe reads of the label</h2>",
        _skills(audit.skills),
        "<h2>Labels</h2>",
        *(_histogram(k, label) for k, label in enumerate(d.labels)),
    ]
    return html.page(f"Audit of {d.name}", body, _STYLE)


def _findings(audit: Audit) -> str:
    return html.listing(
        f'<span class="severity {f.severity}">{f.severity}</span> {escape(f.check)}: '
        f"{escape(f.what)}.{html.listing(f'<code>{escape(e)}</code>' for e in f.examples)}"
        for f in audit.findings
    )


def _lengths(columns: dict[str, Column]) -> str:
    rows = []
    for name, column in columns.items():
        n = column.lengths
        cells = [n.min, n.median, n.p95, n.max] if n else ["–"] * 4
        rows.append([name, column.width, sum(column.clips.values()), *cells])
    return html.table(["", "width", "clips with it", "least", "median", "95 %", "most"], rows)


def _skills(skills: Sequence[Skill]) -> str:
    if not skills:
        return "<p>Too few clips, or no features.</p>"
    splits = list(dict.fromkeys(split for skill in skills for split in skill.splits))
    rows = []
    for skill in skills:
        r = [f"{np.tanh(skill.splits[s][0]):.2f}" if s in skill.splits else "–" for s in splits]
        tau = "{:.2f} [{:.2f}, {:.2f}]".format(*skill.tau) if skill.tau else "–"
        rows.append([skill.modality, *r, tau])
    table = html.table(["", *(f"r, {s}" for s in splits), "deviation among videos"], rows)
    return (
        f"{table}<p>r: correlation of the out-of-fold prediction with the label, within a video "
        "where videos are named. Deviation: of Fisher's z among the videos of a split, with its "
        "99 % interval; a network that was trained on the labels of some videos shows here.</p>"
    )


def _histogram(k: int, label: LabelColumn) -> str:
    if not label.known:
        return f"<p>Label {k + 1}: unknown for every clip.</p>"
    step, most = 480 / len(label.counts), max(label.counts)
    bars = "".join(
        f'<rect x="{i * step + 1:.1f}" y="{120 - 120 * n / most:.1f}" '
        f'width="{step - 2:.1f}" height="{120 * n / most:.1f}"><title>{n}</title></rect>'
        for i, n in enumerate(label.counts)
    )
    return (
        f"<p>Label {k + 1}: from {label.min:g} to {label.max:g}, mean {label.mean:.3g}, "
        f"{label.known:,} known.</p>"
        '<svg role="img" aria-label="histogram" width="480" height="120" '
        f'viewBox="0 0 480 120" fill="#3a6ea5">{bars}</svg>'
    )
