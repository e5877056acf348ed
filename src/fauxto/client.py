"""A client of the service (`fauxto serve`), with the interface of a `Detector`. Needs the extra `serve`.

>>> from fauxto import Client
>>> with Client("http://127.0.0.1:8080") as client:
...     report = client.analyze("holiday.jpg")
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from fauxto.errors import ImageError, MissingExtraError, ServiceError
from fauxto.limits import Limits
from fauxto.report import Reason, Report, Status

if TYPE_CHECKING:
    import httpx

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

_NAME_CHARACTERS = 100  # the service only looks at the ending
_GROUP_FILES = 32
_GROUP_BYTES = 32 * 1024 * 1024
_AGAIN = frozenset({429, 503})
_TOO_MANY = frozenset({413, 422})  # the service takes smaller batches than this client makes
# A detector, too, would return reports for these.
_REPORTS = {413: Status.TOO_LARGE, 504: Status.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class ExplanationMap:
    """Where a picture's score comes from: a PNG, and whether the map passed its test (None: it couldn't be tested)."""

    png: bytes
    faithful: bool | None


@dataclass(frozen=True, slots=True)
class _Picture:
    path: str | None
    data: bytes

    @property
    def form(self) -> tuple[str, bytes, str]:
        """The form file; only the last part of a path is sent, for privacy."""
        name = PurePath(self.path or "").name[-_NAME_CHARACTERS:] or "picture"
        return (name.encode("utf-8", "replace").decode(), self.data, "application/octet-stream")


class Client:
    """Judges pictures with the service; use it as a context manager, or `close` it."""

    def __init__(
        self,
        address: str = "http://127.0.0.1:8080",
        *,
        key: str | None = None,
        model: str | None = None,
        operating_point: str | None = None,
        seconds: float = 300.0,
        patience: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        Args:
            address: Address of the service.
            key: API key, if the service needs one.
            model: Name of one of the service's `models`; None for the one for each picture's size.
            operating_point: "cautious", "balanced" or "sensitive"; None for the service's own.
            seconds: Timeout for a response.
            patience: Total seconds for which to retry while the service is busy.
            transport: An HTTP transport; None for the network.

        Raises:
            MissingExtraError: The extra `serve` isn't installed.
        """
        try:
            import httpx
        except ModuleNotFoundError as error:
            raise MissingExtraError("serve", "fauxto.Client") from error
        self._errors = httpx.HTTPError
        self._patience = patience
        choice = {"model": model, "operating_point": operating_point}
        self._choice = {name: value for name, value in choice.items() if value is not None}
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=seconds, transport=transport)

    def analyze(self, source: Source, *, name: str | None = None) -> Report:
        """Judge one picture.

        Args:
            source: A path, the bytes of a file, or a file open for reading bytes.
            name: Its name in the report; by default the path.

        Returns:
            Its report; if the picture can't be judged, the status isn't `ok`.

        Raises:
            ServiceError: The service can't be reached or refuses the request.
        """
        picture = _read(source, name)
        if isinstance(picture, Report):
            return picture
        answer = self._post("/v1/analyze", {"file": picture.form}, self._choice)
        if answer.status_code in _REPORTS:
            return Report.unjudged(picture.path, _REPORTS[answer.status_code], _problem(answer)["detail"])
        return replace(_report(_checked(answer).content), path=picture.path)

    def analyze_many(self, sources: Iterable[Source]) -> Iterator[Report]:
        """Judge pictures, several per request; reports come in the order of `sources`.

        Raises:
            ServiceError: The service can't be reached or refuses a request.
        """
        group: list[_Picture] = []
        for source in sources:
            picture = _read(source, None)
            size = 0 if isinstance(picture, Report) else len(picture.data)
            if group and (
                isinstance(picture, Report)
                or len(group) == _GROUP_FILES
                or size + sum(len(waiting.data) for waiting in group) > _GROUP_BYTES
            ):
                yield from self._batch(group)
                group = []
            if isinstance(picture, Report):
                yield picture
            else:
                group.append(picture)
        if group:
            yield from self._batch(group)

    def explain(self, source: Source) -> ExplanationMap:
        """Show where in a picture its score comes from.

        Raises:
            ImageError: The picture can't be read here, or can't be judged.
            ServiceError: The service can't be reached or refuses the request.
        """
        from fauxto.images import read_bytes

        model = {name: value for name, value in self._choice.items() if name == "model"}
        answer = self._post("/v1/explain", {"file": _Picture(None, read_bytes(source)).form}, model)
        if answer.status_code == 422:
            reason = Reason.parse(_problem(answer)["detail"])
            if reason.word in set(Status):
                raise ImageError(Status(reason.word), reason.sentence)
        faithful = {"true": True, "false": False}
        return ExplanationMap(_checked(answer).content, faithful.get(answer.headers.get("x-fauxto-faithful", "")))

    def models(self) -> list[dict[str, Any]]:
        """List the models of the service.

        Raises:
            ServiceError: The service can't be reached or refuses the request.
        """
        answer = _checked(self._send(lambda: self._http.get("/v1/models")))
        try:
            models: list[dict[str, Any]] = answer.json()["models"]
        except (ValueError, LookupError, TypeError) as error:
            raise _no_sense() from error
        return models

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def _batch(self, group: list[_Picture]) -> Iterator[Report]:
        if len(group) == 1:
            yield self.analyze(group[0].data, name=group[0].path)
            return
        request = self._http.build_request(
            "POST", "/v1/analyze/batch", params=self._choice, files=[("files", picture.form) for picture in group]
        )
        answer = self._send(lambda: self._http.send(request, stream=True))
        try:
            if answer.is_error:
                answer.read()
            if answer.status_code in _TOO_MANY:
                yield from (self.analyze(picture.data, name=picture.path) for picture in group)
                return
            lines = _checked(answer).iter_lines()
            for picture, line in zip(group, lines, strict=True):
                yield replace(Report.from_dict(json.loads(line)), path=picture.path)
        except (self._errors, ValueError, LookupError, TypeError) as error:
            raise ServiceError("the service ended in the middle of a batch; send the rest again") from error
        finally:
            answer.close()

    def _post(self, path: str, files: Mapping[str, tuple[str, bytes, str]], query: Mapping[str, str]) -> httpx.Response:
        return self._send(lambda: self._http.post(path, params=query, files=files))

    def _send(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send a request, and retry while the service is busy."""
        until = time.monotonic() + self._patience
        while True:
            try:
                answer = send()
            except self._errors as error:
                raise ServiceError(f"the service at {self._http.base_url} can't be reached: {error}") from error
            wait = _seconds(answer.headers.get("retry-after", "1"))
            if answer.status_code not in _AGAIN or time.monotonic() + wait > until:
                return answer
            answer.close()
            time.sleep(wait)


def _read(source: Source, name: str | None) -> _Picture | Report:
    from fauxto.images import read_bytes

    if name is None and isinstance(source, (str, os.PathLike)):
        name = os.fsdecode(source)
    try:
        return _Picture(name, read_bytes(source, Limits()))
    except ImageError as error:
        return Report.unjudged(name, error.status, str(error))


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        problem = _problem(answer)
        raise ServiceError(f"{problem['title']}: {problem['detail']}", answer.status_code, problem["request_id"])
    return answer


def _report(plain: bytes) -> Report:
    try:
        return Report.from_dict(json.loads(plain))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _no_sense() from error


def _no_sense() -> ServiceError:
    return ServiceError("the response can't be read; is this a fauxto service of the same version?")


def _seconds(retry_after: str) -> float:
    """Parse Retry-After; one second for a date or anything else."""
    return float(retry_after) if retry_after.replace(".", "", 1).isdecimal() else 1.0


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """Return the problem document; a proxy may answer with something else."""
    unknown = {"title": f"status {answer.status_code}", "detail": "no details given", "request_id": None}
    try:
        document = answer.json()
    except ValueError:
        return unknown
    return {**unknown, **document} if isinstance(document, dict) else unknown
