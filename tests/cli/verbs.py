"""A verb of the command line, called in this process."""

import sys

import pytest

from infofuse.cli import main


def call(
    words: tuple[object, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a verb, in this process."""
    monkeypatch.setattr(sys, "argv", ["infofuse", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err
