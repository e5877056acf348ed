"""From a request's bytes to uploads, in memory: never on disk, never more than the caps, never too slowly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from fauxto.service.line import Held
from fauxto.service.problems import Problem
from fauxto.service.settings import Settings

FIELDS = ("file", "files")
_ENVELOPE_BYTES = 64 * 1024  # what a form may add to the picture in it
_PART_ENVELOPE_BYTES = 1024
_ADDRESS_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture as it was sent; `data` is None if it is larger than one picture may be."""

    name: str | None
    media_type: str | None
    data: bytes | bytearray | None


def media_type(request: Request) -> str:
    """Return the request's media type without its parameters, in lower case; "" where it names none."""
    return parse_options_header(request.headers.get("content-type"))[0].decode("latin-1")


async def read_one(request: Request, settings: Settings, held: Held) -> Upload:
    """Read one picture: the body itself, or the only file of a form.

    Raises:
        Problem: too_large, too_slow, busy, bad_request or wrong_form.
        ClientDisconnect: The client is gone.
    """
    most = settings.limits.max_bytes
    kind = media_type(request)
    if kind != "multipart/form-data":
        data = await _whole(request, settings, held, most)
        if not data:
            raise Problem("bad_request", "The request has no body; send a picture.")
        return Upload(None, kind if kind.startswith("image/") else None, data)
    uploads = await _read_form(request, settings, held, most + _ENVELOPE_BYTES, max_files=1)
    if uploads[0].data is None:
        raise _too_large(most)
    return uploads[0]


async def read_many(request: Request, settings: Settings, held: Held) -> list[Upload]:
    """Read the pictures of a form; one that is too large is an upload without data.

    Raises:
        Problem: too_large (all of them together), too_slow, busy, bad_request or wrong_form.
        ClientDisconnect: The client is gone.
    """
    if media_type(request) != "multipart/form-data":
        raise Problem("wrong_form", "Send a multipart/form-data body with the pictures as 'files'.")
    most = settings.max_batch_bytes + settings.max_files * _PART_ENVELOPE_BYTES
    return await _read_form(request, settings, held, most, settings.max_files)


async def read_address(request: Request, settings: Settings, held: Held) -> str:
    """Read the address in a JSON body: `{"url": "https://..."}`.

    Raises:
        Problem: too_large, too_slow, busy or bad_request.
        ClientDisconnect: The client is gone.
    """
    plain = await _whole(request, settings, held, _ADDRESS_BYTES)
    try:
        document = json.loads(plain)
    except (ValueError, RecursionError) as error:
        raise Problem("bad_request", 'The JSON can\'t be read; send {"url": "https://..."}.') from error
    if not isinstance(document, dict) or document.keys() != {"url"} or not isinstance(document["url"], str):
        raise Problem("bad_request", 'Send a JSON object with the one key "url".')
    return document["url"]


async def _whole(request: Request, settings: Settings, held: Held, most: int) -> bytearray:
    data = bytearray()  # a list of chunks takes many times as much where a client sends two bytes at a time
    async for chunk in _chunks(request, settings, held, most):
        data += chunk
    return data


async def _chunks(request: Request, settings: Settings, held: Held, most: int) -> AsyncIterator[bytes]:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > most:
        raise _too_large(most)
    stream = request.stream()
    started = monotonic()
    received = 0
    while True:
        # A client may pause for a moment but not again and again: the whole has to come at a certain rate.
        remaining = settings.read_seconds + received / settings.read_rate - (monotonic() - started)
        try:
            async with asyncio.timeout(min(settings.read_seconds, remaining)):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise Problem("too_slow", "The body came too slowly; send it faster, or less of it.") from error
        received += len(chunk)
        if received > most:
            raise _too_large(most)
        held.take(len(chunk))
        if chunk:
            yield chunk


async def _read_form(request: Request, settings: Settings, held: Held, most: int, max_files: int) -> list[Upload]:
    boundary = parse_options_header(request.headers.get("content-type"))[1].get(b"boundary")
    if not boundary:
        raise Problem("bad_request", "The multipart/form-data body names no boundary.")
    form = _Form(boundary, settings.limits.max_bytes, max_files)
    async for chunk in _chunks(request, settings, held, most):
        form.write(chunk)
    return form.uploads()


class _Form:
    """The files of a form, gathered while its bytes come."""

    def __init__(self, boundary: bytes, max_bytes: int, max_files: int) -> None:
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._uploads: list[Upload] = []
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._data = bytearray()
        self._size = 0
        self._is_whole = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_begin": self._begin_header,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._check_field,
                    "on_part_data": self._add,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise Problem("bad_request", "The boundary of the form is too long.") from error

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Problem("bad_request", "The multipart/form-data body is damaged.") from error

    def uploads(self) -> list[Upload]:
        if not self._is_whole:
            raise Problem("bad_request", "The multipart/form-data body ends too early.")
        if not self._uploads:
            raise Problem("wrong_form", f"The form holds no picture; send it as '{FIELDS[0]}'.")
        return self._uploads

    def _begin_part(self) -> None:
        if len(self._uploads) >= self._max_files:
            raise Problem("wrong_form", f"The form holds more than {self._max_files} pictures; send fewer at a time.")
        self._headers, self._data, self._size = {}, bytearray(), 0

    def _begin_header(self) -> None:
        self._header = (bytearray(), bytearray())

    def _end_header(self) -> None:
        field, value = self._header
        self._headers[bytes(field).lower()] = bytes(value)

    def _check_field(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        name = parse_options_header(disposition)[1].get(b"name", b"").decode("latin-1")
        if name not in FIELDS:
            raise Problem("wrong_form", f"The form holds something else than pictures; send each as '{FIELDS[0]}'.")
        if b"filename" not in disposition:  # nor the form filename*, which the parser leaves out
            raise Problem("wrong_form", f"'{name}' is text, not a file; send it with a file name (curl: {name}=@PATH).")

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size > self._max_bytes:
            self._data = bytearray()
        else:
            self._data += data[start:end]

    def _end_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"filename")
        kind = parse_options_header(self._headers.get(b"content-type"))[0].decode("latin-1")
        self._uploads.append(
            Upload(
                name=None if name is None else name.decode("utf-8", "replace"),
                media_type=kind if kind.startswith("image/") else None,
                data=None if self._size > self._max_bytes else self._data,
            )
        )

    def _end(self) -> None:
        self._is_whole = True


def _too_large(most: int) -> Problem:
    return Problem("too_large", f"This service takes at most {most} bytes here; save the picture smaller.")
