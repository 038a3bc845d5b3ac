"""Records: what is kept of cells is never run again, belongs to its recipe, and makes the page."""

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from small_study import small

from helpers import Call
from infofuse.errors import InfofuseError
from infofuse.study.record import read_record
from infofuse.study.results import open_results, results_of_record
from infofuse.study.runner import run_study
from infofuse.study.spec import Study, read_study, resolve_study

TUNED = {
    "tune": {"trials": 2, "seed": 7},
    "treatments": {
        "kl": {
            "plus": {"mdm": {"penalty": "kl"}},
            "over": "plain",
            "trials": [["plus.mdm.weight=0.01"], ["plus.mdm.weight=0.1"]],
        },
        "plain": {"tuned": False},
    },
}


def declared(made: Path, **changes: Any) -> dict[str, Any]:
    """A study of one row: tuned, as it is, and with a penalty."""
    tables = small(made, **TUNED)
    tables["rows"] = {
        "late": {"paper": "lf_dnn", "trials": [["train.lr=1e-3"], ["train.lr=1e-9"]]},
    }
    return tables | changes


@pytest.fixture(scope="module")
def kept(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with study.toml, what was kept of it (page.*), and its runs below `out`."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "study.toml").write_text(tomli_w.dumps(declared(made, analyse=True)))
    return folder


@pytest.fixture
def page(kept: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of Markdown, made by the command that it names."""
    monkeypatch.chdir(kept)
    found = kept / "page.md"
    if not found.is_file():
        words = ("study", "study.toml", "--markdown", "page.md", "--out", "out", "--jobs", 0)
        status, said, _ = call(*words)
        assert status == 0, said
        assert "Kept: page.md, and every cell in page.jsonl" in said
    return found


def declared_study(kept: Path) -> Study:
    return read_study(kept / "study.toml")


def test_the_page_says_what_was_found_and_how_to_make_it(page: Path) -> None:
    text = page.read_text()
    assert "    infofuse study study.toml --markdown page.md --jobs 2" in text
    assert "6 of 6 cells are finished" in text
    for said in ("floor: constant", "floor: linear on mean features", "D seen", "kept at rate 0.5"):
        assert said in text, said
    assert "late, plain (not tuned)" in text
    assert 'id="made-late-kl-over-late"' in text
    assert page.with_suffix(".svg").is_file()


def test_kept_cells_are_not_run_again(
    kept: Path, page: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder that has no runs the same command trains nothing and writes the same page."""
    before = {end: page.with_suffix(end).read_bytes() for end in (".md", ".jsonl", ".svg")}
    status, _, said = call(
        "study", "study.toml", "--markdown", "page.md", "--out", "elsewhere", "--jobs", 0
    )
    assert status == 0
    assert "/" not in said.replace("reading and auditing", "")
    assert not (kept / "elsewhere" / "cells").exists()
    assert not (kept / "elsewhere" / "trials").exists()
    assert {end: page.with_suffix(end).read_bytes() for end in before} == before


def test_the_record_alone_makes_the_page(page: Path, call: Call) -> None:
    before = page.read_text()
    page.write_text("")
    assert call("study", "report", "study.toml", "--markdown", "page.md")[0] == 0
    assert page.read_text() == before
    status, _, said = call("study", "report", "study.toml")
    assert (status, "give --markdown PAGE.md" in said) == (2, True)
    status, _, said = call("study", "report", "study.toml", "--markdown", "none.md")
    assert (status, "none.jsonl holds no cell of a study" in said) == (2, True)
    status, _, said = call("study", "study.toml", "--markdown", "page.html")
    assert (status, "names a page such as results.md" in said) == (2, True)


def test_a_record_and_a_folder_say_the_same(kept: Path, page: Path) -> None:
    from_runs = open_results(kept / "out")
    from_lines = results_of_record(declared_study(kept), page.with_suffix(".jsonl"))
    assert list(from_runs.lines()) == list(from_lines.lines())
    assert from_runs.found == from_lines.found
    assert not any(from_lines.runs(from_lines.places[0], "late"))


def test_rows_that_are_the_same_by_their_recipes_share_a_run(kept: Path, page: Path) -> None:
    """Tuning chose the rate that the row has anyway, so "plain" is that row."""
    results = open_results(kept / "out")
    place = results.places[0]
    assert not (kept / "out" / "cells" / "made" / "late+plain").exists()
    assert results.scores(place, "late+plain", "mae") == results.scores(place, "late", "mae")
    assert len(results.gains(place, "late+plain", "late")) == 0  # nothing is compared with itself
    assert len(results.gains(place, "late+kl", "late+plain")) == 2


def test_cells_of_another_recipe_are_run_again_and_said(
    made: Path, page: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    changed = resolve_study(declared(made, train={"epochs": 1, "batch_size": 16}))
    record = page.with_suffix(".jsonl")
    run_study(changed, tmp_path / "out", jobs=0, say=said.append, record=record)
    assert any("cells of the record are of other recipes or data" in line for line in said)
    assert len(list((tmp_path / "out").glob("cells/made/*/*/curves.png"))) == 4
    old, new = read_record(record), open_results(tmp_path / "out")
    assert not {line["identity"] for line in new.lines() if line["kind"] == "cell"} & {
        identity for identity, _ in old.cells
    }


def test_what_a_statistical_network_saw_is_that_of_the_chosen_epoch(kept: Path, page: Path) -> None:
    results = open_results(kept / "out")
    place = results.places[0]
    expected = []
    for run in results.runs(place, "late+kl"):
        history = json.loads((run / "history.json").read_text())
        best = json.loads((run / "metrics.json").read_text())["epoch"]
        expected.append(history[best - 1]["D_kl(fused)"])
    assert results.seen(place, "late+kl").tolist() == expected
    assert len(results.seen(place, "late")) == 0


@pytest.mark.parametrize(
    "line", ["{", "[]", '"cell"', '{"kind": "sell"}', '{"kind": "cell", "seed": 1}', "null"]
)
def test_a_damaged_record_is_one_sentence(
    line: str, made: Path, page: Path, tmp_path: Path
) -> None:
    record = tmp_path / "page.jsonl"
    first = page.with_suffix(".jsonl").read_text().splitlines()[0]
    record.write_text(f"{first}\n{line}\n")
    with pytest.raises(InfofuseError, match=r"page\.jsonl, line 2 is no line of a study's record"):
        run_study(resolve_study(declared(made)), tmp_path / "out", jobs=0, record=record)
    assert not (tmp_path / "out").exists()
