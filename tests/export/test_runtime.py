"""An exported model is used without torch, and answers as the checkpoint does."""

import ast
import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import infofuse
import infofuse_runtime
from helpers import Call
from infofuse.conformal import Calibration
from infofuse.data import Corpus
from infofuse.data.synthetic import synthesize
from infofuse.errors import InfofuseError
from infofuse.export import export_onnx, folder
from infofuse.predict import Predictor
from infofuse.tasks import Classification, MultiLabel, Regression
from infofuse.training import resolve, train
from infofuse.types import Clips
from infofuse_runtime import Refusal, Runtime
from infofuse_runtime.labels import Labels, limits, read_scores

SOURCE = Path(infofuse_runtime.__file__).parent

# Imports the runtime where torch and infofuse cannot be had: folder, clips and answers are files.
ALONE = """
import json, sys

class Nowhere:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {"torch", "transformers", "infofuse"}:
            raise ImportError(f"{name} is out of reach")

sys.meta_path.insert(0, Nowhere())
import numpy as np
from infofuse_runtime import Runtime

runtime = Runtime.load(sys.argv[1], threads=1)
clips = np.load(sys.argv[2])
texts = json.loads(str(clips["texts"]))
features = {
    m: [clips[f"{m}_{i}"] for i in range(len(texts))] for m in runtime.modalities if m != "text"
}
np.save(sys.argv[3], runtime(texts, features))
"""


@pytest.fixture(scope="module")
def run(small_corpus: Corpus, tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"text_encoder": tiny_bert},
        "train": {"epochs": 1},
    }
    out = tmp_path_factory.mktemp("export") / "run"
    train(resolve(tables), out, corpus=small_corpus)
    return out


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    export_onnx(run, run.parent / "out")
    return run.parent / "out"


def given(clips: Clips) -> tuple[list[str], dict[str, list[np.ndarray]]]:
    """The clips as the runtime takes them."""
    return list(clips.texts), {m: list(column) for m, column in clips.features.items()}


def thinned(clips: Clips, seed: int = 0) -> Clips:
    """The clips, each modality of each taken away with a chance of a third."""
    gone = np.random.default_rng(seed).random((3, len(clips))) < 1 / 3
    texts = ["" if g else t for g, t in zip(gone[0], clips.texts, strict=True)]
    features = {
        m: type(c).of([x[:0] if g else x for g, x in zip(lost, c, strict=True)])
        for lost, (m, c) in zip(gone[1:], clips.features.items(), strict=True)
    }
    return dataclasses.replace(clips, texts=texts, features=features)


def test_two_hundred_clips_without_torch(run: Path, exported: Path, tmp_path: Path) -> None:
    clips = synthesize("demo", 5, ["train=1", "valid=1", "test=200"]).split("test")
    clips = thinned(clips)
    texts, features = given(clips)
    arrays = {f"{m}_{i}": x for m, column in features.items() for i, x in enumerate(column)}
    np.savez(tmp_path / "clips.npz", texts=json.dumps(texts), **arrays)
    subprocess.run(
        [sys.executable, "-c", ALONE, exported, tmp_path / "clips.npz", tmp_path / "answers.npy"],
        check=True,
        env={"PYTHONPATH": str(SOURCE.parent)},
    )
    expected = infofuse.predictions(infofuse.load(run / "seed-1111/checkpoint"), clips)
    found = np.load(tmp_path / "answers.npy")
    assert found.shape == (200, 1)
    assert np.abs(found - expected).max() <= 1e-4
    assert np.ptp(expected) > 0.01


def test_it_imports_three_libraries() -> None:
    found = set()
    for path in SOURCE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
    ours = found - set(sys.stdlib_module_names)
    assert ours == {"infofuse_runtime", "numpy", "onnxruntime", "tokenizers"}


def test_answers_are_the_predictors(run: Path, exported: Path, small_corpus: Corpus) -> None:
    clips = thinned(small_corpus.split("test"))
    found = Runtime.load(exported, threads=1).answers(*given(clips), confidence=0.8)
    for ours, theirs in zip(found, Predictor.load(run, confidence=0.8)(clips), strict=True):
        assert ours.present == theirs.present
        assert ours.answer == pytest.approx(theirs.answer, abs=1e-4)
        assert (ours.interval is None) == (theirs.interval is None)
        if ours.interval is not None:
            np.testing.assert_allclose(ours.interval, theirs.interval, atol=1e-4)
    assert any(answer.interval is not None for answer in found)


