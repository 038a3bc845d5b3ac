"""What a process asks of the machine."""

import platform
import subprocess
import sys

import pytest
import torch

from infofuse.environment import machine, processor

FAULTS = """
import resource, sys, torch
from infofuse.environment import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.ones(9 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print([faults() for _ in range(5)][-1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_freed_memory_is_used_again_without_asking_the_system() -> None:
    def pages(how: str) -> int:
        words = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

    assert pages("keep") < pages("as it was") / 10


def test_the_machine_names_its_processor() -> None:
    """Figures differ in their last digits from one to another."""
    assert processor()
    assert machine().startswith(processor())
    units = [unit for unit in ("AMX", "AVX-512", "AVX2") if processor().endswith(f", {unit}")]
    if platform.machine() == "x86_64" and platform.system() == "Linux":
        capability = torch.backends.cpu.get_cpu_capability()  # of AMX torch says AVX512
        assert bool(units) == (capability != "DEFAULT")
