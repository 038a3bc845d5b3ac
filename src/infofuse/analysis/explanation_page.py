"""An explanation as one page of HTML: the set, then its clips, those in conflict first."""

from collections.abc import Sequence
from html import escape

import numpy as np

from infofuse import html
from infofuse.analysis.explanation import Explanation

CHANCES = "Numbers are the chance of the class that is likeliest by all modalities. "
SHAPLEY = (
    "Prediction from all modalities, from each alone, and the Shapley value of each: what it adds "
    "to the prediction, averaged over all orders of adding. Values of a clip sum to its prediction "
    "minus that from nothing."
)
_STYLE = """
td.share { min-width: 9rem; } svg { vertical-align: middle; }
.up { fill: #3b82c4; } .down { fill: #c4554d; }
"""


def page(found: Explanation, title: str) -> str:
    """The page. Whatever comes from the data is escaped; the one script sorts the table."""
    names = list(found.attribution.values)
    longest = max(float(np.abs(v).max()) for v in found.attribution.values.values()) or 1.0
    body = [
        f"<h1>{escape(title)}</h1>",
        _agreement(found),
        "<h2>What the modalities add, over all clips</h2>",
        html.table(["", "mean absolute Shapley value", "share"], _shares(found)),
        "<h2>Clip by clip</h2>",
        f"<p>{CHANCES if found.classes else ''}{SHAPLEY} Press a heading to sort.</p>",
        f'<div class="wide"><table><thead>{_heading(found, names)}</thead><tbody>',
        *(_row(found, names, i, longest) for i in found.order()),
        "</tbody></table></div>",
        html.SORT,
    ]
    return html.page(title, body, html.BIG_TABLES + _STYLE)


def _agreement(found: Explanation) -> str:
    if found.agreement is None:
        return (
            "<p>The model was trained without a dependency penalty: nothing here says whether a "
            "clip's modalities agree.</p>"
        )
    auc = "unknown" if found.auc is None else f"{found.auc:.2f}"
    return (
        "<p>Agreement is the score of the statistical network of the dependency penalty: high "
        "where a clip's modalities go together, low where they are in conflict. It ranks a clip "
        f"over one put together from different clips with chance {auc} (0.5 says nothing).</p>"
    )


def _shares(found: Explanation) -> list[Sequence[object]]:
    shares = found.shares
    return [(m, f"{size:.3f}", f"{shares[m]:.0%}") for m, size in found.sizes.items()]


def _heading(found: Explanation, names: Sequence[str]) -> str:
    titles = ["label", *(["answer"] if found.classes else []), "prediction"]
    titles += ["agreement"] if found.agreement is not None else []
    titles += [f"{name} alone" for name in names] + [f"{name} adds" for name in names]
    cells = [f'<th class="text"><button>{title}</button></th>' for title in ("clip", "words")]
    cells += [f"<th><button>{escape(title)}</button></th>" for title in titles]
    return f"<tr>{''.join(cells)}</tr>"


def _row(found: Explanation, names: Sequence[str], i: int, longest: float) -> str:
    of, k, label = found.attribution, found.shown(i), found.clips.labels[i]
    cells = [
        f"<td>{escape(str(found.clips.ids[i]))}</td>",
        f'<td class="text long">{escape(found.clips.texts[i])}</td>',
    ]
    if found.classes:
        said = (found.words(label), found.words(found.answers[i]))
        cells += [f"<td>{escape(words)}</td>" for words in said]
    else:
        cells.append(_number(label[0]))
    cells.append(_number(of.whole[i, k]))
    if found.agreement is not None:
        cells.append(_number(found.agreement[i]))
    cells += [_number(of.alone(name)[i, k]) for name in names]
    cells += [_bar(float(of.values[name][i, k]), longest) for name in names]
    return f"<tr>{''.join(cells)}</tr>"


def _number(value: float | np.floating) -> str:
    return "<td>–</td>" if value != value else f'<td data-key="{value:.4f}">{value:.2f}</td>'


def _bar(value: float, longest: float) -> str:
    """A bar from the middle, to the right where the modality raises the prediction."""
    half, size = 40.0, 40.0 * abs(value) / longest
    start, kind = (half, "up") if value >= 0 else (half - size, "down")
    return (
        f'<td class="share" data-key="{value:.4f}">{value:+.2f} '
        f'<svg aria-hidden="true" width="80" height="10"><rect class="{kind}" x="{start:.1f}" '
        f'width="{size:.1f}" height="10"/></svg></td>'
    )
