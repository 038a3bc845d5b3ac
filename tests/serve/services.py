"""Services as processes of their own, and what asks them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

for _needed in ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "httpx", "psutil"):
    pytest.importorskip(_needed, reason=f"needs {_needed}: pip install 'infofuse[serve,dev]'")

import httpx  # noqa: E402
import psutil  # noqa: E402

TOKEN = "a-long-word"
STRANGE = Path(__file__).with_name("strange.py")


class Running:
    """A service that runs, and can be killed and started again.

    folder: holds its log, and `scratch`, its folder of temporary files.
    """

    def __init__(self, words: Sequence[object], folder: Path, headers: dict[str, Any]) -> None:
        self.words, self.folder, self.headers = list(map(str, words)), folder, headers
        self.scratch = folder / "scratch"
        self.scratch.mkdir(parents=True)
        self.start()

    def start(self) -> None:
        environment = os.environ | {"TMPDIR": str(self.scratch), "OMP_NUM_THREADS": "1"}
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.words],
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
            )  # fmt: skip
        assert self.process.stdout is not None
        url = httpx.URL(_address(self.process.stdout, self.folder / "log"))
        self.port: int = url.port or 80
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=300, headers=self.headers)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        self.client.close()
        self.process.send_signal(how)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def ask(self, **question: Any) -> httpx.Response:
        return self.client.post("/predict", json=question)

    def send(self, clip: bytes, **fields: str) -> httpx.Response:
        return self.client.post("/predict", files={"clip": clip}, data=fields)

    def works(self) -> bool:
        return self.send(b"answer 1 0.5").status_code == 200

    def say(self, sent: bytes) -> bytes:
        """What it says to bytes that need not be HTTP; nothing if it hangs up."""
        with socket_to(self.port) as connection:
            try:
                connection.sendall(sent)
                return connection.recv(65536)
            except ConnectionError:
                return b""

    def helpers(self) -> list[psutil.Process]:
        """The server from which decoders are forked, and the like."""
        return psutil.Process(self.process.pid).children()

    def decoders(self) -> list[psutil.Process]:
        return [child for helper in self.helpers() for child in helper.children()]


def strange(model: Path, folder: Path, headers: Any = (), **options: Any) -> Any:
    """The service of strange.py, stopped at the end of the block."""
    return _until_stopped(Running([STRANGE, model, json.dumps(options)], folder, dict(headers)))


def served(model: Path, folder: Path, *words: object) -> Any:
    """The service of `infofuse serve`, stopped at the end of the block."""
    command = ["-m", "infofuse", "serve", model, "--port", 0, "--json", *words]
    return _until_stopped(Running(command, folder, {}))


@contextlib.contextmanager
def _until_stopped(service: Running) -> Iterator[Running]:
    try:
        yield service
    finally:
        service.stop()
        assert "Traceback" not in (service.folder / "log").read_text()


def socket_to(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def _address(output: IO[str], log: Path) -> str:
    """The address that a service prints as JSON when it is ready."""
    lines: list[str] = []
    while not lines or not lines[-1].endswith("}\n"):
        line = output.readline()
        assert line, log.read_text()
        lines.append(line)
    return json.loads("".join(lines))["url"]
