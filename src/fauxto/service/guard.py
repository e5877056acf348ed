"""Around every request: its id, who may ask, the headers of the answer, its time, its log line and its metrics."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fauxto.service.keys import KeyRing, Rates
from fauxto.service.logs import logger
from fauxto.service.metrics import Metrics
from fauxto.service.openapi import OPEN_PATHS
from fauxto.service.problems import Problem
from fauxto.service.settings import Settings

_CLIENT_GONE = 499
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """ASGI middleware. A route finds in `request.state`: `id`, `key` (the name of one, or None) and `stack`.

    `stack` is closed when the answer has been sent or has failed, whatever became of the route.
    """

    def __init__(self, app: ASGIApp, settings: Settings, keys: KeyRing | None, rates: Rates, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys
        self._rates = rates
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return None
        started = perf_counter()
        request_id = secrets.token_hex(8)
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        scope.setdefault("state", {}).update(id=request_id, key=None)
        try:
            with ExitStack() as stack:
                scope["state"]["stack"] = stack
                try:
                    scope["state"]["key"] = self._admit(scope)
                    await self._app(scope, receive, send_on)
                except Problem as problem:
                    await problem.response(request_id)(scope, receive, send_on)
        except ClientDisconnect:
            status = _CLIENT_GONE
        except Exception as error:
            was_sending, status = status, 500
            logger.error("failure", extra={"fields": {"id": request_id}}, exc_info=error)
            if was_sending:
                raise _CutShortError from None  # uvicorn closes the connection, so that no one takes half for all
            internal = Problem("internal", "It is logged under the request's id.")
            await internal.response(request_id)(scope, receive, send_on)
        finally:
            self._note(scope, request_id, status, perf_counter() - started)

    def _admit(self, scope: Scope) -> str | None:
        """Return the name of the request's key, None where none is needed; or raise Problem."""
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers and "content-length" in headers:
            raise Problem("bad_request", "Two lengths of one body: a proxy may have taken the other.")
        if self._keys is None:
            self._check_host(headers)
            return None
        if scope["path"] in OPEN_PATHS:
            return None
        scheme, _, key = headers.get("authorization", "").partition(" ")
        name = self._keys.name_of(key.strip()) if scheme.lower() == "bearer" else None
        if name is None:
            raise Problem("no_key", "Send 'Authorization: Bearer KEY' with a key of this service.")
        if scope["method"] == "POST":
            self._rates.spend(name, 1)
        return name

    def _check_host(self, headers: Headers) -> None:
        """Without keys, a page of another site that a browser on this machine shows must not reach the service."""
        allowed = self._settings.hosts
        origin = headers.get("origin")
        if not allowed:
            return
        if _host_of(headers.get("host", "")) not in allowed or (
            origin is not None and _host_of(origin.partition("://")[2]) not in allowed
        ):
            raise Problem("forbidden", "Without keys this service answers to its own machine only.")

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.count_request(route, status, seconds)
        fields = {
            "id": request_id,
            "method": scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other",
            "route": route,
            "status": status,
            "milliseconds": round(1000 * seconds, 1),
            "key": scope["state"]["key"],
        }
        logger.info("request", extra={"fields": fields})


class _CutShortError(Exception):
    """An answer failed when a part of it had been sent."""


def _host_of(authority: str) -> str:
    """Return the host of "host", "host:port" or "[host]:port", in lower case."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.partition(":")[0].lower()
