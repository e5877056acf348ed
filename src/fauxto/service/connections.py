"""How long a client may take: uvicorn's protocol for HTTP, with limits that it lacks."""

from __future__ import annotations

import asyncio
import socket
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 1_000
_MORE_CONNECTIONS = 100
"""As many more are told that there are too many; any beyond are closed unheard."""

_UNSENT_BYTES = 64 * 1024
"""What the system holds of an answer; by default it holds megabytes, and shows no progress for as long as they last."""


def impatient(seconds: float, rate: int) -> type[H11Protocol]:
    """Return a protocol that ends connections of clients that ask nothing for so long, or accept slowly.

    Args:
        seconds: How long a client may be silent.
        rate: Bytes a second that a client has to accept of an answer.
    """
    return type("Impatient", (_Impatient,), {"seconds": seconds, "rate": rate})


class _Impatient(H11Protocol):
    seconds: ClassVar[float]
    rate: ClassVar[int]

    _timer: asyncio.TimerHandle | None = None
    _unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT_BYTES)
        if len(self.connections) > MAX_CONNECTIONS + _MORE_CONNECTIONS:
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
        self._timer = self.loop.call_later(self.seconds, self._expire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        if self.transport.get_write_buffer_size() < self._unsent - self.seconds * self.rate:
            self._arm()  # slow, but it accepts
        else:
            self.transport.abort()
