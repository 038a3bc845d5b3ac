"""Study files: what a row inherits, what is refused, and how the grid grows from it."""

from pathlib import Path
from typing import Any

import pytest

from infofuse.errors import InfofuseError
from infofuse.study.grid import cells, recipe_of, systems, trials
from infofuse.study.spec import read_study, resolve_study
from infofuse.training.recipe import read_recipe

ROWS = {"a": {"paper": "lf_dnn"}, "b": {"paper": "tfn"}}


def tables(**changes: Any) -> dict[str, Any]:
    found = {"title": "T", "baseline": "a", "seeds": [1, 2], "data": {"d": {"path": "x"}}}
    return found | {"rows": ROWS} | changes


def test_a_row_is_its_recipe_then_what_all_share_then_its_own(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'paper = "mmim"\ndata = "elsewhere"\n[model]\nalpha = 0.1\nbeta = 0.1\nwidth = 8\n'
        "[train]\nepochs = 9\n[plus.dma]\ntext_audio = 0.5\n"
    )
    row = {"recipe": str(recipe), "model": {"alpha": 0.3}, "plus": {"dma": {"audio_vision": 0.2}}}
    study = resolve_study(
        tables(rows={"a": row}, model={"alpha": 0.2, "beta": 0.2}, train={"epochs": 2})
    )
    made = recipe_of(cells(study)[0], "here", None)
    assert (made.model.alpha, made.model.beta, made.model.width) == (0.3, 0.2, 8)
    assert (made.train.epochs, made.data, made.seeds) == (2, "here", (1,))
    assert (made.plus["dma"].text_audio, made.plus["dma"].audio_vision) == (0.5, 0.2)
    (tmp_path / "again.toml").write_text(study.to_toml())
    assert read_study(tmp_path / "again.toml") == study


