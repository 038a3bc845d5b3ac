"""Files that are whole or not there."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from infofuse.errors import InfofuseError
from infofuse.files import alone, check_place, replacing, write_text

HOLD = """
import sys
from pathlib import Path
from infofuse.files import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(out: Path) -> subprocess.Popen[str]:
    """A process that is alone in `out` until its standard input ends."""
    command = [sys.executable, "-c", HOLD, str(out)]
    held = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"
    return held


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


def test_one_process_writes_to_a_place_and_another_is_told_which(tmp_path: Path) -> None:
    out = tmp_path / "above" / "out"
    with holding(out) as held:
        sentence = rf"out is being written by another process \(pid {held.pid}\): wait until"
        with pytest.raises(InfofuseError, match=sentence), alone(out):
            pass
        other_name = tmp_path / "link"
        other_name.symlink_to(out.parent)
        with pytest.raises(InfofuseError, match=sentence), alone(other_name / "out"):
            pass
        other_name.unlink()
        held.communicate()
    with alone(out), alone(out):  # again within the same process
        assert [file.name for file in out.parent.iterdir()] == [".out.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with holding(tmp_path / "out") as held:
        held.send_signal(signal.SIGKILL)
        held.wait()
    with alone(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_who_waits_is_let_in_when_the_other_is_done(tmp_path: Path) -> None:
    with holding(tmp_path / "out") as held:
        assert held.stdin is not None
        threading.Timer(0.3, held.stdin.close).start()
        with alone(tmp_path / "out", wait=True):
            assert (tmp_path / ".out.lock").exists()
        held.wait()
    assert list(tmp_path.iterdir()) == []
