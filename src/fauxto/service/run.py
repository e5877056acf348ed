"""uvicorn, with our limits on how long a client may take."""

from __future__ import annotations

import asyncio
import ipaddress
import logging.config
import signal
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fauxto.errors import ConfigError
from fauxto.service.app import create_app
from fauxto.service.logs import configuration
from fauxto.service.settings import Settings

_MAX_CONNECTIONS = 1_000
_MORE_CONNECTIONS = 100
"""As many more are told that there are too many; any beyond are closed unheard."""

_FILES = 4_096
_UNSENT_BYTES = 64 * 1024
"""What the system holds of an answer; by default it holds megabytes, and shows no progress for as long as they last."""

_GRACE_SECONDS = 10


def serve(settings: Settings, host: str, port: int, *, log_level: str = "info") -> None:
    """Serve until the process is told to stop; requests that are under way are finished.

    Args:
        settings: What the service allows.
        host: Address to listen on.
        port: Port to listen on.
        log_level: "info" for a line a request, "warning" for trouble alone.

    Raises:
        ConfigError: The address can't be listened on, or it lets other machines in and there are no keys.
        BundleError: A model can't be used.
    """
    if settings.keys is None and not is_loopback(host):
        raise ConfigError(
            f"{host} lets other machines in, so keys are needed: make one with --new-key NAME --keys FILE, "
            "then serve with --keys FILE"
        )
    logging.config.dictConfig(configuration(log_level))
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=_impatient(settings.read_seconds, settings.read_rate),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=int(settings.limits.max_seconds + settings.wait_seconds) + _GRACE_SECONDS,
    )
    # While the models are loaded these end the start; later uvicorn ends gracefully and then raises them once more.
    before = {number: signal.signal(number, lambda *_: sys.exit()) for number in (signal.SIGINT, signal.SIGTERM)}
    _allow_files()
    try:
        with _listen(host, port) as listener:
            asyncio.run(_serve(app, uvicorn.Server(config), listener))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(app: Any, server: uvicorn.Server, listener: socket.socket) -> None:
    # Here and not by uvicorn, which would print what went wrong at the start and hand on an exit code alone.
    async with app.router.lifespan_context(app):
        await server.serve(sockets=[listener])


def _allow_files() -> None:
    """Let this process have as many files open as all its connections and workers need; some systems start lower."""
    try:
        import resource
    except ImportError:  # Windows counts otherwise
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
        )
    except OSError as error:
        raise ConfigError(f"can't listen on {host}, port {port}: {error.strerror or error}") from error


def _impatient(seconds: float, rate: int) -> type[H11Protocol]:
    """Return uvicorn's protocol for HTTP, ending connections of clients that ask nothing for so long, or accept slowly.

    An answer that waits to be accepted has to go on by `rate` bytes a second.
    """

    class Impatient(H11Protocol):
        _timer: asyncio.TimerHandle | None = None
        _unsent = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            connection = transport.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT_BYTES)
            if len(self.connections) > _MAX_CONNECTIONS + _MORE_CONNECTIONS:
                self.transport.abort()
            else:
                self._arm()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._has_a_request():
                self._disarm()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self._has_a_request():
                self._arm()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._arm()

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._has_a_request():
                self._disarm()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            super().connection_lost(exc)

        def _has_a_request(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _arm(self) -> None:
            self._disarm()
            self._unsent = self.transport.get_write_buffer_size()
            self._timer = self.loop.call_later(seconds, self._expire)

        def _disarm(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _expire(self) -> None:
            if self.transport.get_write_buffer_size() < self._unsent - seconds * rate:
                self._arm()  # slow, but it accepts
            else:
                self.transport.abort()

    return Impatient
