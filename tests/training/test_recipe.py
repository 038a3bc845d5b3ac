"""Recipes: defaults resolved, overrides applied, mistakes named."""

import tomllib
from pathlib import Path

import pytest

from infofuse import papers
from infofuse.errors import InfofuseError
from infofuse.training.recipe import parse_seeds, read_recipe, recipe, resolve

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.toml")), ids=lambda p: p.stem)
def test_shipped_recipes_resolve(path: Path) -> None:
    made = resolve(read_recipe(path))
    assert made.paper in papers.names()
    assert made.seeds == (1111, 1112, 1113, 1114, 1115)


def test_a_resolved_recipe_gives_itself_back() -> None:
    made = recipe("mmim", "x.pkl", model={"alpha": 0.2}, train={"lr": 1}, seeds="3,5-7")
    assert made.train.lr == 1.0
    assert made.seeds == (3, 5, 6, 7)
    assert resolve(tomllib.loads(made.to_toml())) == made


def test_overrides() -> None:
    tables = {"paper": "mmim", "data": "x"}
    sets = [
        "model.alpha=0.2",
        'model.modalities=["text"]',
        "train.epochs=3",
        "train.max_steps.audio=200",
        "model.variant=release",
    ]
    made = resolve(tables, sets)
    assert (made.model.alpha, made.train.epochs, made.model.variant) == (0.2, 3, "release")
    assert made.model.modalities == ("text",)
    assert made.train.max_steps == {"audio": 200}
    assert tables == {"paper": "mmim", "data": "x"}


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.alhpa=0.2", "unknown key 'model.alhpa'; did you mean 'model.alpha'?"),
        ("train.learning_rate=1", "unknown key 'train.learning_rate'"),
        ("modle.alpha=1", "unknown key 'modle'; did you mean 'model'?"),
        ("model.alpha=much", "model.alpha = 'much': input should be a valid number"),
        ("model.variant=papre", "model.variant = 'papre': input should be 'paper' or 'release'"),
        ("train.epochs=0", "train.epochs is at least 1; found 0"),
        ("train.max_steps.audio=0", "train.max_steps.audio is at least 1; found 0"),
        ("train.modality_dropout=2", r"train.modality_dropout lies in \[0, 1\]; found 2"),
        ("model.alpha", "--set takes key=value"),
        ("paper=mmin", "unknown paper 'mmin'; did you mean 'mmim'?"),
        ("paper.x=1", "paper is not a table"),
        ("model=3", r"model = 3: a table was expected, such as \[model\]"),
        ("plus=mdm", "plus = 'mdm': a table a term was expected"),
        ("plus.mdm=1", r"plus.mdm = 1: a table was expected, such as \[plus.mdm\]"),
        ("train.clip=0", "train.clip is above 0, inf for none; found 0"),
        ("train.lr=-1", "train.lr is at least 0; found -1"),
    ],
)
def test_mistakes_are_named(override: str, sentence: str) -> None:
    with pytest.raises(InfofuseError, match=sentence):
        resolve({"paper": "mmim", "data": "x"}, [override])


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InfofuseError, match="give --data"):
        resolve({"paper": "mmim"})
    with pytest.raises(InfofuseError, match="there is no recipe"):
        read_recipe(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("paper = mmim")
    with pytest.raises(InfofuseError, match="is not TOML"):
        read_recipe(tmp_path / "bad.toml")


def test_seeds() -> None:
    assert parse_seeds(4) == (4,)
    assert parse_seeds("1111-1113") == (1111, 1112, 1113)
    assert parse_seeds([1, "5-6"]) == (1, 5, 6)
    for wrong in ("a few", "1115-1111", [], 1.5, [None]):
        with pytest.raises(InfofuseError, match="such as 1111-1115"):
            parse_seeds(wrong)
