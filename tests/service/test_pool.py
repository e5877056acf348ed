"""The pool by itself, with workers that are made up, and the talk with them."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import pytest

from fauxto.errors import BundleError
from fauxto.service import frames
from fauxto.service import pool as pools
from fauxto.service.settings import Settings

SECONDS = 60


class MadeUp:
    """A worker that answers, was dead before, dies, talks nonsense or never answers; `slow` ones take their time."""

    bounded = True
    models = ()
    ended_by = "death"

    def __init__(self, does):
        self.does = does
        self.ended = asyncio.Event()

    @property
    def is_alive(self):
        return not self.ended.is_set()

    async def wait(self):
        await self.ended.wait()

    async def end(self, why):
        self.ended_by = why
        self.ended.set()

    async def ask(self, header, data):
        if self.does == "be dead":
            raise pools._NotReachedError
        if self.does == "die":
            raise EOFError
        if self.does == "talk nonsense":
            raise ValueError("no frame")
        if self.does == "sleep":
            await asyncio.sleep(SECONDS)
        if self.does == "be slow":
            await asyncio.sleep(0.05)
        return {"status": "ok"}, data


@pytest.fixture
def with_pool(monkeypatch):
    """`with_pool(does, use, **settings)`: run `use(pool, workers)` with workers that do these things, one by one.

    The last goes on for ever. Returns what `use` returns and why workers ended, but for those that the pool closed.
    """

    def with_pool(does, use, *, workers=1, wait_seconds=5.0):
        script, started, ended = list(does), [], []

        async def start(_):
            started.append(MadeUp(script.pop(0) if len(script) > 1 else script[0]))
            return started[-1]

        monkeypatch.setattr(pools._Worker, "start", start)

        async def run():
            pool = pools.WorkerPool(Settings(workers=workers, wait_seconds=wait_seconds), ended.append)
            await pool.start()
            try:
                return await use(pool, started)
            finally:
                await asyncio.sleep(0.01)
                await pool.close()

        return asyncio.run(run()), ended

    return with_pool


async def ask(pool, _):
    try:
        return (await pool.ask({}, b"x", 0.2))[1]
    except Exception as error:
        return type(error)


def test_what_becomes_of_a_picture_whose_worker_fails(with_pool):
    ended = pools.WorkerEndedError
    assert with_pool(["answer"], ask) == (b"x", [])
    assert with_pool(["die", "answer"], ask) == (b"x", ["death"])
    assert with_pool(["talk nonsense", "answer"], ask) == (b"x", ["death"])
    assert with_pool(["die", "die", "answer"], ask) == (ended, ["death"] * 2)
    assert with_pool(["die", "die", "answer"], ask, workers=2) == (ended, ["death"] * 2)
    assert with_pool(["sleep", "answer"], ask) == (pools.TookTooLongError, ["time"])


TIMED = """
import os, signal, sys
from fauxto.service import frames
while (frame := frames.read(sys.stdin.buffer)) is not None:
    if frame[0] != frames.PING:
        os.kill(os.getpid(), signal.SIGPROF)  # as the kernel does when its processor time is used up
    frames.write(sys.stdout.buffer, frames.PONG)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="this system has no such timer")
def test_a_worker_that_used_up_its_processor_time_is_told_from_one_that_died(monkeypatch):
    async def start(_):
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", TIMED, stdin=pipe, stdout=pipe)
        return pools._Worker(process, {"models": [], "bounded": True})

    async def run():
        pool = pools.WorkerPool(Settings(workers=1), ended.append)
        await pool.start()
        with pytest.raises(pools.TookTooLongError):
            await pool.ask({}, b"x", SECONDS)
        while not pool.is_ready:  # it was replaced
            await asyncio.sleep(0.05)
        await pool.close()

    ended = []
    monkeypatch.setattr(pools._Worker, "start", start)
    asyncio.run(run())
    assert ended[0] == "time"


def test_workers_that_ended_while_idle_are_no_pictures_fault(with_pool):
    async def use(pool, started):
        for worker in started[:2]:
            await worker.end("death")
        answer = await ask(pool, started)
        return answer, len(started), pool.is_ready

    assert with_pool(["answer"], use, workers=2) == ((b"x", 4, True), ["death"] * 2)


