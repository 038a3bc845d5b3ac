"""The page that helps to choose a measure says what the classes say."""

import re
from pathlib import Path

from infofuse import measures, objectives
from infofuse.measures.catalogue import catalogue, table

PAGE = Path(__file__).parents[2] / "docs" / "measures.md"


def test_the_page_holds_the_table_as_it_is() -> None:
    assert table() in PAGE.read_text(), "run: python -m infofuse.measures.catalogue"


def test_every_name_on_the_page_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z0-9]+)`", PAGE.read_text()))
    assert {entry.name for entry in catalogue()} <= named
    assert named <= {*measures.__all__, *objectives.__all__}
