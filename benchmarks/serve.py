"""How long a caller of `infofuse serve` waits, under load.

    python benchmarks/serve.py latency --clip CLIP   # minutes; results/serve/latency.json
    python benchmarks/serve.py page                  # results/serve.md, of all results/serve/*.json

The service is a process of its own, asked over HTTP by 1, 4 and 8 clients that each wait for their
answer before they ask again. Its model is MMIM with the MiniLM text encoder, trained for one epoch
on generated clips: its weights say nothing, its cost is that of any other. It reads the words that
come with a clip, descriptors of the voice, and the face.

A section of the page is a JSON file in results/serve/: title, text, heading and rows of a table.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from markdown_table import tabled

RESULTS = Path(__file__).parent / "results"
CLIENTS = (1, 4, 8)
WORDS = "I liked the beginning of this film very much, but then it became boring and slow."
TEXT = (
    "Made by `python benchmarks/serve.py latency` on {machine}, load averages {loads}, with one "
    "thread. Where other work runs beside it, read the last column: the processor time of the "
    "service and its decoders, an answer. A client asks again when it has its answer, so that with "
    "several most of the time is spent waiting in line: the model answers one request after the "
    "other, and one clip is decoded at a time. Each answer holds an interval, what each modality "
    "says alone, exact Shapley values (8 passes), and for a clip a timeline. The clip is "
    "{seconds:g} seconds of a talking head, 480 by 360. What took longer than the service's limit "
    "of 120 s was refused, and is not counted as answered."
)


def train(out: Path) -> Path:
    """A checkpoint that reads clips."""
    from infofuse.data.synthetic import synthesize
    from infofuse.extract.recipe import FeatureRecipe, stage
    from infofuse.training import resolve
    from infofuse.training import train as run

    stages = {"audio": "descriptors", "vision": "face", "text": "given"}
    recipe = FeatureRecipe(**{m: stage(m, name) for m, name in stages.items()})
    widths = ["audio_width=42", "vision_width=59"]  # of these two extractors
    corpus = synthesize("demo", 0, ["train=64", "valid=32", "test=16", *widths])
    corpus = replace(corpus, spec=replace(corpus.spec, extraction=recipe.to_json()))
    tables = {"paper": "mmim", "data": "given", "seeds": "1", "train": {"epochs": 1}}
    run(resolve(tables), out, corpus=corpus, test=False)
    return out / "seed-1"


@contextmanager
def service(run: Path) -> Iterator[tuple[str, int]]:
    """The address and number of a process that serves this run."""
    words = ["-m", "infofuse", "serve", run, "--port", "0", "--json"]
    process = subprocess.Popen(
        [sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads("".join(process.stdout.readline() for _ in range(3)))["url"], process.pid
    finally:
        process.terminate()
        process.wait()


def latencies(ask: Callable[[int], Any], clients: int, count: int) -> tuple[list[float], float]:
    """Seconds until each answer that came, in order, and until the last."""

    def timed(i: int) -> tuple[int, float]:
        begin = time.perf_counter()
        return ask(i).status_code, time.perf_counter() - begin

    begin = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        asked = list(pool.map(timed, range(count)))
    return sorted(t for status, t in asked if status == 200), time.perf_counter() - begin


def processor(pid: int) -> float:
    """Seconds of processor time that a service, and the decoders that it forked, have used."""
    import psutil

    process = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:4]) for one in [process, *process.children(recursive=True)])


def measure(run: Path, clip: bytes, texts: int, clips: int) -> Iterator[list[Any]]:
    """The rows of the table."""
    import httpx

    with service(run) as (url, pid), httpx.Client(base_url=url, timeout=600) as client:
        kinds = {
            "words": (texts, lambda i: client.post("predict", json={"text": f"{WORDS} {i}"})),
            "a clip with its words": (
                clips,
                lambda i: client.post("predict", files={"clip": clip}, data={"text": WORDS}),
            ),
        }
        for kind, (count, ask) in kinds.items():
            ask(0).raise_for_status()
            for clients in CLIENTS:
                before = processor(pid)
                found, wall = latencies(ask, clients, count)
                spent = f"{1000 * (processor(pid) - before) / count:,.0f}"
                times = [f"{1000 * _quantile(found, q):,.0f}" for q in (50, 95, 99)]
                rate = f"{len(found) / wall:.2g}"
                yield [kind, clients, f"{len(found)} of {count}", *times, rate, spent]


def _quantile(found: list[float], q: int) -> float:
    return found[min(len(found) - 1, len(found) * q // 100)] if found else float("nan")


def latency(options: argparse.Namespace) -> None:
    from infofuse.environment import machine

    heading = ["asked", "clients", "answered", "p50, ms", "p95", "p99", "a second", "processor, ms"]
    rows: list[list[Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        run = options.run or train(Path(folder) / "run")
        for row in measure(run, options.clip.read_bytes(), options.texts, options.clips):
            print(*row)
            rows.append(row)
            loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
            text = TEXT.format(machine=machine(), loads=loads, seconds=options.seconds)
            write_section("latency", "How long a caller waits", text, heading, rows)
    page()


def write_section(
    name: str, title: str, text: str, heading: list[str], rows: list[list[Any]]
) -> None:
    """Keep a section of the page."""
    from infofuse.files import write_json

    section = {"title": title, "text": text, "heading": heading, "rows": rows}
    write_json(RESULTS / "serve" / f"{name}.json", section)


def page() -> None:
    """Write the page from all sections, in the order of their file names."""
    from infofuse.files import write_text

    sections = [json.loads(f.read_text()) for f in sorted((RESULTS / "serve").glob("*.json"))]
    parts = ["# The service and the exported model", *map(_section, sections)]
    write_text(RESULTS / "serve.md", "\n\n".join(parts) + "\n")


def _section(section: dict[str, Any]) -> str:
    table = tabled(section["heading"], section["rows"])
    return f"## {section['title']}\n\n{section['text']}\n\n{table}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["latency", "page"])
    parser.add_argument("--clip", type=Path, help="a short video")
    parser.add_argument("--seconds", type=float, default=7.4, help="how long it is")
    parser.add_argument("--run", type=Path, help="a seed's folder, in place of a new one")
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--clips", type=int, default=16)
    options = parser.parse_args()
    page() if options.what == "page" else latency(options)


if __name__ == "__main__":
    main()
