"""Files that are whole or not there."""

from pathlib import Path

import pytest

from infofuse.errors import InfofuseError
from infofuse.files import check_place, replacing, write_text


def test_a_file_takes_the_place_of_a_file_and_a_folder_of_a_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "note.txt", "old")
    write_text(tmp_path / "note.txt", "new")
    assert (tmp_path / "note.txt").read_text() == "new"
    for content in ("old", "new"):
        with replacing(tmp_path / "folder") as folder:
            folder.mkdir()
            (folder / content).touch()
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["new"]


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    thesis = tmp_path / "folder" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(InfofuseError, match="is a folder, and a file was to be written"):
        write_text(tmp_path / "folder", "a page")
    assert thesis.read_text() == "years of work"
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_place_that_is_not_ones_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(InfofuseError, match=f"{tmp_path} is not yours to write in"):
        check_place(tmp_path / "new" / "page.html")
    assert list(tmp_path.iterdir()) == []
