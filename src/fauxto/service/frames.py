"""Messages between the service and its workers: a JSON object and some bytes, each led by its length.

Never a pickle: a worker that a hostile picture took over must not be able to run code in the service.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">IQ")
_MAX_HEADER = 1024 * 1024
_MAX_DATA = 64 * 1024 * 1024  # a map, which is the longest that a worker has to say, takes a fifth of it

Frame = tuple[dict[str, Any], bytes]

PING = {"do": "ping"}
PONG = {"alive": True}


def pack(header: dict[str, Any], data: bytes | bytearray) -> bytes:
    """Return the lengths and the header of a frame; its `data` follows."""
    plain = json.dumps(header).encode()
    return _LENGTHS.pack(len(plain), len(data)) + plain


def write(file: BinaryIO, header: dict[str, Any], data: bytes = b"") -> None:
    """Write one frame."""
    file.write(pack(header, data))
    file.write(data)
    file.flush()


def read(file: BinaryIO) -> Frame | None:
    """Read one frame; None at the end of the file."""
    lengths = file.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    header, data = _LENGTHS.unpack(lengths)
    return json.loads(file.read(header)), file.read(data)


async def receive(stream: asyncio.StreamReader) -> Frame:
    """Read one frame from a worker.

    Raises:
        EOFError: The worker has ended.
        ValueError: What came is no frame.
    """
    header, data = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    if header > _MAX_HEADER or data > _MAX_DATA:
        raise ValueError("a worker announced a message that is too long")
    try:
        plain = json.loads(await stream.readexactly(header))
    except RecursionError as error:
        raise ValueError("a worker sent a header that is too deep") from error
    if not isinstance(plain, dict):
        raise ValueError("a worker sent a header that is no object")
    return plain, await stream.readexactly(data)
