"""The browser extension, unpacked in a real Chromium, against a real `fauxto serve`.

The menu of a right click is the browser's own and nothing that a test can open; its handler is called in its place.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import BrowserContext, Page, Worker, expect, sync_playwright

from fauxto.service.keys import new_key

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "extension"
SECONDS = 240
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><b>bold</b>"

SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: sd"

FRAMES = {
    "framed": "<img src='/1.png'><iframe src='/inner'></iframe><iframe srcdoc='<img src=/4.png>'></iframe>"
    "<iframe src='http://elsewhere.example:HOST/inner'></iframe><iframe width='1' src='http://elsewhere.example:HOST/'>"
    "</iframe><iframe id='slow' src='about:blank'></iframe>",
    "inner": "<img src='/2.png'><iframe src='/innermost'></iframe>",
    "innermost": "<img src='/3.png'>",
}

pytestmark = pytest.mark.slow


def png(seed: int, **texts: str) -> bytes:
    """A rough picture of 32 pixels, generated in the golden network's eyes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 1), np.uint8).repeat(2, 0).repeat(2, 1).repeat(3, 2)
    file, info = io.BytesIO(), PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    PIL.Image.fromarray(pixels).save(file, "PNG", pnginfo=info)
    return file.getvalue()


class Site(BaseHTTPRequestHandler):
    """`/gallery` has 60 pictures and an icon; `/members/` is for visitors with a cookie."""

    def do_GET(self) -> None:
        name = self.path.strip("/")
        if name.startswith("members/") and "visitor=known" not in self.headers.get("Cookie", ""):
            self.answer(403, "text/plain", b"log in first")
        elif name in ("login", "gallery"):
            pictures = [f"<img src='/{number}.png' width='96'>" for number in range(60)] + ["<img src='/icon.png'>"]
            self.answer(200, "text/html", f"<title>a site</title>{''.join(pictures)}".encode())
        elif name in FRAMES:
            self.answer(200, "text/html", FRAMES[name].replace("HOST", self.headers["Host"].partition(":")[2]).encode())
        elif name == "slow":  # it never ends loading
            self.answer(200, "text/html", b"<title>slow</title>")
            time.sleep(SECONDS)
        elif name == "icon.png":
            file = io.BytesIO()
            PIL.Image.new("RGB", (8, 8)).save(file, "PNG")
            self.answer(200, "image/png", file.getvalue())
        elif name == "hostile.png":
            self.answer(200, "image/png", png(1, parameters=f"{HOSTILE}\nNegative prompt: x\n{SETTINGS}"))
        else:
            self.answer(200, "image/png", png(int(name.rpartition("/")[2].removesuffix(".png") or 1)))

    def answer(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.path == "/login":
            self.send_header("Set-Cookie", "visitor=known; SameSite=Strict; HttpOnly; Path=/")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and key of a `fauxto serve --keys`."""
    keys = tmp_path_factory.mktemp("keys") / "keys.txt"
    key = new_key(keys, "browser")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "serve", "--port", str(port)]
    command += ["--keys", str(keys), "--workers", "1", "--model", str(ROOT / "tests/golden/bundle")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + SECONDS
    while True:
        assert process.poll() is None
        assert time.monotonic() < until
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=60).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            break
    yield address, key
    process.terminate()
    assert process.wait(SECONDS) == 0


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "no chromium on the path: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    arguments += [f"--load-extension={EXTENSION}", f"--disable-extensions-except={EXTENSION}"]
    arguments += ["--host-resolver-rules=MAP elsewhere.example 127.0.0.1"]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium,
            headless=False,  # the new headless mode, which has extensions, is among the arguments
            args=arguments,
            ignore_default_args=["--disable-extensions"],
            timeout=1000 * SECONDS,
        )
        context.set_default_timeout(1000 * SECONDS)
        yield context
        context.close()


@pytest.fixture(scope="module")
def worker(context: BrowserContext) -> Worker:
    return context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")


Check = Callable[..., Page]


@pytest.fixture
def check(context: BrowserContext, worker: Worker) -> Iterator[Check]:
    """`check(page, url)`: what a right click on a picture opens; without an address the whole page's window."""
    opened: list[Page] = []

    def check(page: Page, url: str | None = None, pairing: tuple[str, str] | None = None) -> Page:
        address, key = pairing or ("http://127.0.0.1:1", "no key")
        worker.evaluate("pairing => chrome.storage.local.set(pairing)", {"address": address, "key": key})
        tab = worker.evaluate("async url => (await chrome.tabs.query({url}))[0].id", page.url.partition("?")[0])
        with context.expect_page() as window:
            if url is None:
                job = {"tab": tab, "all": True}
                worker.evaluate("job => chrome.storage.session.set({'job:all': job})", job)
                worker.evaluate(
                    "chrome.windows.create({url: 'check.html#all', type: 'popup', width: 480, height: 680})"
                )
            else:
                worker.evaluate("([url, id]) => openCheck({srcUrl: url, frameId: 0}, {id})", [url, tab])
        opened.append(window.value)
        expect(window.value.locator("body[data-done]")).to_be_attached(timeout=1000 * SECONDS)
        return window.value

    yield check
    for window in opened:
        window.close()


@pytest.fixture
def page(context: BrowserContext, site: str) -> Iterator[Page]:
    page = context.new_page()
    page.goto(f"{site}/gallery")
    yield page
    page.close()


def shot(page: Page, name: str) -> None:
    """Keep a picture of a page, where somebody wants to look at them."""
    if folder := os.environ.get("FAUXTO_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_a_picture_gets_its_verdict_and_a_report_of_which_no_word_is_markup(
    check: Check, page: Page, context: BrowserContext, site: str, serve: tuple[str, str]
) -> None:
    window = check(page, f"{site}/hostile.png", serve)
    expect(window.locator("h2")).to_have_text("▲ Probably made by a generative model")
    expect(window.locator(".evidence")).to_contain_text("Stable Diffusion")
    shot(window, "check")
    with context.expect_page() as opened:
        window.get_by_text("Full report").click()
    report = opened.value
    expect(report.locator("pre")).to_contain_text('"version": 1')
    shown_report = json.loads(report.locator("pre").inner_text())
    assert shown_report["verdict"] == "ai"
    (declared,) = [piece["details"] for piece in shown_report["evidence"] if piece["says"] == "ai"]
    assert declared["declarations"][0]["prompt"] == HOSTILE
    shot(report, "report")
    for shown in (window, report):
        assert shown.locator("b b, main img[src='x']").count() == 0
        assert shown.title().startswith("fauxto")
    report.close()


def test_a_picture_behind_a_login_is_fetched_as_its_visitor_sees_it(
    check: Check, page: Page, site: str, serve: tuple[str, str]
) -> None:
    expect(check(page, f"{site}/members/3.png", serve).locator("main")).to_contain_text("status 403")
    page.goto(f"{site}/login")
    expect(check(page, f"{site}/members/3.png", serve).locator("h2")).to_contain_text("generative model")


def test_a_picture_of_a_site_that_wasnt_allowed_is_asked_for(
    check: Check, page: Page, site: str, serve: tuple[str, str]
) -> None:
    window = check(page, site.replace("127.0.0.1", "elsewhere.example") + "/3.png", serve)
    expect(window.get_by_role("button")).to_contain_text("Allow reading pictures from elsewhere.example")


def test_all_pictures_of_a_page_get_badges(check: Check, page: Page, serve: tuple[str, str]) -> None:
    window = check(page, None, serve)
    expect(window.locator(".status")).to_have_text("60 of 60: 60 AI")
    expect(window.get_by_text("Left out under 32 pixels: 1")).to_be_visible()
    assert window.locator("li .ai").count() == 60
    shot(window, "all")
    shot(page, "badges")
    assert page.evaluate("document.documentElement.lastElementChild.shadowRoot") is None  # the page can't read them


def test_pictures_in_frames_get_badges_and_frames_out_of_reach_are_counted(
    check: Check, page: Page, site: str, serve: tuple[str, str]
) -> None:
    page.goto(f"{site}/framed")
    page.evaluate("document.getElementById('slow').src = '/slow'")
    page.wait_for_function("document.getElementById('slow').contentDocument?.title === 'slow'")
    window = check(page, None, serve)
    expect(window.locator(".status")).to_have_text("4 of 4: 4 AI")
    elsewhere = site.replace("http://127.0.0.1", "elsewhere.example")
    expect(window.get_by_text(f"couldn't be looked into: 1 ({elsewhere})")).to_be_visible()
    expect(window.get_by_role("button", name=f"Allow looking into frames from {elsewhere}")).to_be_visible()
    layers = {
        frame.url: frame.evaluate("document.documentElement.lastElementChild.tagName")
        for frame in page.frames
        if not frame.url.endswith("/slow")
    }
    assert len(layers) == 7
    assert {url for url, tag in layers.items() if tag == "DIV"} == {
        *(f"{site}/{name}" for name in FRAMES),
        "about:srcdoc",
    }
    shot(window, "frames")
    shot(page, "frames-badges")


def test_a_report_that_cant_be_kept_takes_no_verdict_with_it(
    check: Check, page: Page, context: BrowserContext, worker: Worker, site: str, serve: tuple[str, str]
) -> None:
    fill = "([size, name]) => chrome.storage.session.set({[`report:0-${name}`]: 'x'.repeat(size)}).catch(() => 'full')"
    for size in (4_000_000, 1_000_000, 100_000, 10_000, 1_000):
        numbers = itertools.count()
        while worker.evaluate(fill, [size, f"{size}-{next(numbers)}"]) != "full":
            pass
    window = check(page, f"{site}/3.png", serve)
    with context.expect_page() as opened:
        window.get_by_text("Full report").click()
    expect(opened.value.locator("pre")).to_contain_text('"version": 1')
    opened.value.close()
    window.evaluate("void (fauxtoKept.keep = async () => { throw new Error('full') })")
    window.get_by_text("Full report").click()
    expect(window.get_by_text("The browser has no room for the full report. The verdict here stands.")).to_be_visible()
    expect(window.locator("h2")).to_contain_text("generative model")
    with context.expect_page() as opened:
        worker.evaluate("openCheck({srcUrl: 'data:image/png;base64,' + 'A'.repeat(11000000), frameId: 0}, {id: 1})")
    expect(opened.value.locator("main")).to_contain_text("The browser had no room for what is to be checked")
    opened.value.close()


@pytest.mark.parametrize("what", ["wrong key", "down"])
def test_what_is_wrong_with_the_service_is_one_sentence(
    check: Check, page: Page, site: str, serve: tuple[str, str], what: str
) -> None:
    pairing, sentence = {
        "wrong key": ((serve[0], "fauxto_wrong"), "doesn't know this browser's key"),
        "down": (("http://127.0.0.1:1", serve[1]), "can't be reached. Is fauxto serve running there?"),
    }[what]
    window = check(page, f"{site}/3.png", pairing)
    expect(window.locator("main")).to_contain_text(sentence)
    expect(window.locator("h2")).to_have_text("✕ Not checked")
    shot(window, what.replace(" ", "-"))
    if what == "down":
        window = check(page, None, pairing)
        expect(window.locator(".note").first).to_contain_text(sentence)
        expect(window.locator(".status")).to_have_text("60 of 60: 60 not checked")


def test_settings_pair_with_a_service_and_refuse_what_would_give_the_key_away(
    context: BrowserContext, worker: Worker, serve: tuple[str, str]
) -> None:
    settings = context.new_page()
    settings.goto(worker.url.replace("background.js", "options.html"))
    for address, sentence in (
        ("http://192.0.2.1:8080", "begins with https://"),
        ("ftp://127.0.0.1/", "begins with https://"),
        ("https://me:word@host.example", "and nothing else"),
        (serve[0], "Paired: the service answers."),
    ):
        settings.get_by_label("Address").fill(address)
        settings.get_by_label("Key").fill(serve[1])
        settings.get_by_role("button").click()
        expect(settings.locator("#status")).to_contain_text(sentence)
    shot(settings, "settings")
    settings.goto(worker.url.replace("background.js", "popup.html"))
    expect(settings.locator("#status")).to_have_text(f"Paired with {serve[0]}")
    settings.set_viewport_size({"width": 330, "height": 260})
    shot(settings, "popup")
    settings.close()


def test_a_service_without_keys_is_named_and_answers_no_extension(
    check: Check, page: Page, site: str, service: object
) -> None:
    window = check(page, f"{site}/3.png", (service.address, "any"))  # type: ignore[attr-defined]
    expect(window.locator("main")).to_contain_text("This service has no keys")


def test_the_extension_asks_for_no_more_than_it_needs() -> None:
    manifest = json.loads((EXTENSION / "manifest.json").read_text())
    assert manifest["permissions"] == ["activeTab", "contextMenus", "scripting", "storage"]
    assert manifest["host_permissions"] == ["http://127.0.0.1/*", "http://localhost/*"]
    for script in EXTENSION.glob("*.js"):
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"):
            assert unsafe not in script.read_text(), f"{unsafe} in {script.name}"
