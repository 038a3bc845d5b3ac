"""The same search on a Ray cluster of two worker nodes, of which one is lost on the way."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from searching import TRIALS, essence, here, search

from infofuse.tuning.engines import on_ray

ray: Any = pytest.importorskip("ray", reason="needs Ray: pip install 'infofuse[ray]'")
QUIET = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def node(*options: str) -> subprocess.Popen[bytes]:
    """`ray start`, in a process group of its own, so that it can be lost as a machine is."""
    words = ["start", "--block", "--disable-usage-stats", "--object-store-memory=100000000"]
    command = [str(Path(sys.executable).with_name("ray")), *words, *options]
    return subprocess.Popen(
        command, env=os.environ | QUIET, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def lose(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(cores: int, deadline: float = 120.0) -> None:
    end = time.monotonic() + deadline
    while ray.cluster_resources().get("CPU", 0) < cores:
        assert time.monotonic() < end, f"the cluster never had {cores} cores"
        time.sleep(0.1)


def connect(address: str, deadline: float = 120.0) -> None:
    end = time.monotonic() + deadline
    while True:
        try:
            ray.init(address, log_to_driver=False, logging_level="critical")
            return
        except ConnectionError:
            assert time.monotonic() < end, "the head node never answered"
            time.sleep(0.5)


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """A head without a core, and two nodes of one core each; this process is connected."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nodes = [node("--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false")]
    try:
        connect(f"127.0.0.1:{port}")
        for cores in (1, 2):
            nodes.append(node(f"--address=127.0.0.1:{port}", "--num-cpus=1"))
            wait_for(cores)
        yield nodes[1:]
    finally:
        ray.shutdown()
        for process in nodes:
            if process.poll() is None:
                lose(process)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own
def test_a_lost_node_changes_nothing(
    data: Path, tmp_path: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    out = tmp_path / "search"

    def lose_one() -> None:
        while len(list(out.glob("trials/*/seed-*"))) < 2:  # both nodes are at work
            time.sleep(0.005)
        lose(workers[0])

    threading.Thread(target=lose_one, daemon=True).start()
    found = search(data, out, on_ray())
    assert workers[0].poll() is not None
    assert essence(found) == essence(search(data, tmp_path / "here", here))
    assert len(list(out.glob("trials/*.json"))) == TRIALS
