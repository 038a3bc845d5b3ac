"""The command line: one thin file a verb. Nothing heavy is imported before a verb needs it."""

import errno
import sys
from collections.abc import Callable

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
from infofuse.errors import InfofuseError

USER_MISTAKE = 2
FULL = "free some space; what was begun goes on when the same command is given again"

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
for verb in VERBS:
    app.command()(verb)


def main() -> None:
    """Run a verb. Exit status 0: done; 1: done, with findings; 2: a mistake in what was given."""
    try:
        app()
    except InfofuseError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(USER_MISTAKE)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            where = f" under {error.filename}" if error.filename else ""
            said = f"the disk is full{where}: {FULL}"
        elif isinstance(error, PermissionError) and error.filename:
            said = f"{error.filename} cannot be used: it is not yours to read or to write in"
        elif error.filename:
            said = f"{error.filename} cannot be used: {error.strerror}"
        else:
            raise
        typer.echo(f"error: {said}", err=True)
        sys.exit(USER_MISTAKE)
