"""What a recipe says of itself, and what it is read from."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from infofuse.data import DataSpec
from infofuse.data.store import create_store, read_store
from infofuse.errors import InfofuseError
from infofuse.extract.audio_descriptors import Descriptors
from infofuse.extract.features import identity
from infofuse.extract.installed import installed
from infofuse.extract.recipe import FeatureRecipe, read_recipe, stage, stages
from infofuse.types import Json

RECIPE = FeatureRecipe(audio=Descriptors(hop=0.01), text=stage("text", "given", align=False))


def through_json(content: Json) -> Json:
    return json.loads(json.dumps(content))


def test_a_recipe_is_read_as_it_was_written() -> None:
    written = through_json(RECIPE.to_json())
    assert FeatureRecipe.from_json(written) == RECIPE
    assert FeatureRecipe.from_json(through_json(FeatureRecipe(fps=5.0).to_json())).audio is None
    assert written["audio"]["options"] == {"hop": 0.01}
    assert RECIPE.differences(written) == []


def test_it_says_which_versions_made_the_features() -> None:
    written = RECIPE.to_json()
    assert written["versions"]["av"] == installed("av")
    old = through_json(written)
    old["audio"]["versions"]["numpy"] = "1.0"
    assert FeatureRecipe.from_json(old) == RECIPE
    assert RECIPE.differences(old) == [
        f"numpy is {installed('numpy')} here and was 1.0 when the features were made"
    ]


def test_other_weights_are_refused() -> None:
    written = {**RECIPE.to_json()}
    written["audio"] = {**written["audio"], "weights": {"net.bin": "aaaabbbbccccdddd"}}
    with pytest.raises(InfofuseError, match=r"another net\.bin than the one that is here"):
        FeatureRecipe.from_json(written)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "descriptor"}, "unknown audio extractor 'descriptor'; did you mean 'descrip"),
        ({"options": {"hopp": 1}}, "unknown option of the audio extractor .*did you mean 'hop'"),
        ({"options": {"hop": 7.0}}, r"hop is 7.0 s; from 0.005 to 0.1 was expected"),
    ],
)
def test_what_is_unknown_is_refused(change: Json, why: str) -> None:
    written = through_json(RECIPE.to_json())
    written["audio"] |= change
    with pytest.raises(InfofuseError, match=why):
        FeatureRecipe.from_json(written)


def test_a_rate_that_makes_no_sense_is_refused() -> None:
    for fps in (0.0, -1.0, 61.0, float("nan")):
        with pytest.raises(InfofuseError, match="above 0 and up to 60"):
            FeatureRecipe(fps=fps)


def test_every_extractor_is_what_a_recipe_needs() -> None:
    """Each is found by its file's name, and may stand in a set."""
    for modality in ("audio", "vision", "text"):
        assert stages(modality)
        for name in stages(modality):
            options = {"model": "x"} if name in ("speech", "encoder") else {}
            made = stage(modality, name, **options)
            assert made.name == name
            assert hash(made) == hash(stage(modality, name, **options))
            assert callable(made.identity)


def test_a_package_that_is_not_there_is_asked_for() -> None:
    @dataclass(frozen=True)
    class Other:
        name: ClassVar[str] = "other"

    with pytest.raises(InfofuseError, match=r"nothing-such, .* pip install .infofuse\[extract"):
        identity(Other(), ("nothing-such",))


def test_opensmile_is_brought_by_an_extra_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.Distribution.discover", lambda **_: iter(()))
    with pytest.raises(InfofuseError, match=r"opensmile.* pip install 'infofuse\[egemaps\]'"):
        installed("opensmile")


def test_a_recipe_in_toml(tmp_path: Path) -> None:
    file = tmp_path / "features.toml"
    file.write_text('fps = 5\n[audio]\nname = "descriptors"\nhop = 0.01\n')
    assert read_recipe(file) == FeatureRecipe(audio=Descriptors(hop=0.01), fps=5.0)
    file.write_text('text = "given"')
    assert read_recipe(file) == FeatureRecipe(text=stage("text", "given"))
    for text, why in {
        'fps = "fast"': "could not convert string to float: 'fast'",
        "audio = 7": "features.toml: .* must be a mapping, not int",
        '[audio]\nname = "descriptors"\nhop = "x"': "features.toml: ",
        "fps = [": "cannot be read as a recipe in TOML",
        '[sound]\nname = "x"': "unknown part of a feature recipe 'sound'",
        "[audio]\nhop = 0.01": "unknown audio extractor ''",
    }.items():
        file.write_text(text)
        with pytest.raises(InfofuseError, match=why):
            read_recipe(file)


def test_a_recipe_travels_in_a_store_and_is_followed(tmp_path: Path) -> None:
    spec = DataSpec("a", {"audio": 42}, extraction=RECIPE.to_json())
    with create_store(tmp_path / "a", spec):
        pass
    assert read_store(tmp_path / "a").spec == spec
    assert read_recipe(tmp_path / "a") == RECIPE


def test_a_store_of_unknown_making_cannot_be_followed(tmp_path: Path) -> None:
    with create_store(tmp_path / "a", DataSpec("a", {"audio": 42})):
        pass
    with pytest.raises(InfofuseError, match="does not say how its features were made"):
        read_recipe(tmp_path / "a")
    with pytest.raises(InfofuseError, match="neither a store nor a checkpoint"):
        read_recipe(tmp_path)
