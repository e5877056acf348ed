"""What may break around a service, each with the outcome that docs/how-to/run-the-service.md promises."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fauxto.service import frames
from fauxto.service import pool as pools
from fauxto.service.settings import Settings

GOLDEN = Path(__file__).resolve().parents[1] / "golden/bundle"
SECONDS = 60

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers by /proc")


@pytest.fixture(scope="module")
def tight(start):
    """One worker, little time, little memory and a short line."""
    limits = {"max_bytes": 30_000_000, "max_seconds": 5.0}
    return start(workers=1, queue=2, worker_bytes=200 << 20, read_seconds=1.0, limits=limits)


def until(condition):
    for _ in range(20 * SECONDS):
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail("it never came to that")


def in_background(call):
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    return future


def test_row_31_a_picture_that_takes_too_long_is_504_and_the_next_is_served(tight, pictures):
    (worker,) = tight.workers()
    os.kill(worker, signal.SIGSTOP)  # it will never answer
    answer = tight.post("/v1/analyze", content=pictures["rough"])
    assert (answer.status_code, answer.json()["type"]) == (504, "urn:fauxto:problem:timed_out")
    assert tight.analyze(pictures["rough"])["verdict"] == "ai"
    assert worker not in tight.workers()
    assert 'fauxto_workers_replaced_total{why="time"} 1.0' in tight.get("/metrics").text


def test_in_a_batch_it_is_a_row(tight, pictures):
    os.kill(tight.workers()[0], signal.SIGSTOP)
    answer = tight.post("/v1/analyze/batch", files=[("files", ("a", pictures["rough"]))] * 3)
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == ["timed_out", "ok", "ok"]


def test_a_worker_killed_during_a_request_is_replaced_and_the_request_answered(tight, pictures):
    (worker,) = tight.workers()
    os.kill(worker, signal.SIGSTOP)
    answer = in_background(lambda: tight.analyze(pictures["rough"]))
    time.sleep(0.3)
    assert not answer.done()
    os.kill(worker, signal.SIGKILL)
    assert answer.result(SECONDS)["verdict"] == "ai"
    assert worker not in tight.workers()


def test_a_worker_killed_between_requests_is_noticed(tight, pictures):
    (worker,) = tight.workers()
    os.kill(worker, signal.SIGKILL)
    assert tight.analyze(pictures["rough"])["verdict"] == "ai"


def test_a_picture_that_needs_too_much_memory_is_refused_and_the_service_goes_on(tight, pictures, encode):
    large = encode(np.zeros((6_500, 6_500, 3), np.uint8), "PNG")
    report = tight.analyze(large)
    assert report["status"] in ("too_large", "unreadable"), report
    assert tight.analyze(pictures["rough"])["verdict"] == "ai"
    peak = int(Path(f"/proc/{tight.workers()[0]}/status").read_text().split("VmHWM:")[1].split()[0])
    assert peak < 400 * 1024


def test_row_30_a_full_line_is_503_and_all_are_answered(tight, pictures):
    (worker,) = tight.workers()
    os.kill(worker, signal.SIGSTOP)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(tight.post, "/v1/analyze", content=pictures["rough"]) for _ in range(20)]
        until(lambda: sum(answer.done() for answer in answers) >= 17)
        refused = [answer.result() for answer in answers if answer.done()]
        os.kill(worker, signal.SIGCONT)
        codes = [answer.result().status_code for answer in answers]
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert sorted(codes) == [200] * 3 + [503] * 17


def connect(service, *parts):
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=SECONDS)
    for part in parts:
        connection.sendall(part)
    return connection


def head(length, path="/v1/analyze"):
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


def line_and_bytes(service):
    figures = service.get("/metrics").text
    return [line.split()[1] for line in figures.splitlines() if line.startswith(("fauxto_line ", "fauxto_held_bytes "))]


def test_a_client_that_is_gone_in_the_middle_of_an_upload_leaves_nothing_behind(tight, pictures):
    clients = [connect(tight, head(1_000_000), bytes(500_000)) for _ in range(5)]
    until(lambda: line_and_bytes(tight) == ["0.0", "2.5e+06"])
    for client in clients:
        client.close()
    until(lambda: line_and_bytes(tight) == ["0.0", "0.0"])
    until(lambda: sum(line.get("status") == 499 for line in tight.log()) == 5)
    assert tight.analyze(pictures["rough"])["verdict"] == "ai"


def test_a_client_that_is_gone_in_the_middle_of_a_batch_leaves_nothing_behind(tight, pictures):
    part = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n%s\r\n' % pictures["rough"]
    form = part * 90 + b"--b--\r\n"
    start = head(len(form), "/v1/analyze/batch")[:-2] + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    client = connect(tight, start, form)
    assert client.recv(100).startswith(b"HTTP/1.1 200")
    client.close()
    until(lambda: line_and_bytes(tight) == ["0.0", "0.0"])
    assert tight.analyze(pictures["rough"])["verdict"] == "ai"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"POST /v1/analyze HTT", b""),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", b""),
        (head(9), b"HTTP/1.1 408"),
        (head(9) + b"x", b"HTTP/1.1 408"),
    ],
)
def test_row_32_a_client_that_says_nothing_is_cut_off(tight, sent, answer):
    with connect(tight, sent) as client:
        said = b""
        while more := client.recv(4096):
            said += more
    assert said.startswith(answer)
    assert bool(said) == bool(answer)


def test_row_32_a_head_that_trickles_is_cut_off(tight):
    with connect(tight, b"GET / HTTP/1.1\r\n") as client:
        gone = threading.Event()

        def trickle():
            while not gone.wait(0.1):
                try:
                    client.sendall(b"a")
                except OSError:
                    return

        sender = threading.Thread(target=trickle)
        sender.start()
        try:
            with contextlib.suppress(ConnectionResetError):  # which is as good as an orderly end
                assert client.recv(100) == b""
        finally:
            gone.set()
            sender.join()


def test_a_client_that_doesnt_accept_its_answer_is_cut_off(tight, encode):
    noise = np.random.default_rng(1).integers(0, 256, (900, 900, 3), np.uint8)
    form = encode(noise, "PNG")
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", tight.port))
    explain = head(len(form), "/v1/explain")
    client.sendall(explain + form)
    until(lambda: any(line.get("route") == "/v1/explain" for line in tight.log()))
    connections = Path(f"/proc/{tight.process.pid}/fd")

    def sockets():
        return sum("socket" in str(fd.readlink()) for fd in connections.iterdir() if fd.is_symlink())

    before = sockets()
    until(lambda: sockets() < before)
    client.close()


def test_sigterm_under_load_finishes_what_is_under_way(start, pictures):
    service = start(workers=1)
    (worker,) = service.workers()
    os.kill(worker, signal.SIGSTOP)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(service.analyze, pictures["rough"]) for _ in range(8)]
        until(lambda: line_and_bytes(service)[0] == "8.0")
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(OSError, match="refused"):
            until(lambda: connect(service).close())
        os.kill(worker, signal.SIGCONT)
        assert [answer.result()["verdict"] for answer in answers] == ["ai"] * 8
    assert service.process.wait(SECONDS) == 0
    assert not Path(f"/proc/{worker}").exists()
    assert service.log()[-1]["event"] == "ended"


def test_workers_end_with_a_service_that_was_killed(start, pictures):
    service = start(workers=2)
    workers = service.workers()
    service.process.kill()
    service.process.wait()
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    service.ends_with = -signal.SIGKILL


@pytest.mark.parametrize("damage", ["bit", "missing", "not a network"])
def test_a_damaged_model_ends_the_start_with_one_sentence(tmp_path, damage):
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "golden"))
    model = bytearray((folder / "model.onnx").read_bytes())
    model[99] ^= 1
    if damage == "missing":
        (folder / "model.onnx").unlink()
    else:
        (folder / "model.onnx").write_bytes(model if damage == "bit" else b"")
    code = "from fauxto.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--model", str(folder), "--port", "1"]
    command[-1] = str(free_port())
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("fauxto: ")
    assert "model.onnx" in line


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code = "from fauxto.cli import main; main()"
        command = [sys.executable, "-c", code, "serve", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert ended.returncode == 2
    assert ended.stderr.startswith("fauxto: can't listen on 127.0.0.1, port ")


# The pool by itself, with workers made up


class MadeUp:
    """A worker that answers, dies, talks nonsense or never answers."""

    bounded = True
    models = ()
    is_alive = True

    def __init__(self, does):
        self.does = does
        self.process = None

    async def ask(self, header, data):
        if self.does == "die":
            raise EOFError
        if self.does == "talk nonsense":
            raise ValueError("no frame")
        if self.does == "sleep":
            await asyncio.sleep(SECONDS)
        return {"status": "ok"}, data


def run_pool(monkeypatch, does, *, workers=1, seconds=0.2, wait_seconds=5.0):
    """Ask a pool whose workers do these things, one after the other; the last goes on for ever."""
    script = list(does)
    ended = []

    async def start(_):
        return MadeUp(script.pop(0) if len(script) > 1 else script[0])

    async def end(_):
        pass

    monkeypatch.setattr(pools._Worker, "start", start)
    monkeypatch.setattr(pools, "_end", end)

    async def ask():
        pool = pools.WorkerPool(Settings(workers=workers, wait_seconds=wait_seconds), ended.append)
        await pool.start()
        try:
            return (await pool.ask({}, b"x", seconds))[1]
        except Exception as error:
            return type(error)
        finally:
            await asyncio.sleep(0.01)
            await pool.close()

    return asyncio.run(ask()), ended


def test_what_becomes_of_a_picture_whose_worker_fails(monkeypatch):
    ended = pools.WorkerEndedError
    assert run_pool(monkeypatch, ["answer"]) == (b"x", [])
    assert run_pool(monkeypatch, ["die", "answer"]) == (b"x", ["death"])
    assert run_pool(monkeypatch, ["talk nonsense", "answer"]) == (b"x", ["death"])
    assert run_pool(monkeypatch, ["die", "die", "answer"]) == (ended, ["death"] * 2)
    assert run_pool(monkeypatch, ["die", "die", "answer"], workers=2) == (ended, ["death"] * 2)
    assert run_pool(monkeypatch, ["sleep", "answer"]) == (pools.TookTooLongError, ["time"])


def test_no_worker_in_time_is_told(monkeypatch):
    async def ask():
        pool = pools.WorkerPool(Settings(workers=1, wait_seconds=0.05), lambda _: None)
        with pytest.raises(pools.NoWorkerError):
            await pool.ask({}, b"", 1.0)
        assert not pool.is_ready

    asyncio.run(ask())


def test_a_caller_that_is_cancelled_leaves_the_worker_in_order(monkeypatch):
    async def start(_):
        return MadeUp("answer")

    async def slowly(self, header, data):
        await asyncio.sleep(0.05)
        return {}, data

    async def end(_):
        pass

    monkeypatch.setattr(pools._Worker, "start", start)
    monkeypatch.setattr(pools, "_end", end)
    monkeypatch.setattr(MadeUp, "ask", slowly)

    async def ask():
        pool = pools.WorkerPool(Settings(workers=1), lambda _: None)
        await pool.start()
        first = asyncio.create_task(pool.ask({}, b"first", 1.0))
        await asyncio.sleep(0.01)
        first.cancel()
        assert (await pool.ask({}, b"second", 1.0))[1] == b"second"
        await pool.close()

    asyncio.run(ask())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0" * 5,
        b"\xff" * 12,
        b"\0\0\0\2" + bytes(8) + b"[]",
        b"\0\0\0\2" + bytes(8) + b"{x",
        b"\0\0\0\1" + bytes(8),
    ],
)
def test_a_worker_that_was_taken_over_can_only_talk_nonsense(sent):
    async def receive():
        stream = asyncio.StreamReader()
        stream.feed_data(sent)
        stream.feed_eof()
        return await frames.receive(stream)

    with pytest.raises((EOFError, ValueError)):
        asyncio.run(receive())