def test_order_and_company_do_not_matter(exported: Path, small_corpus: Corpus) -> None:
    runtime, clips = Runtime.load(exported, threads=1), small_corpus.split("test")
    whole = runtime(*given(clips))
    for batch in (1, 3):
        np.testing.assert_allclose(runtime(*given(clips), batch=batch), whole, atol=1e-5)
    back = clips.take(range(len(clips))[::-1])
    np.testing.assert_allclose(runtime(*given(back))[::-1], whole, atol=1e-5)


def test_views_are_the_models(run: Path, exported: Path, small_corpus: Corpus) -> None:
    clips = small_corpus.split("test")
    found = Runtime.load(exported, threads=1).run(*given(clips))
    assert set(found) == {"prediction", "view_text", "view_audio", "view_vision", "view_fused"}
    model = infofuse.load(run / "seed-1111/checkpoint")
    head = model.head
    with torch.no_grad():
        again = head(torch.from_numpy(found["view_fused"]))
    np.testing.assert_allclose(again.numpy(), found["prediction"], atol=1e-4)


def test_the_folder_says_what_it_is(run: Path, exported: Path) -> None:
    facts = json.loads((exported / "config.json").read_text())
    assert facts["inputs"]["audio"] == {"reads": "features", "width": 24}
    assert facts["inputs"]["text"] == {"reads": "tokens", "max_tokens": 128}
    assert facts["parity"]["largest_difference"] <= facts["parity"]["bound"] == 1e-4
    calibration = run / "seed-1111/checkpoint/calibration.json"
    assert (exported / "calibration.json").read_bytes() == calibration.read_bytes()
    graph = onnx.load(exported / "model.onnx").graph
    shapes = {
        x.name: [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim]
        for x in graph.input
    }
    assert shapes["text"] == ["batch", "text_time"]
    assert shapes["audio"] == ["batch", "audio_time", 24]
    assert shapes["vision_lengths"] == ["batch"]


def test_texts_are_cut_where_the_model_cuts_them(exported: Path) -> None:
    runtime = Runtime.load(exported, threads=1)
    long = "good " * 500
    short = "good " * 126
    np.testing.assert_array_equal(runtime([long]), runtime([short]))


