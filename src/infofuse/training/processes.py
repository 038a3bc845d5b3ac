"""A run in several processes: how they start, which is the first, and what a lost one means."""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from infofuse.errors import InfofuseError
from infofuse.training.recipe import TrainConfig

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LOST = (
    "a process of this run has ended before the others, which end too; the same command goes on "
    "from the last snapshot"
)
FAILED, MISTAKE = 1, 2
PERIOD = 0.2
_said = threading.Lock()


def rank() -> int:
    """This process's number among those of a run; 0 where it is alone."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", 0)))


def fabric_of(config: TrainConfig, **choices: Any) -> "Fabric":
    """Fabric as a recipe asks for it, on one device unless told otherwise.

    Raises InfofuseError for a device that is not there.
    """
    from lightning_fabric import Fabric

    precision: Any = {"float32": "32-true", "bf16": "bf16-mixed"}[config.precision]
    try:
        return Fabric(accelerator=config.device, precision=precision, **({"devices": 1} | choices))
    except (ImportError, RuntimeError, ValueError) as error:
        if config.device in ("cpu", "auto"):
            raise
        said = str(error).splitlines()[0]
        raise InfofuseError(f"train.device is {config.device!r}, not to be had: {said}") from None


def launch(config: TrainConfig, devices: int = 1) -> "Fabric":
    """Fabric with its processes running: this one, and others that were given the same command.

    devices: processes on this machine, each with a device of its own, or a share of the CPU.
    Under torchrun, which has started them, as many as `--nproc-per-node` says.

    Raises InfofuseError for fewer than one process, and where another number of processes has been
    started already.
    """
    world = int(os.environ.get("WORLD_SIZE", devices))
    _refuse(devices, int(os.environ.get("LOCAL_WORLD_SIZE", world)))
    if world == 1:
        return fabric_of(config)
    nodes = world // devices
    fabric = fabric_of(config, devices=devices, num_nodes=nodes, strategy=_replicas())
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # its banner of processes
    fabric.launch()
    children = getattr(fabric.strategy.launcher, "procs", [])
    if children:
        threading.Thread(target=_end_with, args=(children,), daemon=True).start()
    return fabric


def _replicas() -> Any:
    """Fabric's data-parallel strategy without torch's wrapper around the model.

    `DistributedDataParallel` averages gradients while it goes back from the output of its own
    forward. Here a loss may take the model twice (dependency penalties), leave out parts of it, or
    not be of the model (estimators); `infofuse.training.share` averages before each step instead.
    """
    from lightning_fabric.strategies import DDPStrategy

    class Replicas(DDPStrategy):
        def setup_module(self, module: Any) -> Any:
            return module

    return Replicas()


def _refuse(devices: int, started: int) -> None:
    if devices < 1:
        raise InfofuseError(f"a run takes at least one process; found --devices {devices}")
    if started != devices:
        raise InfofuseError(
            f"{started} processes of this run have been started on this machine (by torchrun?) and "
            f"--devices says {devices}: give --devices {started}"
        )


@contextlib.contextmanager
def together(fabric: "Fabric") -> Iterator[None]:
    """Inside, the loss of a process ends the others: with one sentence, said once.

    Raises InfofuseError in the process that says it, and SystemExit in the others.
    """
    parent = os.getppid()
    try:
        yield
    except RuntimeError as error:
        if fabric.world_size == 1 or not _is_loss(error):
            raise
        if _speaks(fabric, parent):
            raise InfofuseError(LOST) from error
        raise SystemExit(FAILED) from None


def _is_loss(error: RuntimeError) -> bool:
    from torch.distributed import DistError

    return isinstance(error, DistError) or "gloo" in str(error)


def _speaks(fabric: "Fabric", parent: int) -> bool:
    """The first process does; the second, if the first, which has started it, is gone."""
    if fabric.is_global_zero:
        if not _said.acquire(blocking=False):
            time.sleep(60)  # the watch has said it, and is about to end this process
        _kill(getattr(fabric.strategy.launcher, "procs", []))
        return True
    time.sleep(5 * PERIOD)
    return fabric.global_rank == 1 and os.getppid() != parent


def _end_with(children: list[Any]) -> None:
    """End this process when one that it has started ends badly, whatever it is doing."""
    while not any(child.poll() for child in children):
        time.sleep(PERIOD)
    if _said.acquire(blocking=False):
        print(f"error: {LOST}", file=sys.stderr, flush=True)
        _kill(children)
        os._exit(MISTAKE)


def _kill(children: list[Any]) -> None:
    for child in children:
        child.kill()