def test_the_grid_is_rows_by_treatments_by_data_by_splits_by_seeds() -> None:
    study = resolve_study(
        tables(
            data={"d": {"path": "x", "splits": ["given", 7]}, "e": {"path": "y"}},
            rows={"a": {"paper": "lf_dnn"}, "b": {"paper": "tfn", "data": ["e"], "treatments": []}},
            treatments={"kl": {"plus": {"mdm": {"penalty": "kl"}}}},
        )
    )
    names = [c.name for c in cells(study)]
    assert len(names) == len(set(names)) == 2 * (3 * 2 + 1)
    assert names[:3] == ["d/a/1", "d/a+kl/1", "d-division-7/a/1"]
    assert [s.name for s in systems(study)] == ["a", "a+kl", "b"]
    assert recipe_of(cells(study)[1], "x", None).plus["mdm"].penalty == "kl"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sedes": [1]}, "did you mean 'seeds'"),
        ({"rows": {"a": {"paper": "tfn", "modle": {}}}}, "did you mean 'rows.a.model'"),
        ({"rows": {"a": {}}}, "a recipe or a paper"),
        ({"baseline": "z"}, "unknown row 'z'"),
        ({"rows": {"a": {"paper": "tfn", "data": ["q"]}}}, "unknown data set of the study 'q'"),
        ({"rows": {"a": {"paper": "tfn", "treatments": ["q"]}}}, "unknown treatment"),
        ({"treatments": {"t": {"over": "q"}}}, "unknown treatment of the study 'q'"),
        ({"treatments": {"t": {"data": ["q"]}}}, "unknown data set of the study 'q'"),
        ({"penalties": {"t": {}}}, r"is called \[treatments.NAME\] now"),
        ({"rows": {"a": {"paper": "tfn", "penalties": []}}}, "is called"),
        ({"metric": "mea"}, "did you mean 'mae'"),
        ({"protocol": "honset"}, "protocol"),
        ({"seeds": [1, 1]}, "once each"),
        ({"rows": {"a": {"paper": "tfn", "plus": {"mdm": 1}}}}, r"rows\.a\.plus\.mdm = 1"),
        ({"rope": -0.1}, "rope is at least 0; found -0.1"),
        ({"rope": float("nan")}, "rope is at least 0; found nan"),
        ({"title": ""}, "names no title"),
        ({"rows": {"a/b": {"paper": "tfn"}}, "baseline": "a/b"}, "names a folder"),
        ({"data": {"d": {"path": "x", "splits": []}}}, "names one at least"),
        ({"data": {"d": {"path": "x", "splits": ["given", "given"]}}}, "given once each"),
        ({"data": {"d": {"path": "x", "splits": [-1]}}}, "numbers from 0; found -1"),
        ({"data": {"d": {"path": "x", "splits": [True]}}}, "numbers from 0; found True"),
        ({"data": {"d": {"path": "x", "splits": ["giben"]}}}, "\"given\" or numbers .* 'giben'"),
        ({"rows": {"a": {"paper": "tfn", "trials": [["train.lr=1"]]}}}, "same budget"),
        ({"tune": {"trials": 2, "seed": 9}}, "same budget"),
        ({"tune": {"trials": 0, "seed": -1}}, "from 0 to .* found '-1'"),
        ({"tune": {"trials": 0, "seed": 2}}, "among the seeds"),
        ({"tune": {"trials": 1}, "protocol": "release"}, "leave out"),
    ],
)
def test_what_is_wrong_is_refused_in_one_sentence(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InfofuseError, match=words):
        resolve_study(tables(**changes))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("trian = {epochs = 3}", "r.toml: unknown key 'trian'; did you mean 'train'?"),
        ("train = {epohcs = 3}", "r.toml: unknown key 'train.epohcs'"),
        ("plus = {mdm = 1}", "r.toml: plus.mdm = 1: a table"),
        ('protocol = "release"', "r.toml is by protocol 'release', and the study by 'honest'"),
    ],
)
def test_nothing_of_a_rows_recipe_is_ignored(lines: str, words: str, tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(f'paper = "tfn"\n{lines}\n')
    with pytest.raises(InfofuseError, match=words):
        resolve_study(tables(rows={"a": {"recipe": str(recipe)}}))
    recipe.write_text('paper = "tfn"\ntune = {trials = 3}\nprotocol = "honest"\n')
    resolve_study(tables(rows={"a": {"recipe": str(recipe)}}))


def test_every_row_has_the_same_trials() -> None:
    rows = {
        name: {**row, "trials": [["train.lr=0.1"], ["train.lr=0.2", "train.epochs=3"]]}
        for name, row in ROWS.items()
    }
    study = resolve_study(tables(rows=rows, tune={"trials": 2, "seed": 9}))
    tried = list(trials(study))
    assert [c.name for c in tried[:2]] == ["d/a/trial-0", "d/a/trial-1"]
    assert len(tried) == 4
    assert all(c.seed == 9 for c in tried)
    assert recipe_of(tried[1], "x", 1).train.epochs == 3


def test_a_treatment_may_change_anything_of_a_row_and_is_named_so() -> None:
    study = resolve_study(
        tables(
            data={"d": {"path": "x"}, "e": {"path": "y"}},
            rows={"a": {"paper": "lf_dnn", "title": "Late", "trials": [["train.lr=0.1"]]}},
            treatments={
                "text": {"model": {"modalities": ["text"]}, "data": ["e"], "tuned": False},
                "drop": {
                    "title": "dropped",
                    "train": {"modality_dropout": 0.5},
                    "plus": {"mdm": {"penalty": "f"}},
                    "trials": [["train.lr=0.2"]],
                },
            },
            tune={"trials": 1, "seed": 9},
        )
    )
    found = {system.name: system for system in systems(study)}
    assert list(found) == ["a", "a+text", "a+drop"]
    assert found["a+text"].title == "Late, text (not tuned)"
    assert (found["a+drop"].title, found["a+drop"].data) == ("Late, dropped", ("d", "e"))
    assert found["a+text"].data == ("e",)
    recipes = {c.system.name: recipe_of(c, "x", None) for c in cells(study)}
    assert recipes["a"].model.modalities == ()
    assert recipes["a+text"].model.modalities == ("text",)
    assert recipes["a+drop"].train.modality_dropout == 0.5
    assert recipes["a+drop"].plus["mdm"].penalty == "f"
    assert {c.name for c in trials(study)} == {
        "d/a/trial-0", "e/a/trial-0", "d/a+drop/trial-0", "e/a+drop/trial-0",
    }  # fmt: skip


def test_the_studies_that_are_shipped_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    for file in sorted((root / "studies").glob("*.toml")):
        for cell in cells(read_study(file)):
            recipe_of(cell, "given", None)
        assert read_recipe(file)["protocol"] == "honest"
