"""HTTP/1.1 with a bound on the time that a client may take to send a request's head.

uvicorn bounds the idle time between requests, but waits without end for the rest of a head, and
for the rest of a body that was refused: a few hundred clients that send a byte a minute would
hold every connection.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_LATE = b'{"error": "the request took too long to arrive"}'
_HEAD = (
    "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\n"
    f"connection: close\r\ncontent-length: {len(_LATE)}\r\n\r\n"
)


def timed(seconds: float) -> type[H11Protocol]:
    """A protocol whose connections are closed where they are without a request for so long."""

    class Timed(H11Protocol):
        """A connection that must show a whole head in time, after its start and each answer."""

        _timer: asyncio.TimerHandle | None = None
        _heard = False

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)  # type: ignore[arg-type]
            self._expect_request()

        def data_received(self, data: bytes) -> None:
            self._heard = True
            super().data_received(data)
            if self._timer is not None and not self._is_free():
                self._timer.cancel()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self._is_free():
                self._expect_request()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _is_free(self) -> bool:
            cycle: Any = self.cycle
            return cycle is None or cycle.response_complete

        def _expect_request(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
            self._heard = False
            self._timer = self.loop.call_later(seconds, self._give_up)

        def _give_up(self) -> None:
            if self._heard and self.cycle is None:
                self.transport.write(_HEAD.encode() + _LATE)
            self.transport.close()

    return Timed
