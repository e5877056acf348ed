"""The routes: each reads uploads through body.py, runs them in the worker pool, and responds."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fauxto import fetching, wording
from fauxto.errors import ImageError
from fauxto.report import Reason, Report, Status
from fauxto.service import body, openapi, query
from fauxto.service.guard import Guard
from fauxto.service.keys import KeyRing, Rates
from fauxto.service.line import Held, Line
from fauxto.service.logs import logger
from fauxto.service.metrics import MEDIA_TYPE as METRICS_TYPE
from fauxto.service.metrics import Metrics
from fauxto.service.page import page
from fauxto.service.pool import NoWorkerError, TookTooLongError, WorkerEndedError, WorkerPool
from fauxto.service.problems import Problem
from fauxto.service.settings import Settings

_UPLOAD_PROBLEMS = (
    "bad_request",
    "no_key",
    "forbidden",
    "too_slow",
    "too_large",
    "unknown_model",
    "wrong_query",
    "wrong_form",
    "rate_exceeded",
    "busy",
)
_TOO_LONG = "it took longer than this service allows"
_TOO_BUSY = "the service was too busy to come to it; send it again"
_ENDED = "the process that read it ended twice; the file is damaged or made to do harm"


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the service as an ASGI application; its workers start with its lifespan.

    Raises:
        ConfigError: The file of keys can't be used.
    """
    return _Service(settings or Settings()).app


