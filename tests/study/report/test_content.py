"""Tables: what is in them, and as CSV, Markdown and LaTeX."""

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from infofuse.files import read_json
from infofuse.study.gains import Judged, differences, treatments
from infofuse.study.grid import cells, recipe_of, systems
from infofuse.study.published import Figure, encoder_of, figures, verdict
from infofuse.study.report.content import gain_table, overall, tables
from infofuse.study.report.quality import confusions, worst_errors
from infofuse.study.results import Results, open_results
from infofuse.study.statistics import holm, t_test
from infofuse.study.table import Interval, Spread, Table, to_csv, to_latex, to_markdown

NAN = float("nan")
TABLE = Table(
    "t",
    "Title",
    ("name", "MAE", "where", "n"),
    (
        ("a_b & 50%", Spread(0.5, 0.1), Interval(0.1, 0.2), 3),
        ("c|d", Spread(0.4, NAN), Interval(NAN, NAN), None),
    ),
    best={"MAE": "min"},
)


def test_csv_keeps_every_digit() -> None:
    found = list(csv.DictReader(io.StringIO(to_csv(TABLE))))
    assert found[0] == {
        "name": "a_b & 50%",
        "MAE mean": "0.5",
        "MAE sd": "0.1",
        "where low": "0.1",
        "where high": "0.2",
        "n": "3",
    }
    assert found[1]["MAE sd"] == found[1]["where low"] == found[1]["n"] == ""


def test_markdown_and_latex_mark_the_best_and_escape() -> None:
    assert "| c\\|d | **0.400** | – | – |" in to_markdown(TABLE)
    latex = to_latex(TABLE)
    assert r"a\_b \& 50\% & 0.500 $\pm$ 0.100 & [0.100, 0.200] & 3 \\" in latex
    assert r"\textbf{0.400}" in latex


def test_tables_say_what_the_runs_say(finished: Results) -> None:
    found = {table.name: table for table in tables(finished)}
    assert {"scores_made", "scores_made-division-1", "differences", "overall", "audit"} <= set(
        found
    )
    place = finished.places[0]
    runs = [read_json(finished.ended.out / f"cells/made/late/{s}/metrics.json") for s in (1, 2)]
    raw = [run["summary"]["test"]["mae"]["mean"] for run in runs]
    row = next(r for r in found["scores_made"].rows if r[0] == "Late fusion")
    assert row[1] == Spread(float(np.mean(raw)), float(np.std(raw, ddof=1)))
    floors = {row[0]: row[1].mean for row in found["scores_made"].rows if "floor" in row[0]}
    known = finished.surveys["made"].floors
    assert floors == {f"floor: {name}": scores["mae"] for name, scores in known.items()}
    assert list(known)[:2] == ["constant", "linear on mean features (audio, vision)"]
    gains = finished.gains(place, "early")
    other = [read_json(finished.ended.out / f"cells/made/early/{s}/metrics.json") for s in (1, 2)]
    theirs = [run["summary"]["test"]["mae"]["mean"] for run in other]
    assert gains == pytest.approx(np.subtract(raw, theirs))


def test_tables_say_by_what_a_data_set_without_the_metric_is_compared(finished: Results) -> None:
    other = replace(finished, study=replace(finished.study, metric="accuracy"))
    for table in (
        gain_table(other, "differences"),
        gain_table(other, "treatments"),
        overall(other),
    ):
        assert "made has no Accuracy, and is compared by MAE. made-division-1 has" in table.note
    assert "is compared by" not in gain_table(finished, "differences").note


def test_p_values_are_corrected_over_the_whole_table(finished: Results) -> None:
    judged = differences(finished)
    assert len(judged) == 2 + 1  # one system, two places, and all data
    raw = [float(t_test(one.gain.values)) for one in judged[:2]]
    whole = float(t_test(judged[2].gain.values, judged[2].gain.rho))
    assert [one.p["t"] for one in judged] == pytest.approx(holm(np.array([*raw, whole])))
    column = (table := gain_table(finished, "differences")).columns.index("p")
    assert [row[column] for row in table.rows] == [one.p["t"] for one in judged]


def test_clips_without_a_label_are_in_no_confusion(finished: Results, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished.ended.out, out)
    for file in out.glob("cells/**/test_predictions.csv"):
        head, (first, *rest) = (lines := file.read_text().splitlines())[0], lines[1:]
        clip, _, said = first.split(",")
        file.write_text("\n".join([head, f"{clip},nan,{said}", *rest]) + "\n")
    results = open_results(out)
    assert len(list(confusions(results))) == len(list(confusions(finished)))
    assert list(worst_errors(results))


