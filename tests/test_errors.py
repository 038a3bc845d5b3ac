"""What the machine refuses, in a sentence."""

import errno
import os
import subprocess
import sys

import pytest

from infofuse.errors import refusal_of

RAISED = {
    "OSError(27, 'File too large')": "allowed here (`ulimit -f`",
    f"OSError({errno.EDQUOT}, 'Quota exceeded', 'f')": "its quota, is used up under f: free some",
    "OSError('[Errno 28] Error writing bytes')": "the disk is full: free some space",
    "OSError()": "the system refused: OSError",
    "OSError('odd')": "the system refused: odd",
    "PermissionError(13, 'Permission denied', 'f')": "f cannot be used: it is not yours",
    "RecursionError('deep')": "nested too deeply",
    "MemoryError()": "there is not enough memory: take",
    "RuntimeError('[enforce fail] DefaultCPUAllocator: can\\'t allocate memory: 9 bytes')": (
        "there is not enough memory ([enforce fail]"
    ),
}


@pytest.mark.parametrize("error", RAISED)
def test_whatever_the_machine_refuses_ends_the_command_line_with_one_sentence(error: str) -> None:
    code = (
        "import sys, infofuse.data.store\n"
        f"def refuse(*_): raise {error}\n"
        "infofuse.data.store.free_for_store = refuse\n"
        "sys.argv = ['infofuse', 'synth', 'out']\n"
        "from infofuse.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: ")
    assert RAISED[error] in done.stderr


def test_every_error_of_the_system_has_a_sentence() -> None:
    for number in errno.errorcode:
        for error in (OSError(number, os.strerror(number)), OSError(number, "", "file")):
            said = refusal_of(error)
            assert said
            assert "\n" not in said
