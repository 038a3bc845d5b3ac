"""What every request passes first: whose it is, where it comes from, how large and how slow."""

import asyncio
import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infofuse.serve.limits import Limits

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN_PATHS = ("/", "/health", "/openapi.json")
"""What needs no token: the page, which asks for it, and whether the service is there."""

PAGE_PATH = "/page/"
_POLICY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "permissions-policy": "camera=(self), microphone=(self), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware that refuses what no route should see, and bounds the bodies of the rest.

    token: asked of every path that is not open, where there is one. hosts: names under which the
    service may be addressed; None for any, where there is a token. A name that is not ours is how
    a page elsewhere gets at a service on this machine (DNS rebinding), but it has no token; an
    Origin that is not ours is a page elsewhere.
    """

    def __init__(
        self, app: ASGIApp, limits: Limits, token: str | None, hosts: Collection[str] | None
    ) -> None:
        self.app, self.limits, self.token, self.hosts = app, limits, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._size(headers)
        refusal = self._refusal(scope, headers, limit)
        answer = refusal or self.app
        await answer(scope, _bounded(receive, limit, self.limits.body_seconds), _sealed(send))

    def _size(self, headers: Headers) -> int:
        multipart = headers.get("content-type", "").lower().startswith("multipart/")
        return self.limits.upload_bytes if multipart else self.limits.json_bytes

    def _refusal(self, scope: Scope, headers: Headers, limit: int) -> JSONResponse | None:
        host = headers.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            return error(421, "the service does not answer to this host name")
        origin = headers.get("origin")
        if scope["method"] == "POST" and origin is not None and _place(origin) != host.lower():
            return error(403, "requests from pages of other sites are refused")
        if self._asks_token(scope["path"]) and not self._has_token(headers):
            return error(401, "a valid token is needed", {"www-authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > limit:
            return error(413, too_large(limit))
        return None

    def _asks_token(self, path: str) -> bool:
        return self.token is not None and path not in OPEN_PATHS and not path.startswith(PAGE_PATH)

    def _has_token(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        known = (self.token or "").encode()
        return kind.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), known)


def error(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The one form of a refusal: `{"error": "one sentence"}`."""
    return JSONResponse({"error": sentence}, status, headers)


def too_large(limit: int) -> str:
    """The sentence of a body beyond its bound."""
    return f"the request is larger than {limit / 2**20:g} MiB, the most that is taken"


def _name(host: str) -> str:
    """The name of `name:port`, without brackets and in small letters; "" for nonsense."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _place(origin: str) -> str:
    """`name:port` of an origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _bounded(receive: Receive, limit: int, seconds: float) -> Receive:
    """The body's messages as long as they are few and quick; then 413 or 408."""
    left, whole, deadline = limit, False, asyncio.get_running_loop().time() + seconds

    async def bounded() -> Message:
        nonlocal left, whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "the request took too long to arrive") from None
        left -= len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if left < 0:
            raise HTTPException(413, too_large(limit))
        return message

    return bounded


def _sealed(send: Send) -> Send:
    """Responses with the headers that keep a browser from doing anything else with them."""

    async def sealed(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_POLICY)
        await send(message)

    return sealed
