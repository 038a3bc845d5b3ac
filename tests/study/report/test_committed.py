"""What is committed of studies: pages are what their records say, and claims what the rule allows.

In README and docs a verdict is a link to its sentence on a page of results, such as
[better](studies/results/NAME.md#official-mmim-over-none). Here each is held against the record.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from infofuse.study.gains import Judged
from infofuse.study.report.content import GAINS
from infofuse.study.report.markdown import markdown
from infofuse.study.results import Results, results_of_record
from infofuse.study.spec import read_study

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "studies" / "results").glob("*.md"))
CLAIM = re.compile(r"\[([^\]]+)\]\((?:\.\./)*studies/results/(\w+)\.md#([\w-]+)\)")
BESIDE = re.compile(r"\[([^\]]+)\]\((\w+)\.md#([\w-]+)\)")
"""The same on a page of results, of a page beside it."""
WORDS = {"better", "worse", "equivalent", "undecided"}
UNPROVEN = re.compile(
    r"\b(better|worse|beats?|outperforms?|significant(ly)?|superior|told (apart )?from none|"
    r"helps?|hurts?|improves?|wins?)\b"
)
"""Words by which a comparison is claimed: only in a link that can be checked."""
DEFINED = re.compile(r"\*(better|worse)\*")
SECTIONS = {
    "README.md": "## Results on real data",
    "docs/backbones.md": "## What they score",
    "docs/dma.md": "## What it is worth on CMU-MOSI",
    "docs/mdm.md": "## What they are worth",
}
"""Where results are told."""


@cache
def results(name: str) -> Results:
    study = read_study(ROOT / "studies" / f"{name}.toml")
    return results_of_record(study, ROOT / "studies" / "results" / f"{name}.jsonl")


@cache
def verdicts(name: str) -> dict[str, Judged]:
    judged = [one for judge, _ in GAINS.values() for one in judge(results(name))]
    assert len({one.anchor for one in judged}) == len(judged)
    return {one.anchor: one for one in judged}


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # rows name their recipes from there


def section(file: str) -> str:
    """The text below a heading, up to the next of its rank."""
    text, heading = (ROOT / file).read_text(), SECTIONS[file]
    assert f"{heading}\n" in text, file
    return text.split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]


def test_there_are_pages() -> None:
    assert {page.stem for page in PAGES} >= {"mmim", "dma", "backbones", "mdm", "seed_papers"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_what_its_record_says(page: Path) -> None:
    """And names the one command that makes it, by a study that is there."""
    where = f"studies/{page.stem}.toml --markdown studies/results/{page.stem}.md"
    made = markdown(results(page.stem), f"infofuse study {where} --jobs 2", f"{page.stem}.svg")
    assert page.read_text() == made, f"write it anew: infofuse study report {where}"
    assert page.with_suffix(".svg").is_file()


@pytest.mark.parametrize("file", [*SECTIONS, "docs/studies.md"])
def test_a_claim_says_what_the_rule_says(file: str) -> None:
    for said, name, anchor in CLAIM.findall((ROOT / file).read_text()):
        assert anchor in verdicts(name), f"{file}: {name} compares no {anchor}"
        words = WORDS & set(re.findall(r"\w+", said.lower()))
        assert words == {verdicts(name)[anchor].verdict}, f"{file}: {said} ({anchor})"


@pytest.mark.parametrize("file", SECTIONS)
def test_no_comparison_is_claimed_but_by_a_link(file: str) -> None:
    text = DEFINED.sub("", CLAIM.sub("", section(file)))
    assert not UNPROVEN.search(text.lower()), UNPROVEN.search(text.lower())
    assert CLAIM.search(section(file))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_written_by_hand_on_a_page_claims_nothing(page: Path) -> None:
    study = read_study(ROOT / "studies" / f"{page.stem}.toml")
    for text in (study.about, study.notes, *(source.about for source in study.data.values())):
        for said, name, anchor in BESIDE.findall(text):
            assert WORDS & set(re.findall(r"\w+", said)) == {verdicts(name)[anchor].verdict}
        found = UNPROVEN.search(BESIDE.sub("", text).lower())
        assert not found, found
