"""The page in a real browser, served by a `fauxto app` that can't write a single byte to a file."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from fauxto.report import Report, Status, Verdict

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ulimit, which forbids the server to write, is POSIX")

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 60


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "no chromium on the path: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(golden_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served. No file may grow beyond 0 bytes there, so uploads can't touch the disk."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    app = [sys.executable, "-c", "from fauxto.cli import main; main()", "app", "--no-browser"]
    home = tmp_path_factory.mktemp("home")
    server = subprocess.Popen(
        ["bash", "-c", 'ulimit -f 0 && exec "$@"', "-", *app, "--port", str(port), "--model", str(golden_bundle)],
        env={**os.environ, "HOME": str(home)},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    wait_until_served(address, server)
    yield address
    server.terminate()
    said, _ = server.communicate(timeout=SECONDS)
    assert address in said
    assert "Traceback" not in said
    assert "onerror" not in said
    assert list(home.rglob("*")) == []


def wait_until_served(address: str, server: subprocess.Popen[str]) -> None:
    for _ in range(10 * SECONDS):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health") as response:
                if response.status == 200:
                    return
        except OSError:
            if server.poll() is not None:
                pytest.fail(f"the server ended: {server.communicate()[0]}")
            time.sleep(0.1)
    pytest.fail("the server did not come up")


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The open page; whatever was done on it, in the end it has asked no other host and shown no alert."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(1000 * SECONDS)
    expect.set_options(timeout=1000 * SECONDS)
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    expect(page.get_by_text("What it can't tell")).to_be_visible()
    yield page
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:"))] == []
    assert dialogs == []


def upload(page: Page, *files: tuple[str, bytes]) -> list[Report]:
    """Upload files, wait for their verdicts, download the reports and read them back."""
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files]
    )
    button = page.get_by_role("button", name="Download")
    expect(button).to_contain_text("the report" if len(files) == 1 else f"{len(files)} reports")
    with page.expect_download() as download:
        button.click()
    text = download.value.path().read_text()
    if len(files) == 1:
        assert download.value.suggested_filename == "fauxto-report.json"
        return [Report.from_dict(json.loads(text))]
    assert download.value.suggested_filename == "fauxto-reports.jsonl"
    return [Report.from_dict(json.loads(line)) for line in text.splitlines()]


def heading(page: Page, text: str) -> Locator:
    return page.get_by_role("heading", name=re.compile(f"{text}$"))  # an icon's name stands before it


def encode(rgb: NDArray[np.uint8], format: str, **options: int) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(rgb).save(file, format, **options)
    return file.getvalue()


def thumbnail(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(PIL.Image.fromarray(rgb).resize((32, 32)))


def test_a_large_photograph_is_shown_and_is_out_of_domain(page: Page, photo: NDArray[np.uint8]) -> None:
    large = encode(photo.repeat(5, axis=0).repeat(5, axis=1), "JPEG", quality=95)
    assert len(large) > 1024 * 1024  # more than the web framework would keep in memory by itself
    [report] = upload(page, ("astronaut.jpg", large))
    expect(heading(page, "Can't tell")).to_be_visible()
    expect(page.get_by_test_id("stText").get_by_text("short side is 2560 px")).to_be_visible()
    picture = page.get_by_role("img", name="The picture as fauxto decoded it")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [640, 640]
    assert report.status is Status.OK
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.path == "astronaut.jpg"
    assert report.image is not None
    assert (report.image.width, report.image.height, report.image.format) == (2560, 2560, "JPEG")


def test_a_thumbnail_gets_a_verdict_and_its_report_as_json(page: Page, photo: NDArray[np.uint8]) -> None:
    [report] = upload(page, ("thumbnail.png", encode(thumbnail(photo), "PNG")))
    headlines = {
        Verdict.AI: "Probably made by a generative model",
        Verdict.REAL: "Probably a photograph",
        Verdict.INCONCLUSIVE: "Can't tell",
    }
    assert report.verdict is not None
    expect(heading(page, headlines[report.verdict])).to_be_visible()
    assert report.probability is not None
    expect(page.get_by_text(f"{100 * report.probability:.0f} %").first).to_be_visible()
    assert report.model is not None
    assert report.model.name == "golden"


def test_files_that_lie_break_nothing(page: Page, photo: NDArray[np.uint8]) -> None:
    hostile = '"><img src=x onerror=alert(1)>.jpg'
    picture = encode(thumbnail(photo), "PNG")
    marked = "![](http://host.example/x.png) **bold**.png"
    reports = upload(page, ("text.jpg", b"no picture at all"), (hostile, picture), (marked, picture))
    assert [report.status for report in reports] == [Status.UNSUPPORTED_FORMAT, Status.OK, Status.OK]
    expect(heading(page, "This file could not be judged")).to_be_visible()
    expect(page.get_by_test_id("stText").get_by_text("<img src=x onerror=alert(1)>.jpg")).to_be_visible()
    expect(page.get_by_test_id("stText").get_by_text(marked)).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("[onerror]").count() == 0
    for expander in page.get_by_text("The whole report").all():
        expander.click()
    expect(page.get_by_text("unsupported_format").first).to_be_visible()


def test_a_page_of_another_origin_is_turned_away(address: str) -> None:
    """Neither another site nor a name that was made to point here (DNS rebinding) can drive the page."""
    rebound = f"host.example:{address.rpartition(':')[2]}"
    assert handshake(address, {"Origin": address}) == 101
    assert handshake(address, {"Origin": "http://host.example"}) == 403
    assert handshake(address, {"Origin": f"http://{rebound}", "Host": rebound}) == 403


def handshake(address: str, headers: dict[str, str]) -> int:
    """Ask for the page's WebSocket and return the HTTP status."""
    host, port = address.removeprefix("http://").split(":")
    asked = {
        "Host": f"{host}:{port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        **headers,
    }
    with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
        lines = "".join(f"{key}: {value}\r\n" for key, value in asked.items())
        connection.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{lines}\r\n".encode())
        return int(connection.recv(64).split()[1])
