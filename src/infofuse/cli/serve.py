"""infofuse serve"""

from pathlib import Path
from typing import Annotated

import typer

from infofuse.cli import show
from infofuse.errors import missing


def serve(
    run: Annotated[Path, show.OneSeed],
    host: Annotated[str, typer.Option(help="Where to listen; 127.0.0.1: this machine alone.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0: one that is free.", min=0, max=65535)] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="INFOFUSE_TOKEN",
            help="What a caller must know; needed unless HOST is this machine.",
            show_default=False,
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of the intervals, between 0 and 1.")] = 0.9,
    abstain: Annotated[
        float | None,
        typer.Option(help="Leave open what is not decided so surely.", show_default=False),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Of a clip; the rest is cut.", min=1)] = 120.0,
    megabytes: Annotated[int, typer.Option(help="Of an upload.", min=1)] = 64,
    workers: Annotated[int, typer.Option(help="Clips decoded at once.", min=1)] = 1,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Serve a model: a page to see what it sees, and an API.

    The page is at the printed address, the API's description below it at
    /openapi.json. No request is kept. Clips are decoded in processes of their
    own, with bounds. Give the token by INFOFUSE_TOKEN rather than as an
    option, which other users of the machine can read.
    """
    try:
        import python_multipart  # noqa: F401 (which FastAPI asks for at the first upload)
        import uvicorn  # noqa: F401

        import infofuse.serve.app  # noqa: F401
        from infofuse.serve.server import serve as run_service
    except ImportError as error:
        raise missing(f"the service needs {error.name}", "serve") from None
    from infofuse.predict import Predictor
    from infofuse.serve.limits import MEGABYTE, Limits

    def announce(url: str) -> None:
        if json:
            show.print_json({"url": url})
        else:
            typer.echo(f"{run} is served at {url}\nCtrl-C ends it.")

    with show.busy("loading the model"):
        predictor = Predictor.load(run, confidence, abstain)
    limits = Limits(upload_bytes=megabytes * MEGABYTE, clip_seconds=seconds, workers=workers)
    run_service(predictor, host, port, token=token, limits=limits, announce=announce)
