"""Pages of HTML that need nothing else: no script from elsewhere, no picture, no other file."""

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1c1d; --paper: #fff; --line: #ddd; --soft: #f4f5f7; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: var(--ink); background: var(--paper); }
h1 { line-height: 1.2; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; vertical-align: top; }
th:first-child, td:first-child, .text { text-align: left; }
tr { border-bottom: 1px solid var(--line); }
li { margin: .5rem 0; }
code { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e7e7; --paper: #16181b; --line: #3a3d42; --soft: #24272b; }
}
"""

BIG_TABLES = """
body { max-width: 84rem; } p { max-width: 46rem; }
table { font-variant-numeric: tabular-nums; }
td { white-space: nowrap; } td.text.long { white-space: normal; min-width: 14rem; }
tbody tr:hover, tbody tr:focus-within { background: var(--soft); }
th { vertical-align: bottom; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); }
td:first-child { white-space: normal; min-width: 7rem; max-width: min(18rem, 45vw);
                 overflow-wrap: break-word; }
th button { font: inherit; font-weight: 600; background: none; border: 0; padding: 0;
            color: inherit; text-align: inherit; cursor: pointer;
            text-decoration: underline dotted; }
th[aria-sort=ascending] button::after { content: " ▲"; }
th[aria-sort=descending] button::after { content: " ▼"; }
@media (max-width: 40rem) { body { margin: 1rem auto; } }
@media print {
  body { max-width: none; margin: 0; font-size: 11px; } .wide { overflow: visible; }
  td { white-space: normal; } th button { text-decoration: none; }
}
"""
"""A style for wide tables whose headings are buttons (see `SORT`); the first column stays in sight,
and cells of the classes "text long" break into lines."""

SORT = """
<script>
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const cell = button.closest("th"), body = cell.closest("table").tBodies[0];
    const column = cell.cellIndex, down = cell.getAttribute("aria-sort") === "ascending";
    const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent;
    const compare = (a, b) =>
      isNaN(key(a) - key(b)) ? key(a).localeCompare(key(b)) : key(a) - key(b);
    const rows = [...body.rows].sort((a, b) => down ? compare(b, a) : compare(a, b));
    for (const other of cell.parentNode.cells) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  });
}
</script>
"""
"""Sorts a table with a thead by the heading that is pressed: by data-key, or else by text."""


def page(title: str, body: Iterable[str], style: str = "") -> str:
    """A whole page; the title is escaped here, the body is HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def table(heading: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table of text, all of it escaped."""

    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    return f"<table>{line(heading, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def listing(items: Iterable[str]) -> str:
    """A list of what is HTML already; nothing if there is nothing."""
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{listed}</ul>" if listed else ""
