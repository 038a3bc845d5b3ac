"""Work on many things in a few processes, each of which may die without the others."""

import contextlib
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from infofuse.errors import InfofuseError

PATIENCE = 3600.0
_GOODBYE = 5.0
_HEAVY = "infofuse.extract.folder"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Failed:
    """A task that has no result, and why."""

    reason: str


def run(
    work: Callable[[Any], Any],
    tasks: Sequence[Any],
    jobs: int,
    report: Callable[[int, int], None] = lambda done, total: None,
    patience: float = PATIENCE,
) -> list[Any]:
    """work(task) of every task, in their order; `Failed` where it raises, dies, or takes too long.

    jobs: processes, each with one thread for the libraries that ask. None is a fork of this one,
    so `work` and the tasks must be picklable, and a script that calls this needs the usual
    `if __name__ == "__main__":`. report: is told (done, total). patience: seconds for one task.
    """
    results: list[Any] = [None] * len(tasks)
    waiting, done = iter(enumerate(tasks)), 0
    workers = [_Worker(work) for _ in range(min(jobs, len(tasks)))]
    try:
        workers = [worker for worker in workers if worker.take(waiting, patience)]
        while workers:
            for worker in _answered(workers):
                index, results[index] = worker.index, worker.answer()
                done += 1
                report(done, len(tasks))
                if not worker.process.is_alive():
                    workers[workers.index(worker)] = worker = _Worker(work)
                if not worker.take(waiting, patience):
                    worker.dismiss()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.end()
    return results


def _answered(workers: Sequence["_Worker"]) -> list["_Worker"]:
    """Those that have an answer, have died, or have had enough time."""
    left = min(worker.until for worker in workers) - time.monotonic()
    ready = wait([worker.pipe for worker in workers], max(0.0, left))
    now = time.monotonic()
    return [worker for worker in workers if worker.pipe in ready or worker.until <= now]


class _Worker:
    """A process, and the task that it has."""

    def __init__(self, work: Callable[[Any], Any]):
        context = _context()
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _single_threaded():
            self.process.start()
        theirs.close()  # so that its death ends the pipe
        self.index, self.until, self.patience = -1, math.inf, math.inf

    def take(self, waiting: Iterator[tuple[int, Any]], patience: float) -> bool:
        """Give it the next task; False if there is none."""
        index, task = next(waiting, (-1, None))
        if index < 0:
            return False
        self.index, self.patience, self.until = index, patience, time.monotonic() + patience
        with contextlib.suppress(OSError):  # it died at once: its answer will say so
            self.pipe.send(task)
        return True

    def answer(self) -> Any:
        """What it says, or why it cannot say anything."""
        if not self.pipe.poll():
            self.end()
            return Failed(f"it took more than {self.patience:g} s")
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return Failed(_death(self.process.exitcode or 0))

    def dismiss(self) -> None:
        """Let an idle one end by itself, so that it gives back what libraries took."""
        self.pipe.close()
        self.process.join(_GOODBYE)
        self.end()

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _context() -> Any:
    """Processes are forked from one that has imported what is heavy and has done nothing yet."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_HEAVY])
    return context


def _death(code: int) -> str:
    if code >= 0:
        return f"the process that read it ended with status {code}"
    name = signal.Signals(-code).name
    hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
    return f"the process that read it died ({name}{hint})"


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """A process started in the block gets one thread from libraries: processes share the cores."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """Answer tasks until the pipe ends, which it does when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends us
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(_result(work, pipe.recv()))


def _result(work: Callable[[Any], Any], task: Any) -> Any:
    try:
        return work(task)
    except InfofuseError as error:
        return Failed(str(error))
    except Exception as error:  # one clip's trouble is reported, and is not the others'
        return Failed(f"{type(error).__name__}: {error}")
