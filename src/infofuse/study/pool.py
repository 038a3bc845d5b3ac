"""Jobs in processes of their own, a few at a time, with the time that is left for all."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from infofuse.errors import MACHINE, InfofuseError, refusal_of
from infofuse.study.worker import MISTAKE, do

POLL_SECONDS = 0.1
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Job:
    """What a worker is told. kind: jobs of a kind take about as long. finished: before it runs."""

    name: str
    kind: str
    facts: dict[str, Any]
    finished: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class Ended:
    """A job that ended. failure: "" if it went well."""

    job: Job
    seconds: float
    failure: str


@dataclass(frozen=True)
class Standing:
    """How far all jobs are. running: their names. ended: the job that just did."""

    total: int
    done: int
    running: tuple[str, ...]
    seconds_left: float | None
    ended: Ended | None


Watch = Callable[[Standing], None]
"""Called as a job begins or ends (then `ended` says which), and while all are waited for."""


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def run_all(jobs: Sequence[Job], at_once: int, watch: Watch = lambda _: None) -> list[Ended]:
    """Run what is not finished. A job that fails stops no other; those that failed come back.

    at_once: processes; 0 for one job after the other in this process, which a debugger can follow.
    """
    waiting = [job for job in jobs if not job.finished]
    times = Times([(j.kind, j.seconds) for j in jobs if j.finished and j.seconds])
    running: list[_Running] = []
    failed: list[Ended] = []

    def tell(ended: Ended | None = None) -> None:
        done = len(jobs) - len(waiting) - len(running)
        names = tuple(r.job.name for r in running)
        left = times.left([j.kind for j in waiting], running, at_once)
        watch(Standing(len(jobs), done, names, left, ended))

    def finish(ended: Ended) -> None:
        if ended.failure:
            failed.append(ended)
        times.add(ended)
        tell(ended)

    while at_once == 0 and waiting:
        finish(_run_here(waiting.pop(0)))
    with _stopping(running):
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_start(waiting.pop(0)))
                tell()
            for one in [r for r in running if r.process.poll() is not None]:
                running.remove(one)
                finish(_end(one))
            time.sleep(POLL_SECONDS)
            tell()
    return failed


def _run_here(job: Job) -> Ended:
    began = time.monotonic()
    try:
        do(job.facts)
        failure = ""
    except InfofuseError as error:
        failure = str(error)
    except MACHINE as error:
        failure = refusal_of(error)
    return Ended(job, time.monotonic() - began, failure)


@contextlib.contextmanager
def _stopping(running: list[_Running]) -> Iterator[None]:
    """Leave no process behind, whatever ends the block."""
    try:
        yield
    finally:
        for one in running:
            one.process.kill()
            one.process.wait()
            one.said.close()


def _start(job: Job) -> _Running:
    """The worker holds our end of its standard input: when we are gone, however, so is it."""
    said = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the job ends)
    command = [sys.executable, "-m", "infofuse.study.worker", json.dumps(job.facts)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=said,
        env=os.environ | ONE_THREAD,
    )
    return _Running(job, process, said)


def _end(one: _Running) -> Ended:
    with one.said:
        one.said.seek(0)
        lines = one.said.read().decode(errors="replace").strip().splitlines()
    assert one.process.stdin is not None
    one.process.stdin.close()
    code = one.process.returncode
    last = lines[-1] if lines else f"ended with status {code}"
    failure = "" if code == 0 else last if code == MISTAKE else f"a mistake of infofuse: {last}"
    return Ended(one.job, one.seconds, failure)


class Times:
    """How long jobs took, by kind, and so how long those to come may take."""

    def __init__(self, known: Sequence[tuple[str, float]]):
        self.by_kind: dict[str, list[float]] = {}
        for kind, seconds in known:
            self.by_kind.setdefault(kind, []).append(seconds)

    def add(self, ended: Ended) -> None:
        """Learn from a job that went well."""
        if not ended.failure:
            self.by_kind.setdefault(ended.job.kind, []).append(ended.seconds)

    def expected(self, kind: str) -> float:
        """The mean of its kind, or else of all."""
        known = self.by_kind.get(kind) or [s for kind in self.by_kind.values() for s in kind]
        return sum(known) / len(known)

    def left(self, kinds: Sequence[str], running: Sequence[_Running], at_once: int) -> float | None:
        """Seconds until all are done, None before any is known."""
        if not self.by_kind:
            return None
        rest = [max(0.0, self.expected(r.job.kind) - r.seconds) for r in running]
        return (sum(map(self.expected, kinds)) + sum(rest)) / max(1, at_once)
