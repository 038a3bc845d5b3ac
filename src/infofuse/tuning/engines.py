"""Where trials run: in processes of this machine, or on a Ray cluster."""

import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_all_start_methods, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from infofuse.errors import MACHINE, InfofuseError, missing, refusal_of
from infofuse.files import read_json
from infofuse.tuning.trial import Job, Result, run_trial

ATTEMPTS = 3
"""How often a trial is begun whose process is killed."""

PRELOADED = (__name__, "lightning_fabric", "optuna", "torchmetrics", "transformers")
"""What all trials import, which takes seconds: done once, where processes can be forked."""

Engine = Callable[[Sequence[Job]], Iterator[Result]]
"""Runs all the jobs and gives each one's result once, in the order in which they end."""

LOST = f"its process was killed {ATTEMPTS} times"


def local(at_once: int) -> Engine:
    """Processes of this machine, so many at once, one torch thread each.

    A trial whose process is killed goes on in another. They end when this process does.
    """
    if at_once < 1:
        raise InfofuseError(f"at least one trial runs at a time; found --jobs {at_once}")
    forks = "forkserver" in get_all_start_methods()
    context: Any = get_context("forkserver" if forks else "spawn")
    context.set_forkserver_preload(list(PRELOADED))

    def begin(job: Job) -> tuple[BaseProcess, Connection]:
        ours, its = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(job, its), daemon=True)
        process.start()
        its.close()
        return process, ours

    def run(jobs: Sequence[Job]) -> Iterator[Result]:
        waiting = [(job, ATTEMPTS) for job in jobs]
        running: dict[BaseProcess, tuple[Job, int, Connection]] = {}
        while waiting or running:
            while waiting and len(running) < at_once:
                job, attempts = waiting.pop(0)
                process, said = begin(job)
                running[process] = job, attempts, said
            connection.wait([process.sentinel for process in running])
            for process in [p for p in running if not p.is_alive()]:
                job, attempts, said = running.pop(process)
                if job.record.is_file():
                    yield Result.from_json(read_json(job.record))
                elif process.exitcode == BROKEN:
                    why = _heard(said) or "see the error above"
                    raise InfofuseError(f"trial {job.number} could not be run; {why}")
                elif attempts > 1:
                    waiting.append((job, attempts - 1))
                else:
                    yield Result(job.number, "failed", reason=LOST)

    return run


BROKEN, ORPHANED = 1, 3
"""Exit status of a trial that raised an error, and of one whose tuning was killed."""


def _work(job: Job, told: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run_trial(job)
    except InfofuseError as error:
        why = str(error)
    except MACHINE as error:
        why = refusal_of(error)
    else:
        return
    told.send_bytes(why.encode("utf-8", "backslashreplace"))
    sys.exit(BROKEN)


def _heard(said: Connection) -> str:
    """What a process has told before it ended, if it did."""
    try:
        return said.recv_bytes().decode() if said.poll() else ""
    except EOFError:
        return ""


def _end_with_parent() -> None:
    """No trial goes on where its tuning was killed: started again, the two would collide."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(ORPHANED)


def on_ray(address: str | None = None) -> Engine:
    """The nodes of a Ray cluster, a core for each trial; Ray begins anew what a lost node ran.

    address: as `ray.init` takes it; the cluster that runs on this machine if None. Data and
    folder must be at the same paths on every node.
    """
    ray = _ray()
    if not ray.is_initialized():
        ray.init(address=address or "auto", log_to_driver=False, logging_level="error")
    remote = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(run_trial)

    def run(jobs: Sequence[Job]) -> Iterator[Result]:
        waiting = {remote.remote(job): job for job in jobs}
        while waiting:
            (done,), _ = ray.wait(list(waiting))
            job = waiting.pop(done)
            try:
                yield ray.get(done)
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError):
                yield Result(job.number, "failed", reason=LOST)

    return run


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise missing("--engine ray needs Ray", "ray") from None
