"""The command line, as a user meets it: real processes, exit codes, JSON, and no traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import Call, infofuse
from infofuse.cli import VERBS
from infofuse.data import Corpus
from infofuse.data.store import write_store
from infofuse.data.synthetic import synthesize

TFN = Path(__file__).parents[2] / "recipes" / "mosi" / "tfn.toml"


@pytest.fixture(scope="module")
def data(small_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "corpus"
    write_store(small_corpus, path)
    return path


def test_train_then_evaluate(data: Path, tiny_bert: str, tmp_path: Path) -> None:
    words = (
        "train", "--paper", "mmim", "--data", data, "--seeds", "1-2", "--out", tmp_path / "run",
        "--set", f"model.text_encoder={tiny_bert}", "--set", "train.epochs=1",
    )  # fmt: skip
    done = infofuse(*words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "2 seeds" in done.stdout
    assert "Acc-2 (negative / positive" in done.stdout
    heading = done.stdout.splitlines()[0].split()
    assert heading == ["2", "seeds", "valid", "test", "constant", "linear"]
    assert "Not above the floor: " in done.stdout  # after an epoch of a tiny model
    assert max(len(line) for line in done.stdout.splitlines() if "Written" not in line) <= 80
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    for seed in ("1", "2"):
        own = json.loads((tmp_path / f"run/seed-{seed}/metrics.json").read_text())
        assert own == metrics["seeds"][seed]
        assert {"mae", "corr"} <= own["test"].keys()
        assert "mae" in own["valid"]
        assert (tmp_path / f"run/seed-{seed}/checkpoint/model.safetensors").is_file()
    assert (tmp_path / "run/curves.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "run/recipe.toml").is_file()

    again = infofuse(*words, "--json")
    assert json.loads(again.stdout) == metrics

    scored = infofuse("evaluate", tmp_path / "run/seed-1", data, "--json")
    result = json.loads(scored.stdout)
    assert result["scores"] == metrics["seeds"]["1"]["test"]
    assert result["test_openings"] == 2
    assert result["same_data"]
    spoken = infofuse("evaluate", tmp_path / "run/seed-1", data)
    assert "opened 3 times" in spoken.stdout
    several = infofuse("evaluate", tmp_path / "run", data)
    assert several.returncode == 2
    assert "seed-1, seed-2" in several.stderr


def test_papers_and_cite() -> None:
    assert "mmim" in infofuse("papers").stdout
    found = json.loads(infofuse("papers", "--json").stdout)
    assert found["mmim"]["arxiv"] == "2109.00412"
    cited = infofuse("cite", "mmim").stdout
    assert cited.startswith("@inproceedings{mmim,")
    assert "Wei Han and Hui Chen and Soujanya Poria" in cited
    assert "bibtex" in json.loads(infofuse("cite", "mmim", "--json").stdout)


def test_synth_and_doctor(tmp_path: Path) -> None:
    sets = ("--set", "train=30", "--set", "valid=10", "--set", "test=10")
    made = infofuse("synth", tmp_path / "a", "--seed", 4, *sets, "--json")
    same = infofuse("synth", tmp_path / "b", "--seed", 4, *sets, "--json")
    assert json.loads(made.stdout)["fingerprint"] == json.loads(same.stdout)["fingerprint"]
    for one in (tmp_path / "a").iterdir():
        assert one.read_bytes() == (tmp_path / "b" / one.name).read_bytes()
    looked = infofuse("doctor", tmp_path / "a", "--json")
    assert looked.returncode == 0, looked.stdout
    assert json.loads(looked.stdout)["ready"]
    lost = infofuse("doctor", tmp_path / "c")
    assert lost.returncode == 1
    assert "NO  data: there is no" in lost.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("train", "no.toml"), "there is no recipe no.toml"),
        (("train", "--paper", "mmin", "--data", "x"), "did you mean 'mmim'?"),
        (("train", "--paper", "mmim"), "give --data"),
        (("train", "--paper", "mmim", "--data", "nothing.pkl"), "there is no nothing.pkl"),
        (("train", "--paper", "mmim", "--data", "x", "--set", "model.beat=1"), "'model.beta'"),
        (("train", str(TFN), "--paper", "mmim"), "'tfn', and --paper says 'mmim'"),
        (("tune", str(TFN), "--paper", "mmim"), "'tfn', and --paper says 'mmim'"),
        (("study", "report", "x", "--jobs", "3"), "leave out --jobs, --protocol and --log"),
        (("study", "report", "x", "--protocol", "release"), "a report trains nothing"),
        (("train", "--paper", "mmim", "--data", "x", "--seeds", "1-" + 9 * "9"), "at most 10000"),
        (("cite", "mmm"), "unknown paper 'mmm'"),
        (("evaluate", "nowhere", "nothing"), "holds no checkpoint"),
        (("synth", "x", "--preset", "dmeo"), "'demo'"),
        (("synth", "x", "--set", "nois=1"), "noise"),
        (("synth", "x", "--set", "train"), "--set takes key=value"),
        (("explain", "x", "y", "--clips", "-1"), "'--clips'"),
        (("train", "--paper", "lf_dnn", "--data", "x", "--set", "paper=3"), "paper = 3: a name"),
        (("train", "--paper", "mmim", "--data", "x", "--seeds", "1" + 21 * "0"), "from 0 to 2^63"),
        (("train", "--paper", "mmim", "--data", "x", "--seeds", 5000 * "9"), "from 0 to 2^63"),
        (("synth", "x", "--set", "train=99999999999999"), "train of a synthetic corpus is at most"),
        (("synth", "x", "--set", "audio_width=99999999999"), "is at most 100,000; found"),
        (("inspect", "\udcff.pkl"), "is not UTF-8: rename the file"),
        (("frobnicate",), "No such command"),
        (("train", "--frobnicate"), "No such option"),
        (("train", str(TFN), "--strategy", "ddp"), "--strategy is gone"),
    ],
)
def test_a_mistake_gets_a_sentence_and_status_2(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, error = call(*words)
    assert (status, sentence in error) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("train .", "error: . cannot be used: Is a directory"),
        ("tune .", "error: . cannot be used: Is a directory"),
        ("train --paper lf_dnn --data DATA --out file", "file cannot be used: Not a directory"),
        ("train --paper lf_dnn --data DATA --out file/x", "file is a file, and no folder"),
        ("demo --out file", "file is a file, and no folder"),
        ("convert DATA file/x", "file is a file, and no folder"),
        ("audit DATA --html file/x.html", "file is a file, and no folder"),
        ("synth file/x", "file is a file, and no folder"),
        ("export none --onnx .", "has no name of its own"),
        ("explain none DATA --out file/x.html", "file is a file, and no folder"),
        ("robustness none DATA --out folder.png", "folder.png is a folder"),
        ("measure none DATA --out folder.png", "folder.png is a folder"),
        ("predict none clip.wav --out folder.png", "folder.png is a folder"),
    ],
)
def test_a_path_that_cannot_be_used_gets_a_sentence_before_anything_is_computed(
    words: str,
    sentence: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder.png").mkdir()
    status, _, error = call(*words.replace("DATA", str(data)).split())
    assert (status, error.count("\n")) == (2, 1)
    assert sentence in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]


@pytest.mark.parametrize(
    "words",
    [
        "train --paper lf_dnn --data DATA --out out",
        "tune --paper lf_dnn --data DATA --out out",
        "study study.toml --out out",
        "convert DATA out",
        "synth out",
        "extract DATA --out out",
        "export none --onnx out",
        "demo --out out",
        "audit DATA --html out",
        "explain none DATA --out out",
        "robustness none DATA --out out",
        "measure none DATA --out out",
        "predict none clip.wav --out out",
    ],
)
def test_a_place_that_another_process_writes_to_is_refused_by_its_pid(
    words: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.chdir(tmp_path)
    row = 'title = "T"\nseeds = 1\nbaseline = "a"\n[rows]\na.paper = "lf_dnn"\n'
    row += f'[data]\nd.path = "{data}"\n'
    Path("study.toml").write_text(row)
    hold = "import sys; from pathlib import Path; from infofuse.files import alone\n"
    hold += "with alone(Path('out')): print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as held:
        assert held.stdout is not None
        held.stdout.readline()
        status, _, error = call(*words.replace("DATA", str(data)).split())
        held.communicate()
    assert (status, error.count("\n")) == (2, 1)
    assert f"out is being written by another process (pid {held.pid})" in error
    assert [entry.name for entry in tmp_path.iterdir()] == ["study.toml"]


def test_a_pickle_with_code_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    done = infofuse("train", "--paper", "mmim", "--data", "evil.pkl", cwd=tmp_path)
    assert done.returncode == 2
    assert "os.system" in done.stderr or "posix.system" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.pkl"]


def test_help_fits_eighty_columns() -> None:
    for verb in (
        "train",
        "evaluate",
        "measure",
        "explain",
        "demo",
        "papers",
        "cite",
        "synth",
        "doctor",
    ):
        done = infofuse(verb, "--help")
        assert done.returncode == 0
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "--json" in done.stdout
        assert "Traceback" not in done.stderr


def test_the_overview_says_each_verb_in_a_whole_sentence() -> None:
    _, verbs = infofuse("--help").stdout.split("Commands:\n")
    assert len(verbs.splitlines()) == len(VERBS)
    assert "..." not in verbs


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which has no room")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "infofuse", "papers"],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: the disk is full")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_demonstration_shows_its_systems_side_by_side(tmp_path: Path, call: Call) -> None:
    """On fewer clips: it takes the corpus that is there."""
    few = synthesize("demo", 0, ["train=16", "valid=8", "test=8"])
    write_store(few, tmp_path / "corpus")
    status, said, _ = call("demo", "--out", tmp_path, "--seeds", "1")
    assert status == 0
    assert "Test split of the generated corpus, mean ± sd of 1 seed:" in said
    lines = said.splitlines()
    (mae,) = (line for line in lines if line.startswith("MAE"))
    assert len(mae.split()) == 4  # its name, and three systems
    assert any(line.startswith("(3) text only: ") for line in lines)
