"""The picture of the house shows the source as it is, and any package can be drawn."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

import draw_house
from layers import Passage, layered, reduced, tangle, untangled
from rooms import rooms


def test_the_picture_shows_the_source_as_it_is() -> None:
    drawn = draw_house.draw(rooms(draw_house.SOURCE))
    same = drawn == draw_house.PICTURE.read_text(encoding="utf-8")
    assert same, "docs/house.svg is out of date: python docs/house/draw_house.py draws it anew"


def test_an_import_that_follows_from_others_has_no_arrow() -> None:
    graph = {"top": {"mid", "base"}, "mid": {"base"}, "base": set(), "other": {"base"}}
    arrows = reduced(graph)
    assert arrows == {"base": [], "mid": ["base"], "other": ["base"], "top": ["mid"]}
    with pytest.raises(ValueError, match="cycle"):
        reduced({"a": {"b"}, "b": {"a"}})


def test_a_long_arrow_has_a_place_in_each_layer_that_it_passes() -> None:
    layers, links = layered({"low": [], "mid": ["low"], "top": ["mid"], "cli": ["low", "top"]})
    passages = [Passage("cli", "low", level) for level in (2, 1)]
    assert layers == [["low"], [passages[1], "mid"], [passages[0], "top"], ["cli"]]
    assert [*links[:3]] == [("cli", passages[0]), tuple(passages), (passages[1], "low")]


def test_arrows_are_untangled() -> None:
    layers, links = layered({"a": [], "b": [], "c": [], "x": ["c"], "y": ["b"], "z": ["a"]})
    assert tangle(layers, links)[0] == 3
    assert tangle(untangled(layers, links), links) == (0, 0.0)


def test_any_package_can_be_drawn(tmp_path: Path) -> None:
    house = tmp_path / "house"
    files = {
        "__init__.py": "",
        "errors.py": '"""What <goes> wrong."""',
        "alone.py": "",
        "data/__init__.py": '"""Data: what is read. And more."""\nfrom house.errors import Wrong',
        "data/readers/__init__.py": "import house.errors",
        "data/readers/csv.py": "from house import tables",
        "tables.py": '"""Tables that people read: rows."""',
    }
    for name, text in files.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(text)
    found = rooms(house)
    assert set(found) == {"alone", "data", "errors", "tables"}
    assert found["data"].imports == {"errors", "tables"}
    assert found["data"].inner == ("readers",)
    phrases = {name: room.phrase for name, room in found.items()}
    assert phrases == {
        "alone": "",
        "data": "What is read",
        "errors": "What <goes> wrong",
        "tables": "Tables that people read",
    }
    drawn = ElementTree.fromstring(draw_house.draw(found))
    written = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"alone.py", "data/", "readers/", "What <goes> wrong", "errors.py"} <= set(written)
    assert len([e for e in drawn.iter() if e.get("class") == "arrow"]) == 1
