"""What a run ran on."""

import importlib.metadata
import os
import platform

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
