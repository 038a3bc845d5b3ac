"""What a run ran on, with how many threads, and who keeps the memory that it frees."""

import contextlib
import ctypes
import importlib.metadata
import os
import platform
from collections.abc import Iterator

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_GIBIBYTE = 1 << 30
_UNITS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}
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
    """Processor, cores and system, such as "Intel Xeon 8488C, AMX, 2 cores, Linux"."""
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()}"


def processor() -> str:
    """The processor's name, and the widest units that kernels of matrices find in it.

    Kernels for other units add in another order, so that figures differ in their last digits, and
    after a training in more.
    """
    name, flags = platform.processor() or platform.machine(), ""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as said:
        lines = (line.partition(":") for line in said.read().split("\n\n")[0].splitlines())
        known = {key.strip(): value.strip() for key, _, value in lines}
        name, flags = known.get("model name", name), known.get("flags", "")
    units = next((unit for flag, unit in _UNITS.items() if flag in flags.split()), "")
    return f"{name}, {units}" if units else name


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


def keep_freed_memory() -> None:
    """What this process frees stays its own, for the next tensors, and not the system's.

    glibc gives tensors of 32 MB and more back at once, and at the next step the system must find
    and clear their pages again: half of a training epoch of TFN, a tenth of MMIM's. The process
    keeps its largest size until it ends, which training has anyway. Without glibc nothing is done.
    """
    if platform.libc_ver()[0] == "glibc":
        allocator = ctypes.CDLL(None)
        allocator.mallopt(_MMAP_THRESHOLD, _GIBIBYTE)
        allocator.mallopt(_TRIM_THRESHOLD, 2 * _GIBIBYTE - 1)
