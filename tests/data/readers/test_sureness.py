"""Which reader reads a path: the surest of all, whoever is asked first, and one alone."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import folders
import numpy as np
import pytest
import writers
from writers import make, put, put_csd

from infofuse.data import Corpus, open_corpus, readers, write_store
from infofuse.data.corpus import format_of, formats, known_format, reader
from infofuse.data.readers import Sureness
from infofuse.errors import InfofuseError

TRUTH = make({"train": [(2, 3, 4), (1, 5, 2)], "test": [(2, 2, 2)]})
HOSTILE = b"cos\nsystem\n(Vtrue\ntR."


def pickled(data: dict[str, Any]) -> Callable[[Path], Path]:
    return lambda folder: put(folder / "a.pkl", data)


def folder_of(*fills: Callable[[Path], Any]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        folder = folder / "set"
        folder.mkdir()
        for fill in fills:
            fill(folder)
        return folder

    return write


def csv(name: str, content: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / f"{name}.csv").write_text(content)


def mag_folder(folder: Path) -> None:
    for name, clips in writers.mag(TRUTH).items():
        put(folder / f"{name}.pkl", clips)


def dataset(folder: Path) -> None:
    datasets.Dataset.from_dict({"id": ["a"], "label": [1.0]}).save_to_disk(folder)


def csd(folder: Path) -> None:
    put_csd(folder, writers.csd(TRUTH))


IDS, PAIRS = "id,label\na_1,1\n", "video_id,clip_id,label\nv,01,1\n"
LAYOUTS: list[tuple[str, Callable[[Path], Path]]] = [
    ("mmsa", pickled(writers.mmsa(TRUTH))),
    ("mmsa", pickled(writers.mmsa(TRUTH, aligned=True))),
    ("mult", pickled(writers.mult(TRUTH))),
    ("mag", pickled(writers.mag(TRUTH))),
    ("mag", pickled(writers.mag(TRUTH, 6))),
    ("mag", folder_of(mag_folder)),
    ("mmsa_clip", pickled(writers.one_clip(TRUTH))),
    ("clip_csv", folder_of(folders.clip_csv)),
    ("fet", folder_of(folders.fet)),
    ("mertools", folder_of(folders.mertools)),
    ("mertools", folder_of(csv("label", "name,emo,val\na,sad,1\n"))),
    ("audformat", folder_of(folders.audformat)),
    ("huggingface", folder_of(folders.huggingface)),
    ("huggingface", folder_of(dataset)),
    ("csd", folder_of(csd)),
]
MIXED: list[tuple[str, Callable[[Path], Path]]] = [
    ("mmsa", pickled({"train": writers.mmsa(TRUTH)["train"] | writers.mult(TRUTH)["train"]})),
    ("mmsa", pickled({"vocabulary": [("a", 1)], **writers.mmsa(TRUTH)})),
    ("mmsa_clip", pickled({**writers.one_clip(TRUTH), "words": [("so", 0.0, 0.4)]})),
    ("audformat", folder_of(folders.audformat, csv("speakers", IDS))),
    ("clip_csv", folder_of(folders.clip_csv, csv("actors", "name,emotion\nx,sad\n"))),
    ("huggingface", folder_of(folders.huggingface, csv("clips", IDS))),
    ("mag", folder_of(mag_folder, csv("clips", IDS))),
    ("mertools", folder_of(folders.mertools, csv("clips", PAIRS))),
    ("csd", folder_of(csd, csv("clips", IDS))),
]
CASES = [pytest.param(*case, id=f"{i}-{case[0]}") for i, case in enumerate(LAYOUTS + MIXED)]


@pytest.mark.parametrize(("name", "write"), CASES)
def test_one_reader_is_the_surest_in_whatever_order_they_are_asked(
    name: str, write: Callable[[Path], Path], tmp_path: Path
) -> None:
    path, names = write(tmp_path), formats()
    orders = (names, names[::-1], random.Random(0).sample(names, len(names)))
    first, *others = ({n: reader(n).recognises(path) for n in order} for order in orders)
    assert others == [first, first]
    assert [n for n, sure in first.items() if sure == max(first.values())] == [name]
    assert format_of(path) == name


def test_a_store_is_a_store_whatever_lies_in_it(small_corpus: Corpus, tmp_path: Path) -> None:
    write_store(small_corpus, tmp_path / "store")
    csv("clips", IDS)(tmp_path / "store")
    assert open_corpus(tmp_path / "store").fingerprint == small_corpus.fingerprint


def test_every_reader_answers_and_knows_of_no_other(tmp_path: Path) -> None:
    assert {name for name, _ in LAYOUTS} | {"store"} == set(formats())
    for name in formats():
        assert reader(name).recognises(tmp_path) is Sureness.NO
        assert not set(formats()) & set(vars(reader(name)))


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (folder_of(csv("clips", IDS), csv("label", PAIRS)), "clip_csv as fet"),
        (pickled({**writers.mmsa(TRUTH), "audio": np.ones((2, 3))}), "mmsa as mmsa_clip"),
    ],
)
def test_what_two_are_equally_sure_of_is_refused(
    write: Callable[[Path], Path], names: str, tmp_path: Path
) -> None:
    path = write(tmp_path)
    with pytest.raises(InfofuseError) as refusal:
        open_corpus(path)
    assert str(refusal.value) == (
        f"{path} is as much {names}, by what it holds; give each format a place of its own"
    )


def test_what_one_cannot_look_into_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "train.pkl").write_bytes(HOSTILE)
    with pytest.raises(InfofuseError, match=r"train\.pkl asks for os\.system, which is code"):
        known_format(tmp_path)
    folders.clip_csv(tmp_path)
    assert known_format(tmp_path) == "clip_csv"


@pytest.fixture
def new_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A file beside those of `infofuse.data.readers`, for MMSA's pickles that have a key "ours"."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "a_new_one.py").write_text(
        "from infofuse.data.readers import Sureness, mmsa\n"
        "from infofuse.data.unpickle import load_pickle, looks_like_pickle\n"
        "def recognises(path):\n"
        "    found = looks_like_pickle(path) and 'ours' in load_pickle(path)\n"
        "    return Sureness.CERTAIN if found else Sureness.NO\n"
        "read = mmsa.read\n"
    )
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(folder)])
    yield
    sys.modules.pop("infofuse.data.readers.a_new_one", None)
    vars(readers).pop("a_new_one", None)


@pytest.mark.usefixtures("new_reader")
def test_a_new_format_costs_one_file_and_the_surer_reader_wins(tmp_path: Path) -> None:
    theirs = put(tmp_path / "theirs.pkl", writers.mmsa(TRUTH))
    ours = put(tmp_path / "ours.pkl", writers.mmsa(TRUTH) | {"ours": 1})
    assert (format_of(theirs), format_of(ours)) == ("mmsa", "a_new_one")
    assert open_corpus(ours).fingerprint == open_corpus(theirs).fingerprint


COUNTED = """
import sys
from pathlib import Path
from infofuse.data.corpus import known_format, open_corpus
loads = []
sys.addaudithook(lambda event, arguments: loads.append(event) if event == "mmap.__new__" else None)
for ask in (known_format, open_corpus):
    for path in sys.argv[1:]:
        try:
            ask(Path(path))
        except Exception:
            pass
        print(len(loads))
        loads.clear()
"""


def test_all_readers_together_load_a_pickle_once(tmp_path: Path) -> None:
    good = put(tmp_path / "good.pkl", writers.mmsa(TRUTH))
    none = put(tmp_path / "none.pkl", [1])
    bad = tmp_path / "bad.pkl"
    bad.write_bytes(HOSTILE)
    words = [sys.executable, "-c", COUNTED, str(good), str(none), str(bad)]
    run = subprocess.run(words, check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["1"] * 6
