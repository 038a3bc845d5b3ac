"""The service as an ASGI application: routes, refusals, and the page."""

import multiprocessing
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from infofuse.environment import versions
from infofuse.errors import InfofuseError
from infofuse.predict import Predictor
from infofuse.serve.about import About, about, request_body, uniform
from infofuse.serve.child import Extract, Stopped, TooSlow
from infofuse.serve.guard import LOOPBACK, OPEN_PATHS, PAGE_PATH, Guard, error
from infofuse.serve.limits import Limits
from infofuse.serve.metrics import Measured
from infofuse.serve.question import read_form
from infofuse.serve.service import Answer, Service

PAGE = Path(__file__).parent / "page"
PATHS = frozenset({*OPEN_PATHS, "/predict", "/model", "/metrics"})


class Refusal(BaseModel):
    """Why there is no answer, in one sentence."""

    error: str


class Health(BaseModel):
    """That the service is there, and how many predictions are inside."""

    status: str
    version: str
    inside: int


_ALWAYS = {401: "No valid token.", 421: "The name of another host."}
_PREDICT = _ALWAYS | {
    400: "Not HTTP, or not JSON, as it should be.",
    403: "From a page of another site.",
    408: "Too slow to arrive.",
    413: "Too large.",
    415: "Neither JSON nor a form.",
    422: "It does not fit the model, or the clip cannot be read.",
    503: "Too many requests; see Retry-After.",
    504: "Too slow to answer.",
}


def create_app(
    predictor: Predictor,
    limits: Limits | None = None,
    *,
    token: str | None = None,
    hosts: Collection[str] | None = LOOPBACK,
    extract: Extract | None = None,
) -> FastAPI:
    """The application that serves a predictor.

    token: asked of whoever wants more than the page. hosts: the names under which the service may
    be addressed; None for any. extract: how a clip is read, a function that a new process can
    import; None for the way in which the clips of the model's training data were.
    """
    limits = limits or Limits()
    service = Service(predictor, extract, limits)
    app = FastAPI(
        title="infofuse",
        version=versions()["infofuse"],
        summary="The affect that a clip expresses, as annotators of the training data would say.",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_life(service),
    )
    _add_routes(app, service)
    _add_refusals(app)
    app.openapi_schema = described = uniform(app.openapi())
    if token is not None:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
    app.mount(PAGE_PATH, StaticFiles(directory=PAGE), name="page")
    app.add_middleware(Guard, limits=limits, token=token, hosts=hosts)
    app.add_middleware(Measured, metrics=service.metrics, paths=PATHS)
    return app


def _life(service: Service) -> Any:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        service.warm()
        yield
        service.queue.close()
        for child in multiprocessing.active_children():
            child.kill()

    return life


def _add_routes(app: FastAPI, service: Service) -> None:
    facts = about(service.predictor, service.no_clips, service.limits)

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        """The page."""
        return FileResponse(PAGE / "index.html")

    @app.get("/health", responses=_documented(_ALWAYS))
    async def health() -> Health:
        """Whether the service is there."""
        return Health(status="ok", version=app.version, inside=service.queue.inside)

    @app.get("/model", responses=_documented(_ALWAYS))
    async def model() -> About:
        """What the model reads, and what it answers."""
        return facts

    @app.get("/metrics", response_class=PlainTextResponse, responses=_documented(_ALWAYS))
    async def metrics() -> Response:
        """What the service counts, for Prometheus."""
        return service.metrics.response()

    @app.post(
        "/predict",
        response_model=Answer,
        responses=_documented(_PREDICT),
        openapi_extra={"requestBody": request_body(facts, service.limits)},
    )
    async def predict(request: Request) -> Response:
        """What the model says of a clip, of words, or of features."""
        async with service.queue.place():
            answer = await _answered(request, service)
        return Response(answer.model_dump_json(), media_type="application/json")


async def _answered(request: Request, service: Service) -> Answer:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return await service.answer_json(await request.body())
    if kind != "multipart/form-data":
        raise HTTPException(415, "send application/json, or a clip as multipart/form-data")
    most = 4 * service.limits.characters  # bytes of UTF-8
    async with request.form(max_files=2, max_fields=3, max_part_size=most) as form:
        upload = read_form(form, service.predictor, service.limits)
        return await service.answer_upload(upload)


def _documented(sentences: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    return {
        status: {"model": Refusal, "description": sentence}
        for status, sentence in sentences.items()
    }


def _add_refusals(app: FastAPI) -> None:
    """Every refusal has one form and one sentence; none shows where in the program it arose."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, why: HTTPException) -> JSONResponse:
        return error(why.status_code, why.detail, dict(why.headers or {}))

    @app.exception_handler(InfofuseError)
    async def unfit(_: Request, why: InfofuseError) -> JSONResponse:
        return error(422, str(why))

    @app.exception_handler(Stopped)
    async def stopped(_: Request, why: Stopped) -> JSONResponse:
        return error(422, f"the clip cannot be read: its decoder ended with {why}")

    @app.exception_handler(TooSlow)
    @app.exception_handler(TimeoutError)
    async def late(_: Request, why: Exception) -> JSONResponse:
        return error(504, "the answer took too long; send a shorter clip")

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, why: ClientDisconnect) -> JSONResponse:
        return error(400, "the request was broken off")

    @app.exception_handler(Exception)
    async def failed(_: Request, why: Exception) -> JSONResponse:
        return error(500, "the service failed; its log says why")
