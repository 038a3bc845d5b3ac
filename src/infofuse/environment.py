"""What a run ran on, and with how many threads."""

import contextlib
import importlib.metadata
import os
import platform
from collections.abc import Iterator

PACKAGES = ("infofuse", "torch", "lightning-fabric", "transformers", "numpy", "pyarrow")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on, and the machine."""
    found = {name: _version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found, "machine": machine()}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def machine() -> str:
    """Processor, cores and system, such as "x86_64, 2 cores, Linux"."""
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """torch has one thread inside: sums are taken in one order, however many are set outside."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
