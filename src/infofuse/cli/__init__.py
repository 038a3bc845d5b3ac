"""The command line: one thin file per verb. Nothing heavy is imported before a verb needs it."""

import contextlib
import functools
import inspect as signatures
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import typer

from infofuse.cli import (
    audit,
    cite,
    convert,
    datasets,
    demo,
    doctor,
    evaluate,
    explain,
    export,
    extract,
    inspect,
    measure,
    papers,
    predict,
    robustness,
    serve,
    study,
    synth,
    train,
    tune,
)
from infofuse.errors import MACHINE, InfofuseError, lacks_memory, refusal_of
from infofuse.files import alone

USER_MISTAKE = 2

VERBS: tuple[Callable[..., None], ...] = (
    train.train,
    tune.tune,
    evaluate.evaluate,
    predict.predict,
    measure.measure,
    explain.explain,
    robustness.robustness,
    export.export,
    serve.serve,
    study.study,
    inspect.inspect,
    audit.audit,
    convert.convert,
    extract.extract,
    datasets.datasets,
    demo.demo,
    papers.papers,
    cite.cite,
    synth.synth,
    doctor.doctor,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Dependency-maximising fusion for multimodal sentiment and affect analysis.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
OWN_LOCK = (train.train, tune.tune, study.study)
"""They lock what they write to themselves, as from Python."""


def _alone(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb, alone in the place that its user names for what it writes."""
    options = [name for name in signatures.signature(verb).parameters if name in PLACES]
    if verb in OWN_LOCK or not options:
        return verb

    @functools.wraps(verb)
    def locking(**given: Any) -> None:
        with contextlib.ExitStack() as locks:
            for name in options:
                if given[name] is not None:
                    locks.enter_context(alone(given[name]))
            verb(**given)

    return locking


PLACES = ("out", "html", "onnx")
"""Options that name a file or a folder to write."""

for verb in VERBS:
    app.command()(_alone(verb))


def main() -> None:
    """Run a verb. Exit status 0: done; 1: done, with findings; 2: a mistake in what was given."""
    try:
        _check_arguments(sys.argv)
        app()
    except InfofuseError as error:
        _end(str(error))
    except MACHINE as error:
        _end(refusal_of(error))
    except RuntimeError as error:
        if not lacks_memory(error):
            raise
        _end(refusal_of(MemoryError(str(error))))


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raise InfofuseError for bytes that are no UTF-8: no recipe and no record could name them."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise InfofuseError(
                f"the argument {argument!r} is not UTF-8: rename the file, or write it in UTF-8"
            ) from None


def _end(said: str) -> NoReturn:
    """Say what was wrong, in characters that any terminal takes, and end."""
    printable = said.encode("utf-8", "backslashreplace").decode("utf-8")
    with contextlib.suppress(OSError):  # standard error may be on the full disk, too
        typer.echo(f"error: {printable}", err=True)
    sys.exit(USER_MISTAKE)
