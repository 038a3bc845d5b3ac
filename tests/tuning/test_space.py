"""What is searched is declared beside each paper, and fits its Config."""

import dataclasses
from typing import Any

import pytest

from infofuse import papers
from infofuse.errors import InfofuseError
from infofuse.papers.spaces import Choice, Float, Int
from infofuse.training import resolve
from infofuse.tuning.space import TRAIN, check, chosen, space_from, space_of, to_table


def recipe(paper: str = "mmim", **tables: Any) -> Any:
    return resolve({"paper": paper, "data": "given", **tables})


@pytest.mark.parametrize("paper", papers.names())
def test_each_paper_declares_ranges_of_its_own_choices(paper: str) -> None:
    module: Any = papers.get(paper)
    fields = {f.name: f for f in dataclasses.fields(module.Config)}
    for name, range_ in module.SPACE.items():
        default = fields[name].default
        values = range_.values if isinstance(range_, Choice) else (range_.low, range_.high)
        assert all(type(v) is type(default) for v in values), name
        if hasattr(module, "Plus"):
            assert name in {f.name for f in dataclasses.fields(module.Plus)}
    check(recipe(paper), space_of(recipe(paper)))


def test_the_space_is_of_training_the_paper_and_the_terms_that_are_added() -> None:
    plain = space_of(recipe(model={"text_encoder": "features"}))
    assert plain.keys() == {*TRAIN, "model.alpha", "model.beta", "model.dropout", "model.width"}
    more = space_of(recipe(plus={"mdm": {}}))
    assert {"plus.mdm.weight", "plus.mdm.unroll", "train.lr_text", "model.beta"} < more.keys()


def test_a_file_says_the_same_space() -> None:
    space = {"model.alpha": Float(0.01, 1.0, log=True), "model.memory": Int(1, 8)}
    space |= {"train.batch_size": Choice((16, 32))}
    assert to_table(space)["model.alpha"] == {"low": 0.01, "high": 1.0, "log": True}
    assert space_from(to_table(space), recipe()) == space


def test_whole_ends_are_of_a_fraction_where_the_recipe_has_one() -> None:
    ends = {"low": 0, "high": 1}
    space = space_from({"train.modality_dropout": ends, "model.memory": ends}, recipe())
    assert space == {"train.modality_dropout": Float(0.0, 1.0), "model.memory": Int(0, 1)}


def test_choices_go_into_their_tables() -> None:
    made = chosen(recipe(), {"model.alpha": 0.7, "train.lr": 0.002, "plus.mdm.weight": 0.5})
    assert (made.model.alpha, made.train.lr, made.plus["mdm"].weight) == (0.7, 0.002, 0.5)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"model.alhpa": {"low": 0.0, "high": 1.0}}, "unknown key 'model.alhpa'; did you mean"),
        ({"paper": ["mmim", "tfn"]}, "tune.space: paper is not searched"),
        ({"seeds": {"low": 1, "high": 3}}, "tune.space: seeds is not searched"),
        ({"protocol": ["honest", "release"]}, "tune.space: protocol is not searched"),
        ({"train.epochs": {"low": 1, "high": 3}}, "train.epochs, which every trial has alike"),
        ({"model.alpha": {"low": 1.0, "high": 0.1}}, "tune.space: model.alpha: a range goes from"),
        ({"model.alpha": {"low": 1.0, "high": 0.1}}, "to a greater one; found 1.0 to 0.1"),
        ({"model.alpha": {"low": 0.0, "high": 1.0, "log": True}}, "a number above 0"),
        ({"model.alpha": {"lo": 0.0, "high": 1.0}}, "model.alpha: unknown key 'model.alpha.lo'"),
        ({"model.alpha": 0.5}, "tune.space: model.alpha: a range, such as"),
        ({"model.alpha": [0.5]}, "tune.space: model.alpha: a choice is among two values at least"),
        ({"train.batch_size": [0, 32]}, "train.batch_size is at least 1; found 0"),
        ({"model.width": ["wide", "narrow"]}, "model.width = 'wide'"),
        ({}, "nothing to tune"),
    ],
)
def test_a_space_that_does_not_fit_is_refused(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InfofuseError, match=sentence):
        check(recipe(), space_from(table, recipe()))