def with_early_kl(finished: Results) -> Results:
    """As if "early" had been trained with the treatment too, and were .5 worse with it."""
    rows = finished.study.rows
    study = replace(finished.study, rows={**rows, "early": replace(rows["early"], treatments=None)})
    worse = {
        (place, "early+kl", seed): {**facts, "test": {**facts["test"], "mae": shifted}}
        for (place, system, seed), facts in finished.found.items()
        if system == "early" and (shifted := facts["test"]["mae"] + 0.5)
    }
    return replace(
        finished, study=study, systems=tuple(systems(study)), found={**finished.found, **worse}
    )


def by_name(judged: list[Judged]) -> dict[tuple[str, str], Judged]:
    return {(one.gain.where, one.gain.comparison.title): one for one in judged}


def test_a_treatment_is_compared_with_the_row_it_was_added_to(finished: Results) -> None:
    both = with_early_kl(finished)
    late = finished.gains(finished.places[0], "late+kl", "late")
    found = by_name(treatments(both))
    assert found["made", "Late fusion, KL"].gain.values == pytest.approx(late)
    assert found["made", "early, KL"].gain.values == pytest.approx([-0.5, -0.5])
    assert {where for where, _ in found} == {"made", "made-division-1", "all data"}
    alone = replace(
        both, found={k: v for k, v in both.found.items() if k[:2] != ("made", "late+kl")}
    )
    there = {title for where, title in by_name(treatments(alone)) if where == "made"}
    assert there == {"early, KL"}  # "all rows" are one there
    only = [one.gain.comparison.title for one in treatments(finished)]
    assert only == ["Late fusion, KL"] * 3


def test_what_is_said_of_several_rows_is_tested_over_their_means(finished: Results) -> None:
    """Seeds of one row on one data set are one block: two rows are two values, not four."""
    found = by_name(treatments(with_early_kl(finished)))
    late = finished.gains(finished.places[0], "late+kl", "late")
    of_all = found["made", "all rows, KL"]
    assert of_all.gain.values == pytest.approx([late.mean(), -0.5])
    assert (of_all.gain.unit, found["made", "early, KL"].gain.unit) == ("rows", "seeds")
    assert of_all.tests.t == pytest.approx(stats.ttest_1samp([late.mean(), -0.5], 0).pvalue)
    assert len(found["all data", "all rows, KL"].gain.values) == 4  # two rows on two data sets
    assert len(found["all data", "early, KL"].gain.values) == 2


def test_a_system_that_is_added_moves_no_other(finished: Results) -> None:
    """Normalised means and Elo of the others stay, where a bad system joins."""
    bad = replace(finished.systems[0], name="bad", title="bad")
    with_bad = {
        (p, "bad", seed): {**facts, "test": {**facts["test"], "mae": 9.0}}
        for (p, s, seed), facts in finished.found.items()
        if s == "late"
    }
    more = replace(finished, systems=(*finished.systems, bad), found={**finished.found, **with_bad})
    before, after = overall(finished), overall(more)
    for i, row in enumerate(before.rows):
        assert row[:4] == after.rows[i][:4]


def test_encoders_are_told_apart(finished: Results) -> None:
    spec = finished.surveys["made"].data
    recipe = recipe_of(cells(finished.study)[0], "x", None)
    assert encoder_of(recipe, spec) == "no text"
    frozen = replace(recipe, model=replace(recipe.model, modalities=(), freeze_text=True))
    assert encoder_of(frozen, spec) == "minilm, frozen"
    assert encoder_of(frozen, replace(spec, text=False, features={"text": 3})) == (
        "features of the data set"
    )


def test_published_figures_are_whole() -> None:
    found = figures("mosi")
    assert {f.paper for f in found} >= {"mmim", "self_mm", "misa", "mag", "mult", "lmf", "tfn"}
    assert all("arXiv" in f.source and f.encoder and f.split == "official" for f in found)
    mmim = next(f for f in found if f.paper == "mmim")
    assert isinstance(mmim, Figure)
    assert mmim.scores["mae"] == 0.700
    assert figures("pom") == []


def test_verdicts() -> None:
    ours = np.array([0.70, 0.72, 0.74])
    assert verdict(0.73, ours, "mae") == "reached"
    assert verdict(0.71, ours, "mae") == "within spread"
    assert verdict(0.60, ours, "mae") == "not reached"
    assert verdict(0.71, ours, "corr") == "reached"
    assert verdict(0.80, ours, "corr") == "not reached"
