"""A service in a process of its own, as `fauxto serve` starts it, and what the tests send to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from fauxto import DetectorOptions, Limits
from fauxto.service.app import create_app
from fauxto.service.settings import Settings

GOLDEN = Path(__file__).resolve().parents[1] / "golden/bundle"
SECONDS = 120  # a deadline, far away: machines are busy
START = """
import json, sys
from pathlib import Path
from fauxto import DetectorOptions, Limits
from fauxto.service.run import serve
from fauxto.service.settings import Settings
port, model, limits, plain = json.loads(sys.argv[1])
plain["detector"] = DetectorOptions(model, limits=Limits(**limits))
if plain.get("keys"):
    plain["keys"] = Path(plain["keys"])
serve(Settings(**plain), "127.0.0.1", port)
"""


class Service:
    """A running service. It can't write a single byte to any file: its disk is as good as full."""

    def __init__(self, folder: Path, *, limits: dict[str, Any] | None = None, **settings: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.ends_with = 0
        self._http = httpx.Client(base_url=self.address, timeout=SECONDS)  # a client costs more than a request
        self.lines: list[str] = []
        plain = {"workers": 1, **settings}
        self.process = subprocess.Popen(
            [
                "bash",
                "-c",
                'ulimit -f 0 && exec "$@"',
                "-",
                sys.executable,
                "-c",
                START,
                json.dumps([self.port, str(GOLDEN), limits or {}, plain]),
            ],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder), "FAUXTO_TEST_SECRET": "not for workers"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._keep_lines, daemon=True)
        self._reader.start()

    def _keep_lines(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def wait_until_ready(self) -> None:
        for _ in range(10 * SECONDS):
            assert self.process.poll() is None, "".join(self.lines)
            try:
                assert self.get("/readyz").status_code == 200
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        pytest.fail("the service didn't start")

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._http.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._http.post(path, **options)

    def analyze(self, data: bytes, name: str = "picture") -> dict[str, Any]:
        answer = self.post("/v1/analyze", files={"file": (name, data)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(one) for one in children.split()]

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines)]

    def stop(self) -> int:
        self._http.close()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(SECONDS)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """`start(**settings) -> Service`; all are stopped at the end, by SIGTERM, and must end well."""
    running: list[Service] = []

    def start(**settings: Any) -> Service:
        running.append(Service(tmp_path_factory.mktemp("service"), **settings))
        running[-1].wait_until_ready()
        return running[-1]

    yield start
    assert [service.stop() for service in running] == [service.ends_with for service in running]
    for service in running:
        assert list(service.folder.rglob("*")) == []


@pytest.fixture(scope="session")
def service(start: Callable[..., Service]) -> Service:
    """A service with two workers and the settings that `fauxto serve` has."""
    return start(workers=2)


class Routes:
    """The routes without workers, a server or a network."""

    def __init__(self, settings: Settings, host: str) -> None:
        self.app = create_app(settings)
        self._host = host

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{self._host}") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@pytest.fixture
def routes() -> Callable[..., Routes]:
    """`routes(**settings) -> Routes`, for what is answered before any worker is asked."""

    def routes(host: str = "127.0.0.1", limits: dict[str, Any] | None = None, **settings: Any) -> Routes:
        bounds = Limits(**{"max_bytes": 1_000_000, "max_seconds": 5, **(limits or {})})
        return Routes(Settings(DetectorOptions(limits=bounds), workers=1, **settings), host)

    return routes


@pytest.fixture(scope="session")
def pictures() -> dict[str, bytes]:
    """PNG files of 32 x 32 pixels that the golden network judges, by name."""
    import io

    import PIL.Image

    y, x = np.mgrid[:32, :32]
    smooth = np.stack([2 * x, 2 * y, x], axis=-1).astype(np.uint8)
    rough = np.random.default_rng(5).integers(0, 256, (16, 16, 1), np.uint8).repeat(2, 0).repeat(2, 1).repeat(3, 2)
    files = {}
    for name, pixels in (("smooth", smooth), ("rough", rough)):
        file = io.BytesIO()
        PIL.Image.fromarray(pixels).save(file, "PNG")
        files[name] = file.getvalue()
    return files