class _Service:
    """The state that the routes share."""

    def __init__(self, settings: Settings) -> None:
        from fauxto import __version__

        self.settings = settings
        self.line = Line(settings.workers + settings.queue, settings.max_held_bytes)
        self.metrics = Metrics(self.line)
        self.pool = WorkerPool(settings, self.metrics.count_end)
        self.rates = Rates(settings.rate)
        self.keys = None if settings.keys is None else KeyRing.load(settings.keys)
        self.app = FastAPI(
            title="fauxto",
            version=__version__,
            description=openapi.DESCRIPTION,
            docs_url=None,
            redoc_url=None,
            lifespan=self._lifespan,
            redirect_slashes=False,
        )
        self.app.state.line = self.line
        self.app.add_middleware(Guard, settings, self.keys, self.rates, self.metrics)
        self.app.add_exception_handler(HTTPException, _no_route)
        keys = self.keys is not None
        self.app.openapi = lambda: openapi.document(self.app, keys=keys)  # type: ignore[method-assign]
        self._add_routes()

    def _add_routes(self) -> None:
        answers = openapi.problems(*_UPLOAD_PROBLEMS, "not_fetched", "timed_out")
        report = {"description": "The report", "content": {"application/json": {"schema": _ref("Report")}}}
        self.app.post(
            "/v1/analyze",
            responses={200: report, **answers},
            response_class=Response,
            openapi_extra=dict(openapi.picture(query.BOTH, address=self.settings.fetch_urls)),
        )(self.analyze)
        answers = openapi.problems(*_UPLOAD_PROBLEMS)
        lines = {"description": "A report a line", "content": {"application/x-ndjson": {"schema": _ref("Report")}}}
        self.app.post(
            "/v1/analyze/batch",
            responses={200: lines, **answers},
            response_class=StreamingResponse,
            openapi_extra=dict(openapi.batch(query.BOTH, self.settings.max_files)),
        )(self.analyze_batch)
        answers = openapi.problems(*_UPLOAD_PROBLEMS, "not_judged", "timed_out")
        png = {"description": "The picture in grey with the map over it", "content": {"image/png": {}}}
        self.app.post(
            "/v1/explain",
            responses={200: png, **answers},
            response_class=Response,
            openapi_extra=dict(openapi.picture(query.MODEL, address=False)),
        )(self.explain)
        problems = openapi.problems("no_key", "forbidden")
        self.app.get("/v1/models", response_model=openapi.Models, responses=problems)(self.models)
        self.app.get("/healthz", response_model=openapi.Health, responses=openapi.problems("forbidden"))(self.healthz)
        busy: dict[int | str, dict[str, Any]] = {503: {"model": openapi.Health, "description": "No worker is ready"}}
        self.app.get("/readyz", response_model=openapi.Health, responses={**busy, **openapi.problems("forbidden")})(
            self.readyz
        )
        text = {"description": "Figures in Prometheus' text format", "content": {"text/plain": {}}}
        self.app.get("/metrics", responses={200: text, **problems}, response_class=Response)(self.show_metrics)
        self.app.get("/docs", include_in_schema=False)(self.docs)
        self.app.get("/", include_in_schema=False)(self.root)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        await self.pool.start()
        if not self.pool.bounded:
            logger.warning("this system can't bound the memory of the workers")
        logger.info("ready", extra={"fields": {"workers": self.settings.workers}})
        try:
            yield
        finally:
            await self.pool.close()
            logger.info("ended")

    async def analyze(self, request: Request) -> Response:
        """Judge one picture: as a form's file, as the body itself, or by its address where that is switched on."""
        task = {"do": "analyze", **self._query(request, query.BOTH)}
        held = self._begin(request)
        if body.media_type(request) == "application/json":
            upload = await self._fetch(request, held)
        else:
            upload = await body.read_one(request, self.settings, held)
        request.state.stack.enter_context(self.line.place())
        header, data = await self._judge_unless_gone(request, upload, task, self.settings.limits.max_seconds)
        if "failed" in header:
            raise Problem("internal", "The model failed on this picture.")
        return Response(data, media_type="application/json")

    async def analyze_batch(self, request: Request) -> StreamingResponse:
        """Judge many pictures, a form's files: one report per line, in order, each as soon as it is ready."""
        task = {"do": "analyze", **self._query(request, query.BOTH)}
        held = self._begin(request)
        uploads = await body.read_many(request, self.settings, held)
        if request.state.key is not None:
            self.rates.charge(request.state.key, len(uploads) - 1)
        request.state.stack.enter_context(self.line.place())
        return StreamingResponse(self._rows(deque(uploads), task), media_type="application/x-ndjson")

    async def explain(self, request: Request) -> Response:
        """Show where in a picture its score comes from. X-Fauxto-Faithful says whether the map passed its test."""
        task = {"do": "explain", **self._query(request, query.MODEL)}
        held = self._begin(request)
        upload = await body.read_one(request, self.settings, held)
        request.state.stack.enter_context(self.line.place())
        header, data = await self._judge_unless_gone(request, upload, task, self.settings.explain_seconds)
        if "refused" in header:
            raise Problem("not_judged", f"{Reason(header['refused'], header['detail'])}.")
        if "faithful" not in header:
            raise Problem("internal", "The model failed on this picture.")
        faithful = {True: "true", False: "false", None: "unknown"}[header["faithful"]]
        return Response(data, media_type="image/png", headers={"X-Fauxto-Faithful": faithful})

    async def models(self) -> dict[str, Any]:
        """List the models and the picture sizes that they accept."""
        return {"models": self.pool.models}

    async def healthz(self) -> dict[str, str]:
        """Say that the service is running."""
        return {"status": "ok"}

    async def readyz(self, response: Response) -> dict[str, str]:
        """Say whether a worker is available."""
        if self.pool.is_ready:
            return {"status": "ok"}
        response.status_code = 503
        return {"status": "starting"}

    async def show_metrics(self) -> Response:
        """Return metrics for Prometheus."""
        return Response(self.metrics.text(), headers={"Content-Type": METRICS_TYPE})

    async def docs(self, request: Request) -> HTMLResponse:
        """Show this document as a page."""
        return HTMLResponse(page(self.app.openapi(), str(request.base_url).rstrip("/"), keys=self.keys is not None))

    async def root(self) -> RedirectResponse:
        """Lead to the documentation."""
        return RedirectResponse("docs")  # relative, for a proxy that serves this under a path of its own

    def _query(self, request: Request, names: tuple[str, ...]) -> dict[str, str]:
        return query.read(request, names, [model["name"] for model in self.pool.models])

    def _begin(self, request: Request) -> Held:
        self.line.check()
        held: Held = request.state.stack.enter_context(Held(self.line))
        return held

    async def _fetch(self, request: Request, held: Held) -> body.Upload:
        address = await body.read_address(request, self.settings, held)
        if not self.settings.fetch_urls:
            raise Problem("forbidden", "This service fetches nothing by its address; send the picture itself.")
        limits = self.settings.limits
        try:
            data = await fetching.fetch(address, limits.max_bytes, limits.max_seconds, held.take)
        except ImageError as error:
            word = "too_large" if error.status is Status.TOO_LARGE else "not_fetched"
            raise Problem(word, wording.as_sentence(Reason(word, str(error)))) from error
        return body.Upload(None, None, data)

    async def _judge_unless_gone(
        self, request: Request, upload: body.Upload, task: dict[str, str], seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """Process one picture; raise Problem, or ClientDisconnect."""
        try:
            return await _unless_gone(request, self._run_worker(upload, task, seconds))
        except NoWorkerError as error:
            raise Problem("busy", "No worker became free in time; send it again soon.", retry_after=5) from error
        except TookTooLongError as error:
            raise Problem("timed_out", f"The picture wasn't judged: {_TOO_LONG}.") from error

    async def _run_worker(
        self, upload: body.Upload, task: dict[str, str], seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        asked = {**task, "name": upload.name, "media_type": upload.media_type}
        try:
            header, data = await self.pool.ask(asked, upload.data or b"", seconds)
        except TookTooLongError:
            self.metrics.count_picture(Status.TIMED_OUT, None)
            raise
        except WorkerEndedError:
            if task["do"] == "explain":
                header, data = {"refused": Status.UNREADABLE, "detail": _ENDED}, b""
            else:
                header, data = _failed(upload.name, Status.UNREADABLE, _ENDED)
        if "failed" in header:
            logger.error("model failed", extra={"fields": {"error": header["failed"]}})
        elif task["do"] == "analyze":
            self.metrics.count_picture(header["status"], header["verdict"])
        return header, data

    async def _rows(self, uploads: deque[body.Upload], task: dict[str, str]) -> AsyncIterator[bytes]:
        """Yield one line per upload, in order, processing as many at once as there are workers."""
        under_way: deque[asyncio.Task[bytes]] = deque()
        try:
            while uploads or under_way:
                while uploads and len(under_way) <= self.settings.workers:
                    under_way.append(asyncio.create_task(self._row(uploads.popleft(), task)))
                yield await under_way.popleft() + b"\n"
        finally:
            for row in under_way:
                row.cancel()

    async def _row(self, upload: body.Upload, task: dict[str, str]) -> bytes:
        if upload.data is None:
            sentence = f"the file has more than {self.settings.limits.max_bytes} bytes; save the picture smaller"
            return _failed(upload.name, Status.TOO_LARGE, sentence)[1]
        try:
            header, data = await self._run_worker(upload, task, self.settings.limits.max_seconds)
        except TookTooLongError:
            return _failed(upload.name, Status.TIMED_OUT, _TOO_LONG)[1]
        except NoWorkerError:
            return _failed(upload.name, Status.TIMED_OUT, _TOO_BUSY)[1]
        return _failed(upload.name, Status.UNREADABLE, "the model failed on it")[1] if "failed" in header else data


async def _unless_gone(
    request: Request, answer: Awaitable[tuple[dict[str, Any], bytes]]
) -> tuple[dict[str, Any], bytes]:
    """Wait for an answer; raise ClientDisconnect if the client leaves, so that others needn't wait for it."""

    async def leaves() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    answering, gone = asyncio.ensure_future(answer), asyncio.create_task(leaves())
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientDisconnect
        return answering.result()
    finally:
        answering.cancel()
        gone.cancel()


async def _no_route(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        allow = (error.headers or {}).get("Allow")
        raise Problem("method_not_allowed", "See /docs for the methods of each path.", allow=allow)
    raise Problem("not_found", "See /docs for the paths that there are.")


def _failed(name: str | None, status: Status, sentence: str) -> tuple[dict[str, Any], bytes]:
    report = Report.unjudged(name, status, sentence)
    return {"status": status, "verdict": None}, json.dumps(report.to_dict()).encode()


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
