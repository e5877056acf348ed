"""uvicorn, with our limits on how long a client may take."""

from __future__ import annotations

import asyncio
import logging.config
import signal
import socket
import sys
from typing import Any

import uvicorn

from fauxto.errors import ConfigError
from fauxto.service.app import create_app
from fauxto.service.connections import MAX_CONNECTIONS, impatient
from fauxto.service.logs import configuration
from fauxto.service.settings import Settings, is_loopback

_FILES = 4_096
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
        http=impatient(settings.read_seconds, settings.read_rate),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=int(settings.limits.clock_seconds + settings.wait_seconds) + _GRACE_SECONDS,
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
