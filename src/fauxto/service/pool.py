"""Worker processes: each handles one picture at a time, is killed on timeout, and replaced after it ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, Self

from fauxto.errors import BundleError
from fauxto.limits import CLOCK_FACTOR, took_too_long
from fauxto.service import frames
from fauxto.service.logs import logger
from fauxto.service.settings import Settings

_START_SECONDS = 120.0
_END_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_TRIES = 2
"""How many workers one picture may end: the first may have ended for another reason, such as a lack of memory."""

# The only environment variables that a worker gets: secrets that it never sees can't leak.
_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "SYSTEMROOT",
    "TMPDIR",
    "VIRTUAL_ENV",
)


class WorkerEndedError(Exception):
    """A worker ended in the middle of a picture, twice."""


class _NotReachedError(Exception):
    """A worker was dead, or out of step, before the picture reached it."""


class TookTooLongError(Exception):
    """A picture took longer than it may; its worker was ended."""


class NoWorkerError(Exception):
    """No worker became free in time."""


class _Worker:
    """One process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process, first: dict[str, Any]) -> None:
        self._process = process
        self.models: list[dict[str, Any]] = first["models"]
        self.bounded: bool = first["bounded"]
        self.ended_by = "death"

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """Start a process and wait until its models are loaded.

        Raises:
            BundleError: It ended, or says that it can't do its work.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "fauxto.service.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,  # a Ctrl-C is for the service, which lets its workers finish
        )
        setup = {"detector": settings.detector.to_dict(), "worker_bytes": settings.worker_bytes}
        try:
            async with asyncio.timeout(_START_SECONDS):
                first, _ = await _talk(process, setup, b"")
        except BaseException as error:
            await _end(process)
            if isinstance(error, (OSError, EOFError, ValueError)):
                raise BundleError("a worker of the service ended while it loaded its model") from error
            raise
        if "failed" in first:
            await _end(process)
            raise BundleError(first["failed"])
        return cls(process, first)

    async def ask(self, header: dict[str, Any], data: bytes | bytearray) -> frames.Frame:
        """Send it one picture after a successful ping, and wait for the answer.

        asyncio notices the end of a process late. So a worker answers a ping first: a failure before that isn't the
        picture's fault.

        Raises:
            _NotReachedError: The process had ended, or was out of step, before it got a byte of the picture.
            OSError, EOFError, ValueError: The process has ended, or its answer is invalid.
        """
        try:
            if await _talk(self._process, frames.PING, b"") != (frames.PONG, b""):
                raise ValueError("a worker answered a ping with something else")
        except (OSError, EOFError, ValueError) as error:
            raise _NotReachedError from error
        try:
            return await _talk(self._process, header, data)
        except EOFError:  # it is ending, and a kill on the way would hide by what
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    await self.wait()
            raise

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> None:
        """Wait until the process has ended, by whatever."""
        if took_too_long(await self._process.wait()):
            self.ended_by = "time"

    async def end(self, why: str) -> None:
        """End the process; `why` is "time" or "death"."""
        self.ended_by = why
        await _end(self._process)
        await self.wait()  # it may have ended by itself before, for another reason


class WorkerPool:
    """The workers of one service.

    Attributes:
        models: What the workers judge by, as `GET /v1/models` shows it.
        bounded: Whether this system bounds the workers' memory.
    """

    def __init__(self, settings: Settings, count_end: Callable[[str], None]) -> None:
        """Make a pool without workers; `start` starts them.

        Args:
            settings: Which of them count is said there.
            count_end: Called with "time" or "death" when a worker is replaced.
        """
        self._settings = settings
        self._count_end = count_end
        self._workers: set[_Worker] = set()
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.models: list[dict[str, Any]] = []
        self.bounded = True

    async def start(self) -> None:
        """Start all workers, the first alone, so that a model that can't be used is told once.

        Raises:
            BundleError: A worker can't start.
        """
        try:
            await self._add()
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.workers - 1):
                    group.create_task(self._add())
        except BaseException as error:
            await self.close()
            raise (error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error) from None

    async def close(self) -> None:
        """End all workers, at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.end("close") for worker in self._workers))
        self._workers.clear()

    @property
    def is_ready(self) -> bool:
        """Whether a worker is alive."""
        return any(worker.is_alive for worker in self._workers)

    async def ask(self, header: dict[str, Any], data: bytes | bytearray, seconds: float) -> frames.Frame:
        """Process one picture with the next free worker; a worker that dies is replaced and the picture retried once.

        A started picture is finished even if the caller is cancelled, so that the worker can be reused.

        Args:
            header: What to do with it, as `worker.Judge.answer` takes it.
            data: The whole file.
            seconds: Processor time that a worker may take; by the clock, `CLOCK_FACTOR` times as long, not counting the
                wait for one.

        Raises:
            NoWorkerError: None became free in `wait_seconds`, or all that did were dead.
            TookTooLongError: The picture took longer than it may.
            WorkerEndedError: Two workers died of it.
        """
        worker = await self._next()
        task = asyncio.create_task(self._use(worker, header, data, seconds))
        self._keep(task)
        return await asyncio.shield(task)

    async def _use(
        self, worker: _Worker, header: dict[str, Any], data: bytes | bytearray, seconds: float
    ) -> frames.Frame:
        """Try the picture on workers until one answers; only those that it reached count as tries."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._settings.wait_seconds
        tries = 0
        while True:
            try:
                return await self._try(worker, header, data, seconds)
            except _NotReachedError as error:
                if clock() > until:
                    raise NoWorkerError from error
            except (OSError, EOFError, ValueError) as error:
                tries += 1
                if tries == _TRIES:
                    raise WorkerEndedError from error
            worker = await self._next()

    async def _try(
        self, worker: _Worker, header: dict[str, Any], data: bytes | bytearray, seconds: float
    ) -> frames.Frame:
        try:
            async with asyncio.timeout(CLOCK_FACTOR * seconds):
                answer = await worker.ask({**header, "seconds": seconds}, data)
        except Exception as error:
            await worker.end("time" if isinstance(error, TimeoutError) else "death")
            if worker.ended_by == "time":
                raise TookTooLongError from error
            raise
        self._idle.put_nowait(worker)
        return answer

    async def _next(self) -> _Worker:
        try:
            async with asyncio.timeout(self._settings.wait_seconds):
                while not (worker := await self._idle.get()).is_alive:
                    pass  # it ended while it waited, and has a successor
                return worker
        except TimeoutError as error:
            raise NoWorkerError from error

    async def _add(self) -> None:
        worker = await _Worker.start(self._settings)
        self.models, self.bounded = worker.models, worker.bounded
        self._workers.add(worker)
        self._idle.put_nowait(worker)
        self._keep(asyncio.create_task(self._replace(worker)))

    async def _replace(self, worker: _Worker) -> None:
        """Replace a worker after it has ended, busy or idle."""
        await worker.wait()
        self._workers.discard(worker)
        self._count_end(worker.ended_by)
        logger.warning("worker ended", extra={"fields": {"why": worker.ended_by}})
        pause = 0.5
        while True:
            try:
                return await self._add()
            except (BundleError, OSError, TimeoutError) as error:
                logger.error("no worker starts", extra={"fields": {"error": type(error).__name__}})
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Its exception is the caller's; where the caller is gone nobody misses it.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _talk(process: asyncio.subprocess.Process, header: dict[str, Any], data: bytes | bytearray) -> frames.Frame:
    if process.stdin is None or process.stdout is None:
        raise EOFError("the worker has no pipes")
    process.stdin.write(frames.pack(header, data))
    process.stdin.write(data)
    await process.stdin.drain()
    return await frames.receive(process.stdout)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.communicate()  # what it wrote last is read, or its end of the pipe would stay open
