"""The report in a real browser: no errors, tables that sort, figures that are seen, no overflow."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from infofuse.study.report import report
from infofuse.study.report.comparison import critical_difference, learning_curves
from infofuse.study.report.panel import COLOURS
from infofuse.study.results import Results
from infofuse.study.statistics import rank


@pytest.fixture(scope="module")
def page(finished: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    report(finished, path)
    return path


def test_nothing_comes_from_elsewhere(page: Path) -> None:
    content = page.read_text()
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', content)
    assert "@import" not in content
    assert "Late &amp; early &lt;fusion&gt;" in content
    assert "<fusion>" not in content
    ids = re.findall(r' id="([^"]+)"', content)
    assert len(ids) == len(set(ids))
    assert page.stat().st_size < 3_000_000


def test_every_table_and_figure_is_a_file(page: Path, finished: Results) -> None:
    folder = finished.ended.out / "report"
    figures = {f.stem: f for f in (folder / "figures").glob("*.svg")}
    content = page.read_text()
    assert content.count("<figure ") == len(figures) >= 12
    for name, svg in figures.items():
        ElementTree.fromstring(svg.read_bytes())
        assert svg.with_suffix(".png").read_bytes().startswith(b"\x89PNG"), name
    for table in (folder / "tables").glob("*.csv"):
        assert table.stem == "cells" or table.with_suffix(".md").is_file()
        assert table.stem == "cells" or table.with_suffix(".tex").is_file()
    kinds = {name.split("_")[0] for name in figures}
    assert kinds >= {"forest", "critical", "curve", "calibration", "confusion", "robustness",
                     "dependence"}  # fmt: skip


def test_the_same_study_gives_the_same_figures(page: Path, finished: Results) -> None:
    panel = next(learning_curves(finished))
    kept = finished.ended.out / "report" / "figures" / f"{panel.name}.svg"
    assert panel.svg == kept.read_text()
    assert panel.html() in page.read_text()


def test_ranks_have_names_in_full_and_a_bar_for_those_that_do_not_differ() -> None:
    names = ("one whose name is as long as a name may well be", "another", "a third")
    scores = np.tile([[3.0, 2.0, 1.0], [2.0, 3.0, 1.0]], (10, 1))
    svg = critical_difference(rank(scores, names)).svg
    said = "".join(ElementTree.fromstring(svg).itertext())
    for name, average in zip(names, ("1.50", "1.50", "3.00"), strict=True):
        assert f"{name}: {average}" in said
    assert svg.count(f"stroke: {COLOURS[1]}") == 1


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_in_a_browser(page: Path, browser: Any, width: int, scheme: str) -> None:
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: said.append(request.url) if "http" in request.url else None)
    shown.goto(page.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    figures = shown.query_selector_all("figure svg")
    assert len(figures) >= 12
    for figure in figures:
        box = figure.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 40
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    ink = shown.evaluate("getComputedStyle(document.body).color")
    letters = shown.evaluate("getComputedStyle(document.querySelector('figure text')).fill")
    assert letters == ink  # in the dark too
    assert said == []
    shown.close()


def test_sorting(page: Path, browser: Any) -> None:
    shown = browser.new_page()
    shown.goto(page.as_uri())
    table = shown.query_selector("#scores table")
    column = [h.inner_text() for h in table.query_selector_all("th")].index("MAE")

    def values() -> list[float]:
        rows = table.query_selector_all("tbody tr")
        cells = [row.query_selector_all("td")[column] for row in rows]
        return [float(cell.get_attribute("data-key")) for cell in cells]

    button = table.query_selector_all("th button")[column]
    button.click()
    assert values() == sorted(values())
    button.focus()
    shown.keyboard.press("Enter")
    assert values() == sorted(values(), reverse=True)
    heading = table.query_selector_all("th")[column]
    assert heading.get_attribute("aria-sort") == "descending"
    shown.close()