def test_what_fails_the_comparison_is_not_written(
    run: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "BOUND", 0.0)
    with pytest.raises(InfofuseError, match="nothing was written"):
        export_onnx(run, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_only_what_was_exported_is_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InfofuseError, match="something else than an exported model"):
        export_onnx(tmp_path / "before a run is looked for", tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "dear"


REFUSED = {
    "reads no 'smell'": (["a"], {"smell": [np.zeros((2, 3))]}),
    "an entry a clip; found 2 of audio, 1 of text": (["a"], {"audio": [None, None]}),
    "found nothing": (None, {}),
    "found 0 of text": ([], {}),
    r"audio of clip 1 has the shape \(2, 3\); the model reads \(steps, 24\)": (
        None,
        {"audio": [None, np.zeros((2, 3))]},
    ),
    "not finite": (None, {"audio": [np.full((2, 24), np.nan)]}),
    "audio is a sequence of numbers a clip": (None, {"audio": ["loud"]}),
    "a list with a text a clip": ([1], {}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusals(message: str, exported: Path) -> None:
    texts, features = REFUSED[message]
    with pytest.raises(Refusal, match=message):
        Runtime.load(exported, threads=1)(texts, features)


def test_batches_and_threads_are_counted_from_1(exported: Path) -> None:
    for batch in (0, -1):
        with pytest.raises(Refusal, match=f"batch is at least 1; found {batch}"):
            Runtime.load(exported, threads=1)(["a"], batch=batch)
    with pytest.raises(Refusal, match="threads are at least 1; found -1"):
        Runtime.load(exported, threads=-1)


def test_it_is_short_to_look_at(exported: Path) -> None:
    assert len(repr(Runtime.load(exported, threads=1))) < 500


def test_folders_that_are_no_exported_model(run: Path, exported: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="there is no file"):
        Runtime.load(tmp_path)
    with pytest.raises(Refusal, match="not an exported model of format 1"):
        Runtime.load(run / "seed-1111/checkpoint")
    (tmp_path / "config.json").write_text((exported / "config.json").read_text())
    with pytest.raises(Refusal, match="cannot be read: Not a directory"):
        Runtime.load(exported / "model.onnx")
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(Refusal, match="cannot be run"):
        Runtime.load(tmp_path)
    shutil.copy(exported / "model.onnx", tmp_path)
    with pytest.raises(Refusal, match="is no tokenizer"):
        Runtime.load(tmp_path)


TASKS = {
    "mosi": Regression(2, (-3.0, 3.0), "mosi"),
    "plain": Regression(2, None, "plain"),
    "classification": Classification(("a", "b", "c")),
    "multilabel": MultiLabel(("a", "b", "c")),
}


@pytest.mark.parametrize("metrics", TASKS)
def test_labels_are_the_tasks(metrics: str) -> None:
    """Answers, chances and conformal regions of random predictions, by our rules and the tasks'."""
    task, rng = TASKS[metrics], np.random.default_rng(0)
    span, classes = getattr(task, "label_range", None), getattr(task, "classes", ())
    labels = Labels(metrics, classes, span)
    predictions = rng.normal(size=(40, task.width)).astype(np.float32)
    columns = [sorted(rng.random(19).tolist()) for _ in range(task.outputs)]
    calibration = Calibration({("text",): tuple(np.array(c) for c in columns)})
    scores = read_scores(calibration.to_json())
    np.testing.assert_array_equal(labels.answer(predictions), task.answer(predictions))
    readable = task.readable(predictions)
    np.testing.assert_allclose(labels.readable(predictions), readable, rtol=1e-5)
    for confidence in (0.5, 0.9, 0.99):
        within = limits(scores, ("text",), confidence)
        assert within == calibration.limits(("text",), confidence)
        region = task.region(readable, np.array([within] * len(predictions)))
        for i, row in enumerate(predictions):
            said = labels.say(row, ("text",), within)
            assert said.answer == pytest.approx(task.say(task.answer(row[None])[0]))
            if region.classes is not None:
                assert said.classes == tuple(np.array(classes)[region.classes[i]])
            elif np.isfinite(region.interval[i]).all():
                np.testing.assert_allclose(said.interval, region.interval[i], rtol=1e-6)
            else:
                assert said.interval is None
    assert limits(scores, (), 0.5) == [np.inf] * task.outputs


def test_command_lines(
    run: Path,
    exported: Path,
    tmp_path: Path,
    call: Call,
) -> None:
    status, said, _ = call("export", run, "--onnx", tmp_path / "o")
    assert status == 0
    assert "reads text, audio, vision" in said
    assert all(len(line) <= 80 for line in said.replace(str(tmp_path), "").splitlines())
    np.savez(tmp_path / "clip.npz", audio=np.ones((4, 24), np.float32))
    words = ["--text", "I loved it.", "--features", tmp_path / "clip.npz"]
    answer = json.loads(runtime(tmp_path / "o", *words, "--json").stdout)
    expected = Runtime.load(exported, 1)(["I loved it."], {"audio": [np.ones((4, 24))]})
    assert answer["answer"] == pytest.approx(expected[0], abs=1e-5)
    assert answer["present"] == ["text", "audio"]
    assert runtime(tmp_path / "o", *words).stdout.startswith("answer    ")
    wrong = runtime(tmp_path / "nowhere", *words)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: there is no file")
    assert "give --text or --features" in runtime(tmp_path / "o").stderr
    np.save(tmp_path / "clip.npy", np.ones(3))
    (tmp_path / "empty.npz").touch()
    for name in ("clip.npy", "empty.npz"):
        refused = runtime(tmp_path / "o", "--features", tmp_path / name)
        assert refused.returncode == 2
        assert "is no .npz file of plain arrays" in refused.stderr
    empty = Runtime.load(exported, 1)(["I loved it."], {"audio": [[]]})
    np.testing.assert_array_equal(empty, Runtime.load(exported, 1)(["I loved it."]))


def runtime(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "infofuse_runtime", *map(str, words), "--threads", "1"],
        capture_output=True, text=True, env={"PYTHONPATH": str(SOURCE.parent)},
    )  # fmt: skip
