"""The page by which to choose a backbone says what is so."""

import re
from pathlib import Path

from tiny import size_on_mosi

from infofuse import papers

PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"


def test_sizes_on_the_page_are_those_of_the_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.* ([\d,]+) \| [\d,]+ \|$", PAGE.read_text(), re.MULTILINE)
    assert {"ef_lstm", "tfn", "mfn"} <= {paper for paper, _ in rows} <= set(papers.names())
    for paper, size in rows:
        assert size_on_mosi(paper) == int(size.replace(",", "")), paper
