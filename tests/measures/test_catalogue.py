"""The page that helps to choose a measure says what the classes say."""

from pathlib import Path

from infofuse.measures.catalogue import catalogue, table

PAGE = Path(__file__).parents[2] / "docs" / "measures.md"


def test_the_page_holds_the_table_as_it_is() -> None:
    assert table() in PAGE.read_text(), "run: python -m infofuse.measures.catalogue"


def test_every_measure_of_the_page_exists() -> None:
    import re

    from infofuse import measures

    text = PAGE.read_text()
    known = {entry.name for entry in catalogue()} | {"Maximize", "Minimize", "permutation_test"}
    named = {n for n in re.findall(r"`([A-Za-z_0-9]+)`", text) if hasattr(measures, n) or n in known}
    assert {entry.name for entry in catalogue()} <= named
