"""A line of bounded length, and the two places at its end: decoders, and the one model."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.exceptions import HTTPException

from infofuse.serve.limits import Limits

T = TypeVar("T")


class Queue:
    """Who is inside is counted from the head of the request on: a body takes room, too.

    Clips are decoded by so many workers, each of which waits for a process of its own; the model
    answers one request after the other.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.inside = 0
        self._decoders = ThreadPoolExecutor(limits.workers, "decoder")
        self._model = ThreadPoolExecutor(1, "model")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place inside while the block runs. Raises 503 where there is none."""
        if self.inside >= self.limits.waiting:
            raise HTTPException(
                503, "too many requests are waiting; try again", {"retry-after": "2"}
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def prepare(self, work: Callable[[], None]) -> None:
        """Done before the first clip is decoded."""
        self._decoders.submit(work)

    async def decode(self, work: Callable[[float], T]) -> T:
        """What `work` gives, when a decoder is free; it is told how many seconds it has left."""
        end = time.monotonic() + self.limits.answer_seconds
        return await self._in(self._decoders, lambda: work(end - time.monotonic()))

    async def model(self, work: Callable[[], T]) -> T:
        """What `work` gives, when the model is free."""
        return await self._in(self._model, work)

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    def close(self) -> None:
        """Let nobody else in, and wait for nobody."""
        for threads in (self._decoders, self._model):
            threads.shutdown(wait=False, cancel_futures=True)
