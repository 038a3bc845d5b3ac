"""Processes that work on many things: what is done, what fails, and what dies."""

import math
import os
import signal
import time

from infofuse.extract.pool import Failed, run


def test_results_come_in_the_order_of_the_tasks() -> None:
    told: list[tuple[int, int]] = []
    found = run(math.sqrt, [4.0, -1.0, 9.0, "x"], 2, lambda *at: told.append(at))
    assert found[0] == 2
    assert found[2] == 3
    assert isinstance(found[1], Failed)
    assert found[1].reason.startswith("ValueError: ")
    assert found[3].reason.startswith("TypeError: ")
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_nothing_to_do_is_done() -> None:
    assert run(math.sqrt, [], 3) == []


def test_a_process_that_dies_takes_one_task_with_it() -> None:
    """It is ended by the signal that a decoder gets which writes where it must not."""
    found = run(signal.raise_signal, [signal.SIGSEGV, signal.SIGCHLD, signal.SIGKILL], 1)
    assert found == [
        Failed("the process that read it died (SIGSEGV)"),
        None,
        Failed("the process that read it died (SIGKILL, perhaps for want of memory)"),
    ]
    assert run(os._exit, [3], 2) == [Failed("the process that read it ended with status 3")]


def test_what_takes_too_long_is_ended() -> None:
    begin = time.monotonic()
    found = run(time.sleep, [600.0, 0.0], 2, patience=3.0)
    assert found == [Failed("it took more than 3 s"), None]
    assert time.monotonic() - begin < 300
