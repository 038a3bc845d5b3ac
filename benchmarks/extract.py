"""What extraction costs: seconds of CPU a second of clip by stage, memory, processes, and a kill.

usage: python benchmarks/extract.py SHARED OUT

SHARED holds data/clips/*.mp4 (real clips with faces and speech). OUT receives what is made on the
way. Every stage runs in a process of its own, with one thread, so that its peak memory is its own;
each is called once before it is timed, so that loading a model is counted apart ("load"). CPU
seconds are what is reported first: they say the same on a machine that is busy.
"""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})

import numpy as np

from markdown_table import tabled

CLIPS = ("mosi_Oz06ZWiO20M_6.mp4", "mexca_5s.mp4", "pyfeat_single.mp4")
FPS = 12.5
MANY, KILLS = 1000, (100, 400, 700)


@dataclass(frozen=True)
class Cost:
    """Of one stage over some clips. load: CPU seconds of the first call beyond a usual one."""

    seconds: float
    cpu: float
    wall: float
    load: float
    peak: float

    def row(self, name: str) -> list[str]:
        per, clock = self.cpu / self.seconds, self.wall / self.seconds
        return [name, f"{per:.3f}", f"{clock:.3f}", f"{self.load:.1f}", f"{self.peak:.0f}"]


def stage(name: str) -> Callable[[Path], Any]:
    """What a stage does with a file."""
    from infofuse.extract import recipe
    from infofuse.extract.clip import extract_clip
    from infofuse.extract.media import open_media

    def decode(path: Path) -> int:
        return sum(frame.image.shape[0] for frame in open_media(path, fps=FPS).frames)

    def one(modality: str, extractor: str) -> Callable[[Path], Any]:
        made = recipe.stage(modality, extractor)
        return lambda path: made(open_media(path, fps=FPS))

    whole = recipe.default_recipe()
    return {
        "sound": lambda path: open_media(path, fps=FPS),
        "sound and frames": decode,
        "sound, descriptors": one("audio", "descriptors"),
        "sound, whisper's encoder": one("audio", "whisper"),
        "sound, words by whisper": one("text", "whisper"),
        "sound, frames, face": one("vision", "face"),
        "all of the default recipe": lambda path: extract_clip(path, whole),
    }[name]


STAGES = (
    "sound",
    "sound and frames",
    "sound, descriptors",
    "sound, whisper's encoder",
    "sound, words by whisper",
    "sound, frames, face",
    "all of the default recipe",
)


def measure(name: str, files: list[Path]) -> Cost:
    """In this process: the second time that each file is read, and how much more the first took."""
    import torch

    from infofuse.extract.media import open_media

    torch.set_num_threads(1)
    work = stage(name)
    seconds = sum(open_media(file, fps=FPS).seconds for file in files)
    begin = time.process_time()
    work(files[0])
    first = time.process_time() - begin
    begin = time.process_time()
    work(files[0])
    load = first - (time.process_time() - begin)
    cpu, wall = time.process_time(), time.perf_counter()
    for file in files:
        work(file)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(seconds, cpu, wall, max(0.0, load), peak)


def by_stage(files: list[Path]) -> str:
    """A table with a row a stage."""
    rows = []
    context = multiprocessing.get_context("spawn")
    for name in STAGES:
        with context.Pool(1) as pool:
            rows.append(pool.apply(measure, (name, files)).row(name))
        print(*rows[-1], flush=True)
    return tabled(["stage", "CPU s / s of clip", "wall s / s", "load, CPU s", "peak MB"], rows)


def copies(files: list[Path], folder: Path, times: int) -> Path:
    """A folder with each clip several times, each a little other, so that all must be made."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(times):
        for file in files:
            (folder / f"{file.stem}_{i}.mp4").write_bytes(file.read_bytes() + bytes([i]))
    return folder


def in_processes(folder: Path, out: Path) -> str:
    """A table of wall time by processes."""
    rows = []
    for jobs in (1, 2):
        begin = time.perf_counter()
        subprocess.run(command(folder, out / f"store-{jobs}", jobs), check=True)
        wall = time.perf_counter() - begin
        rows.append([jobs, f"{wall:.1f}", len(list(folder.iterdir()))])
        print(*rows[-1], flush=True)
    return tabled(["processes", "wall s", "clips"], rows)


def command(folder: Path, out: Path, jobs: int, *options: str) -> list[str]:
    words = ["extract", str(folder), "--out", str(out), "--jobs", str(jobs), *options]
    return [sys.executable, "-m", "infofuse", *words]


def write_tones(folder: Path) -> None:
    """Clips of half a second, each another tone."""
    import wave

    folder.mkdir(parents=True, exist_ok=True)
    at = np.arange(8000) / 16_000
    for i in range(MANY):
        with wave.open(str(folder / f"clip_{i}.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes((9000 * np.sin(2 * np.pi * (80 + 0.4 * i) * at)).astype("<i2"))
    (folder / "broken.wav").write_bytes(b"no sound")  # so that what is kept stays to be counted


def killed(out: Path) -> str:
    """Kill -9 an extraction of many clips three times, and count what is made more than once."""
    write_tones(out / "many")
    store, kept = out / "many-store", out / ".many-store.clips"
    words = command(out / "many", store, 2, "--audio", "descriptors")
    words += ["--vision", "none", "--text", "none"]
    lines, before = [], made(kept)
    for count in KILLS:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        while len(made(kept)) < count and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(3)  # a worker ends with the clip that it has
        after = made(kept)
        again = sum(after[name] != when for name, when in before.items())
        lines.append(f"* killed at {len(after)} clips: {again} made again")
        print(lines[-1], flush=True)
        before = after
    begin = time.perf_counter()
    status = subprocess.run(words, stdout=subprocess.DEVNULL).returncode
    after = made(kept)
    again = sum(after[name] != when for name, when in before.items())
    wall = time.perf_counter() - begin
    lines.append(
        f"* run to its end: {len(after)} clips, {again} made again, {wall:.0f} s for the rest, "
        f"exit status {status} (one file is no sound)"
    )
    return "\n".join(lines)


def made(kept: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in kept.glob("*.safetensors")}


def main() -> None:
    shared, out = Path(sys.argv[1]), Path(sys.argv[2])
    files = [shared / "data/clips" / name for name in CLIPS]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    for title, found in (
        ("By stage", by_stage(files)),
        ("One process and two", in_processes(copies(files, out / "copies", 2), out)),
        ("A kill", killed(out)),
    ):
        print(f"\n## {title}\n\n{found}", flush=True)
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
