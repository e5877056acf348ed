"""What may break around a service, each with the outcome that docs/how-to/run-the-service.md promises."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from fauxto import DetectorOptions
from fauxto.service import frames

GOLDEN = Path(__file__).resolve().parents[1] / "golden/bundle"
SECONDS = 120

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers by /proc")


@pytest.fixture(scope="module")
def tight(start):
    """One worker, little time, little memory and a short line."""
    limits = {"max_bytes": 30_000_000, "max_seconds": 1.0}  # of the processor; 10 by the clock
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


def test_a_picture_that_takes_too_long_is_504_and_the_next_is_served(tight, pictures):
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


def test_workers_killed_between_requests_are_replaced_unasked(start, pictures):
    """A balancer that asks /readyz alone must see the service come back, and no picture is blamed for their death."""
    service = start(workers=2)
    before = service.workers()
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    assert service.analyze(pictures["rough"])["verdict"] == "ai"
    for worker in service.workers():
        os.kill(worker, signal.SIGKILL)
    until(lambda: service.get("/readyz").status_code == 503)
    until(lambda: service.get("/readyz").status_code == 200)
    assert not set(before) & set(service.workers())


def test_a_picture_that_needs_too_much_memory_is_refused_and_the_service_goes_on(tight, pictures, encode):
    large = encode(np.zeros((6_500, 6_500, 3), np.uint8), "PNG")
    report = tight.analyze(large)
    assert report["status"] in ("too_large", "unreadable"), report
    assert tight.analyze(pictures["rough"])["verdict"] == "ai"
    peak = int(Path(f"/proc/{tight.workers()[0]}/status").read_text().split("VmHWM:")[1].split()[0])
    assert peak < 400 * 1024


def test_a_full_line_is_503_and_all_are_answered(tight, pictures):
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


def test_a_client_that_leaves_gives_its_place_in_the_line_to_others(tight, pictures):
    (worker,) = tight.workers()
    os.kill(worker, signal.SIGSTOP)
    whole = head(len(pictures["rough"])) + pictures["rough"]
    clients = [connect(tight, whole) for _ in range(3)]
    until(lambda: line_and_bytes(tight)[0] == "3.0")
    for client in clients:
        client.close()
    until(lambda: line_and_bytes(tight) == ["0.0", "0.0"])
    answer = in_background(lambda: tight.analyze(pictures["rough"]))
    os.kill(worker, signal.SIGCONT)
    assert answer.result(SECONDS)["verdict"] == "ai"
    assert tight.workers() == [worker]


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
    def left():
        return sum(line.get("status") == 499 for line in tight.log())

    before = left()
    clients = [connect(tight, head(1_000_000), bytes(500_000)) for _ in range(5)]
    until(lambda: line_and_bytes(tight) == ["0.0", "2.5e+06"])
    for client in clients:
        client.close()
    until(lambda: line_and_bytes(tight) == ["0.0", "0.0"])
    until(lambda: left() == before + 5)
    assert tight.analyze(pictures["rough"])["verdict"] == "ai"


def test_a_client_that_is_gone_in_the_middle_of_a_batch_leaves_nothing_behind(tight, pictures):
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n%s\r\n' % pictures["rough"]
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
def test_a_client_that_says_nothing_is_cut_off(tight, sent, answer):
    with connect(tight, sent) as client:
        said = b""
        while more := client.recv(4096):
            said += more
    assert said.startswith(answer)
    assert bool(said) == bool(answer)


def test_a_head_that_trickles_is_cut_off(tight):
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_models_are_loaded_ends_the_start(tmp_path, number):
    """Process 1 of a container ends by no signal that it doesn't handle."""
    started = subprocess.Popen(
        [sys.executable, "-c", "from fauxto.cli import main; main()", "serve", "--port", str(free_port())],
        stderr=subprocess.PIPE,
        text=True,
    )
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    worker = until(lambda: children.read_text().split())[0]
    started.send_signal(number)
    errors = started.communicate(timeout=SECONDS)[1]
    assert (started.returncode, errors) == (0, "")
    until(lambda: not Path(f"/proc/{worker}").exists())


def test_workers_end_with_a_service_that_was_killed(start, pictures):
    service = start(workers=2)
    workers = service.workers()
    service.process.kill()
    service.process.wait()
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    service.ends_with = -signal.SIGKILL


@pytest.mark.parametrize(
    ("hang", "margin", "ended_by"),
    [("time.sleep(99)", 0, signal.SIGALRM), ("sum(itertools.repeat(0))", SECONDS, signal.SIGPROF)],
)
def test_a_worker_that_hangs_ends_without_a_service_to_end_it(hang, margin, ended_by):
    code = f"""
        import itertools, time
        from fauxto.service import worker
        worker._MARGIN_SECONDS = {margin}
        worker.Judge.answer = lambda *_: {hang}
        worker.main()
    """
    told = {"detector": DetectorOptions(GOLDEN).to_dict(), "worker_bytes": 1 << 30}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdin=-1, stdout=subprocess.DEVNULL)
    frames.write(process.stdin, told)
    frames.write(process.stdin, {"do": "analyze", "seconds": 0.5}, b"x")
    assert process.wait(SECONDS) == -ended_by
    process.stdin.close()


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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_full_changes_nothing(pictures):
    """Neither the log nor any file can take a byte."""
    port = free_port()
    serve = [sys.executable, "-c", "from fauxto.cli import main; main()", "serve", "--model", str(GOLDEN)]
    command = ["bash", "-c", 'ulimit -f 0 && exec "$@"', "-", *serve, "--workers", "1", "--port", str(port)]
    with open("/dev/full", "w") as full, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as client:  # noqa: PTH123
        process = subprocess.Popen(command, stdout=full, stderr=full)

        def is_ready():
            assert process.poll() is None
            with contextlib.suppress(httpx.TransportError):
                return client.get("/readyz").status_code == 200

        until(is_ready)
        for path in ("/v1/analyze", "/v1/explain"):
            assert client.post(path, content=pictures["rough"]).status_code == 200
        answer = client.post("/v1/analyze/batch", files=[("files", ("a", pictures["rough"]))] * 3)
        assert [json.loads(line)["verdict"] for line in answer.text.splitlines()] == ["ai"] * 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


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