class MadeUpProcess:
    """What asyncio shows of a worker's process: one that answers, or one that was killed and isn't known to be dead."""

    def __init__(self, is_dead):
        self.returncode = None
        self.stdin, self.stdout = self, asyncio.StreamReader()
        self.ended = asyncio.Event()
        if is_dead:
            self.stdout.feed_eof()

    def write(self, sent):
        """Answer each header as `fauxto.service.worker` does; the picture behind it changes nothing."""
        if not self.stdout.at_eof() and sent.endswith(b"}"):
            header = frames.PONG if json.loads(sent[12:]) == frames.PING else {"status": "ok"}
            self.stdout.feed_data(frames.pack(header, b""))

    async def drain(self):
        pass

    async def wait(self):
        await self.ended.wait()

    def kill(self):
        self.returncode = -9
        self.ended.set()

    async def communicate(self):
        pass


@pytest.mark.parametrize("dead", [0, 1, 2, 3])
def test_workers_that_were_dead_before_a_picture_reached_them_cost_it_nothing(monkeypatch, dead):
    """asyncio may learn of a death only after the worker was handed the picture: to the pool these look alive."""
    states, ended = [True] * dead, []

    async def start(_):
        return pools._Worker(MadeUpProcess(bool(states) and states.pop()), {"models": [], "bounded": True})

    async def run():
        pool = pools.WorkerPool(Settings(workers=3), ended.append)
        await pool.start()
        try:
            answer = await pool.ask({"do": "analyze"}, b"x", SECONDS)
            await asyncio.sleep(0.01)
            return answer
        finally:
            await pool.close()

    monkeypatch.setattr(pools._Worker, "start", start)
    assert asyncio.run(run()) == ({"status": "ok"}, b"")
    assert ended == ["death"] * dead


def test_a_picture_doesnt_wait_for_ever_for_a_worker_that_lives(with_pool):
    assert with_pool(["be dead"], ask, wait_seconds=0.05)[0] is pools.NoWorkerError


def test_what_becomes_of_workers_is_logged(with_pool, monkeypatch, caplog):
    async def fail(_):
        raise BundleError("/secret/path")

    async def use(pool, started):
        monkeypatch.setattr(pools._Worker, "start", fail)
        await started[0].end("time")
        await asyncio.sleep(0.05)

    with_pool(["answer"], use)
    said = [(record.getMessage(), record.fields) for record in caplog.records if record.name == "fauxto.service"]
    assert said == [("worker ended", {"why": "time"}), ("no worker starts", {"error": "BundleError"})]


def test_a_service_without_a_living_worker_isnt_ready(with_pool):
    async def use(pool, started):
        await started[0].end("death")
        before = pool.is_ready
        await asyncio.sleep(0.01)
        return before, pool.is_ready

    assert with_pool(["answer"], use)[0] == (False, True)


def test_no_worker_in_time_is_told(with_pool):
    async def use(pool, started):
        first = asyncio.create_task(pool.ask({}, b"", SECONDS))
        await asyncio.sleep(0.01)
        second = await ask(pool, started)
        first.cancel()
        return second

    assert with_pool(["sleep"], use, wait_seconds=0.02)[0] is pools.NoWorkerError


def test_a_caller_that_is_cancelled_leaves_the_worker_in_order(with_pool):
    async def use(pool, started):
        first = asyncio.create_task(pool.ask({}, b"first", 1.0))
        await asyncio.sleep(0.01)
        first.cancel()
        return (await pool.ask({}, b"second", 1.0))[1], len(started)

    assert with_pool(["be slow"], use) == ((b"second", 1), [])


def test_a_process_that_ends_in_the_middle_of_a_long_answer_leaves_no_pipe_open():
    """asyncio doesn't see the end of a process whose output nobody reads on."""
    code = "import sys, time; sys.stdout.buffer.write(bytes(10_000_000)); time.sleep(99)"

    async def run():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert await process.stdout.readexactly(1) == b"\0"
        await asyncio.sleep(0.5)
        async with asyncio.timeout(SECONDS):
            await pools._end(process)
        return process.stdout.at_eof()

    assert asyncio.run(run())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0" * 5,
        b"\xff" * 12,
        b"\0\0\0\2" + bytes(8) + b"[]",
        b"\0\0\0\2" + bytes(8) + b"{x",
        b"\0\0\0\1" + bytes(8),
        b"\0\1\0\0" + bytes(8) + b"[" * 65_536,
        b"\0\0\0\2" + (65 << 20).to_bytes(8, "big") + b"{}",
    ],
    ids=["nothing", "half", "longest", "a list", "no JSON", "cut", "deep", "too long"],
)
def test_a_worker_that_was_taken_over_can_only_talk_nonsense(sent):
    async def receive():
        stream = asyncio.StreamReader()
        stream.feed_data(sent)
        stream.feed_eof()
        return await frames.receive(stream)

    with pytest.raises((EOFError, ValueError)):
        asyncio.run(receive())
