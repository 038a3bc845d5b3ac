"""An exported model beside torch: its answers where there is no torch, and its speed.

    python benchmarks/runtime.py alone    # a virtual environment of its own, 200 clips
    python benchmarks/runtime.py speed    # minutes; clips a second in batches of 1, 8 and 32

Each writes a section of results/serve.md, as JSON in results/serve; `python benchmarks/serve.py
page` makes the page. The weights of the models are random: they say nothing, and cost what any
others do. Clips are generated.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import infofuse
import infofuse_runtime
from infofuse import papers
from infofuse.data import Corpus
from infofuse.data.synthetic import synthesize
from infofuse.encoders.cache import nothing_kept
from infofuse.environment import machine
from infofuse.export import export_onnx
from infofuse.models import fit_inputs
from infofuse.training import checkpoint
from infofuse.training.recipe import Recipe
from infofuse.types import Clips
from serve import write_section

PAPERS = ("mmim", "mult", "mag")
BATCHES = (1, 8, 32)
CLIPS, TURNS = 32, 5
LIBRARIES = ("numpy", "onnxruntime", "tokenizers")

ALONE = """
import importlib.util, json, sys
import numpy as np
from infofuse_runtime import Runtime

for name in ("torch", "transformers", "infofuse"):
    assert importlib.util.find_spec(name) is None, name
runtime = Runtime.load(sys.argv[1], threads=1)
clips = np.load(sys.argv[2])
texts = json.loads(str(clips["texts"]))
features = {m: [clips[f"{m}_{i}"] for i in range(len(texts))] for m in ("audio", "vision")}
np.save(sys.argv[3], runtime(texts, features))
"""


def exported(paper: str, corpus: Corpus, folder: Path) -> tuple[Path, Path]:
    """A checkpoint of the paper's default model, and what it was exported to."""
    config = papers.get(paper).Config()
    model, objective = papers.build(paper, config, corpus.spec)
    fit_inputs(model, corpus.split("train"))
    saved, out = folder / paper, folder / f"{paper}-onnx"
    checkpoint.save(saved, model, objective, Recipe(paper, "given", config), corpus.spec, {})
    export_onnx(saved, out)
    return saved, out


def given(clips: Clips) -> tuple[list[str], dict[str, list[np.ndarray]]]:
    """The clips as the runtime takes them."""
    return list(clips.texts), {m: list(column) for m, column in clips.features.items()}


def alone() -> None:
    """200 clips, a third of whose modalities is missing, answered without torch."""
    corpus = synthesize("demo", 0, ["train=16", "valid=1", "test=200"])
    clips, rng = corpus.split("test"), np.random.default_rng(0)
    texts, features = given(clips)
    texts = ["" if rng.random() < 1 / 3 else text for text in texts]
    features = {
        m: [x[: 0 if rng.random() < 1 / 3 else None] for x in column]
        for m, column in features.items()
    }
    thinned = Clips.of(
        [
            infofuse.Sample(str(i), {m: column[i] for m, column in features.items()}, text)
            for i, text in enumerate(texts)
        ],
        corpus.spec.features,
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        python = environment(here / "venv")
        arrays = {f"{m}_{i}": x for m, column in features.items() for i, x in enumerate(column)}
        np.savez(here / "clips.npz", texts=json.dumps(texts), **arrays)
        for paper in PAPERS:
            saved, out = exported(paper, corpus, here)
            words = ["-c", ALONE, out, here / "clips.npz", here / "answers.npy"]
            subprocess.run([python, *map(str, words)], check=True, env={})
            with nothing_kept():
                expected = infofuse.predictions(infofuse.load(saved), thinned)
            far = np.abs(np.load(here / "answers.npy") - expected).max()
            rows.append([paper, f"{far:.1e}", f"{np.ptp(expected):.2f}"])
            print(*rows[-1], flush=True)
        size = sum(f.stat().st_size for f in (here / "venv").rglob("*") if f.is_file()) / 1e6
        words = ["-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check"]
        listed = subprocess.run([python, *words], check=True, capture_output=True, text=True)
    versions = [
        line.replace("==", " ") for line in listed.stdout.split() if line.startswith(LIBRARIES)
    ]
    text = (
        f"Made by `python benchmarks/runtime.py alone`: a virtual environment of {size:,.0f} MB in "
        f"which {', '.join(versions)} and what they need are installed, without torch, "
        f"transformers and infofuse itself, answers for 200 generated clips, of which each "
        f"modality of a third is missing. The largest difference from torch's answers may be 1e-4."
    )
    heading = ["model", "largest difference", "range of the answers"]
    title = "The exported model where there is no torch"
    write_section("runtime_alone", title, text, heading, rows)


def environment(folder: Path) -> Path:
    """The interpreter of a new virtual environment with the runtime and its libraries."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *LIBRARIES]
    subprocess.run([python, *words], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    source = Path(infofuse_runtime.__file__).parent
    shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    return python


def speed() -> None:
    """Clips a second of both sides, in turns, with one thread each; kept after each paper."""
    corpus = synthesize("demo", 0, ["train=16", "valid=1", f"test={CLIPS}"])
    rows: list[list[Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for paper in PAPERS:
            saved, out = exported(paper, corpus, Path(folder))
            model, runtime = infofuse.load(saved), infofuse_runtime.Runtime.load(out, threads=1)
            for batch in BATCHES:
                rows.append([paper, batch, *compared(model, runtime, corpus.split("test"), batch)])
                print(*rows[-1], flush=True)
            write_speed(rows)


def write_speed(rows: list[list[Any]]) -> None:
    load = f"{os.getloadavg()[1]:.0f}"
    text = (
        f"Made by `python benchmarks/runtime.py speed` on {machine()}, at a load of {load}. "
        f"Default models with the MiniLM text encoder. Both sides begin with texts and features "
        f"and end with answers, a batch at a time: tokens, padding, model. They take turns of "
        f"{CLIPS} clips, {TURNS} each after one to warm up, with one thread each; the ratio is "
        f"that of each pair of turns, above 1 where onnxruntime is faster."
    )
    heading = ["model", "batch", "torch, clips a second", "onnxruntime", "ratio (least to most)"]
    write_section("runtime", "Speed of the exported model beside torch", text, heading, rows)


def compared(model: Any, runtime: Any, clips: Clips, batch: int) -> list[str]:
    """Clips a second of torch and of onnxruntime, medians, and the ratio of the turns."""
    chunks = [clips.take(range(i, i + batch)) for i in range(0, len(clips), batch)]
    raw = [given(chunk) for chunk in chunks]
    with nothing_kept():
        sides: Sequence[Callable[[], Any]] = (
            lambda: [infofuse.predictions(model, chunk) for chunk in chunks],
            lambda: [runtime(*chunk, batch) for chunk in raw],
        )
        turns = [[seconds(side) for side in sides] for _ in range(TURNS + 1)][1:]
    ratios = [torch / onnx for torch, onnx in turns]
    rates = [f"{len(clips) / median(side):,.0f}" for side in zip(*turns, strict=True)]
    return [*rates, f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"]


def seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["alone", "speed"])
    what = parser.parse_args().what
    {"alone": alone, "speed": speed}[what]()


if __name__ == "__main__":
    main()
