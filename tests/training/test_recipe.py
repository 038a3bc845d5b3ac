"""Recipes: defaults resolved, overrides applied, mistakes named."""

import tomllib
from pathlib import Path

import pytest

from infofuse import papers
from infofuse.errors import InfofuseError
from infofuse.training.recipe import parse_seeds, read_recipe, recipe, resolve, with_given

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


def test_how_it_is_searched_is_no_part_of_a_recipe() -> None:
    tables = {"paper": "mmim", "data": "x"}
    assert resolve(tables | {"tune": {"trials": 3}}) == resolve(tables)
    for tune, override in ((3, []), ({}, ["tune.trials=3"])):
        with pytest.raises(InfofuseError, match="unknown key 'tune'"):
            resolve(tables | {"tune": tune}, override)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.alhpa=0.2", "unknown key 'model.alhpa'; did you mean 'model.alpha'?"),
        ("train.learning_rate=1", "unknown key 'train.learning_rate'"),
        ("modle.alpha=1", "unknown key 'modle'; did you mean 'model'?"),
        ("model.alpha=much", "model.alpha = 'much': input should be a valid number"),
        ("model.variant=papre", "model.variant = 'papre': input should be 'paper' or 'release'"),
        ("model.modalities=audio,vision", r'takes a list, such as \["audio", "vision"\]'),
        ("train.measure=CKA", r'train.measure = .CKA.: it takes a list, such as \["CKA"\]'),
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


def test_what_is_given_counts_but_for_another_paper() -> None:
    tables = {"data": "x", "model": {"alpha": 0.2}}
    wanted = {"paper": "mmim", "data": "y", "model": {"alpha": 0.2}}
    assert with_given(tables, paper="mmim", data="y", seeds=None) == wanted
    assert with_given(wanted, paper="mmim", data=None) == wanted
    with pytest.raises(InfofuseError, match="of the paper 'mmim', and --paper says 'tfn'"):
        with_given(wanted, paper="tfn", data=None)


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
    assert parse_seeds(f"0,{2**63 - 1}") == (0, 2**63 - 1)
    for wrong in ("a few", "1115-1111", "1,9-3", [], 1.5, [None], -1, 2**63, "1-" + 30 * "9"):
        with pytest.raises(InfofuseError, match="such as 1111-1115"):
            parse_seeds(wrong)
    for many in ("1-1000000000", f"0-{2**63 - 1}", "1-10000,20000"):
        with pytest.raises(InfofuseError, match="at most 10000 seeds; found"):
            parse_seeds(many)
    for twice in ("1,1", "1-3,2", [4, 4]):
        with pytest.raises(InfofuseError, match="given once each; found"):
            parse_seeds(twice)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("x = " + "[" * 100_000 + "]" * 100_000, "nested"),
        ("x = " + "[" * 80 + "]" * 80, "nested more than 64 levels"),
        ("x = " + "9" * 5000, "is not TOML"),
        ("x = " + "9" * 30, "more than 64 bits"),
    ],
)
def test_a_recipe_beyond_all_bounds_is_refused(line: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(line)
    with pytest.raises(InfofuseError, match=sentence):
        read_recipe(tmp_path / "recipe.toml")
    with pytest.raises(InfofuseError, match=r"--set train\.lr = …"):
        resolve({"paper": "mmim", "data": "d"}, [f"train.lr={line[4:]}"])
