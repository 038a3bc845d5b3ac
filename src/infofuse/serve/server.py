"""The service as a process: one uvicorn server on a socket of its own."""

import contextlib
import re
import socket
from collections.abc import Callable

from infofuse.errors import InfofuseError
from infofuse.predict import Predictor
from infofuse.serve.child import Extract
from infofuse.serve.guard import LOOPBACK
from infofuse.serve.limits import Limits


def serve(
    predictor: Predictor,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    token: str | None = None,
    limits: Limits | None = None,
    extract: Extract | None = None,
    announce: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve a predictor until the process is told to end.

    port: 0 for one that is free. token: needed where others than this machine can reach the
    service. announce: called with the address once connections are taken. extract: see
    `create_app`.

    Raises InfofuseError if there is no token where one is needed, a token that no header
    can hold, or the port is taken.
    """
    import uvicorn

    from infofuse.serve.app import create_app
    from infofuse.serve.protocol import timed

    if token is not None and not re.fullmatch(r"[!-~]+", token):
        raise InfofuseError("a token is one word of ASCII letters, digits and signs")
    limits = limits or Limits()
    local = host in LOOPBACK
    if not local and not token:
        raise InfofuseError(
            f"at {host} others can reach the service: give --token, or INFOFUSE_TOKEN, with a "
            f"long random word, or stay at 127.0.0.1"
        )
    app = create_app(
        predictor, limits, token=token, hosts=None if token else LOOPBACK, extract=extract
    )
    config = uvicorn.Config(
        app,
        http=timed(limits.header_seconds),
        h11_max_incomplete_event_size=2**14,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=5,
    )
    with _listening(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        announce(f"http://{name}:{listener.getsockname()[1]}/")
        with contextlib.suppress(KeyboardInterrupt):  # which uvicorn raises again when it is done
            uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise InfofuseError(f"{host}:{port} cannot be listened at: {error.strerror}") from None
