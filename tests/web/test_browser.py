"""The pages in a real browser, served by a `fauxto app` that can't write a single byte to a file.

Few and long tests, because a browser costs seconds: whatever needs none is tested in the files beside this one.
"""

from __future__ import annotations

import csv
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
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow.parquet
import pypdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from fauxto import images
from fauxto.detector import Detector
from fauxto.evidence import SOURCES
from fauxto.explain import explain
from fauxto.export import case_file, html
from fauxto.report import Report, Status, Verdict
from fauxto.web.reverse_search import ENGINES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="ulimit, which forbids the server to write, is POSIX"),
]

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
SECONDS = 120
HOSTILE = '"><img src=x onerror=alert(1)>.jpg'
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script><image href='http://host.example/x'/></svg>"
CASES = Path(__file__).parents[1] / "public_cases"
PAGES = ("", "many", "models", "laboratory")


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
def address(measured_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served. No file may grow beyond 0 bytes there, so uploads can't touch the disk."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    app = [sys.executable, "-c", "from fauxto.cli import main; main()", "app", "--no-browser"]
    home = tmp_path_factory.mktemp("home")
    server = subprocess.Popen(
        ["bash", "-c", 'ulimit -f 0 && exec "$@"', "-", *app, "--port", str(port), "--model", str(measured_bundle)],
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
    left = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    assert {path for path in left if not path.startswith(".cache/matplotlib/")} == set()  # the laboratory's fonts


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
    """An open browser page; whatever was done on it, in the end it has asked no other host and shown no alert."""
    context = browser.new_context(locale="en-GB", base_url=address)
    page = context.new_page()
    page.set_default_timeout(1000 * SECONDS)
    expect.set_options(timeout=1000 * SECONDS)
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield page
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:"))] == []
    assert dialogs == []


def open_page(page: Page, name: str) -> None:
    page.goto(f"/{name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    page.locator("input[type=file]").first.set_input_files(
        [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files]
    )


def heading(page: Page, text: str) -> Locator:
    return page.get_by_role("heading", name=re.compile(f"{text}$"))  # an icon's name stands before it


def download(page: Page, button: str) -> bytes:
    with page.expect_download() as started:
        page.get_by_role("button", name=button, exact=True).click()
    return started.value.path().read_bytes()


def encode(rgb: NDArray[np.uint8], format: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture = PIL.Image.fromarray(rgb)
    if format == "HEIF":
        pytest.importorskip("pillow_heif").from_pillow(picture).save(file)
    else:
        picture.save(file, format, **options)
    return file.getvalue()


def thumbnail(rgb: NDArray[np.uint8], side: int = 32) -> NDArray[np.uint8]:
    return np.asarray(PIL.Image.fromarray(rgb).resize((side, side)))


def serious_violations(page: Page) -> list[str]:
    """What axe-core finds of impact "serious" or worse, each with the element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_every_format_gets_a_verdict_and_a_report_to_forward(page: Page, photo: NDArray[np.uint8]) -> None:
    formats = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "tiff": "TIFF", "bmp": "BMP", "avif": "AVIF"}
    files = [(f"picture.{ending}", encode(thumbnail(photo, 64), format)) for ending, format in formats.items()]
    files.append(("picture.heic", encode(thumbnail(photo, 64), "HEIF")))
    open_page(page, "")
    upload(page, *files)
    expect(cards(page)).to_have_count(len(files))
    for card, (name, _) in zip(cards(page).all(), files, strict=True):
        expect(card.get_by_text(name, exact=True)).to_be_visible()
        expect(card.get_by_text("Probability that it was generated")).to_be_visible()
    assert serious_violations(page) == []

    open_page(page, "")
    cards(page).first.wait_for()  # the tab keeps what it had
    page.get_by_role("button", name="Put all away").click()
    expect(cards(page)).to_have_count(0)
    upload(page, files[0])
    expect(cards(page)).to_have_count(1)
    page.get_by_role("tab", name="Where the score comes from").click()
    expect(page.get_by_text("This map was tested")).to_be_visible()
    assert serious_violations(page) == []
    page.get_by_role("tab", name="Report").click()
    report = Report.from_dict(json.loads(download(page, "JSON")))
    assert (report.path, report.status) == ("picture.jpg", Status.OK)
    assert report.image is not None
    written = download(page, "HTML").decode()
    assert report.image.sha256 in written
    assert "<script" not in written
    with page.expect_download() as started:
        page.get_by_role("button", name="PDF", exact=True).click()
    assert started.value.suggested_filename == "picture-fauxto.pdf"
    sheet = pypdf.PdfReader(started.value.path())
    said = "".join(one.extract_text() for one in sheet.pages)
    assert "picture.jpg" in said
    assert report.image.sha256 in said.replace("\n", "")
    page.get_by_role("button", name="Search the web for this picture").click()
    expect(page.get_by_text("you upload the picture by hand")).to_be_visible()
    for name in ENGINES:  # links to other hosts, of which none is asked unless one is clicked: see the fixture
        expect(page.get_by_role("link", name=name)).to_be_visible()
    assert serious_violations(page) == []


def test_metadata_is_searched_a_timeline_shown_and_a_picture_zoomed(page: Page, photo: NDArray[np.uint8]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, "")
    upload(page, ("edit.jpg", (CASES / "s01_signed_edit.jpg").read_bytes()))
    timeline = page.locator("ol.timeline > li")
    expect(timeline).to_have_count(2)
    expect(timeline.nth(0)).to_contain_text("Camera Maker")
    expect(timeline.nth(1)).to_contain_text("Edited in part by a generative model, with Test Agent")
    pictures = timeline.locator("img")
    expect(pictures).to_have_count(4)
    assert pictures.evaluate_all("pictures => pictures.every(picture => picture.naturalWidth > 0)")
    assert serious_violations(page) == []

    page.get_by_role("tab", name="Metadata").click()
    fields = page.locator("table.fields")
    expect(fields.get_by_text("dc:subject 2")).to_be_visible()
    expect(fields.get_by_text('"><img src=x onerror=alert(1)>')).to_be_visible()
    search = page.get_by_role("textbox", name="Search")
    search.fill("LENS")
    search.press("Enter")
    expect(page.get_by_text("1 of 25 fields match.")).to_be_visible()
    expect(fields.get_by_text("dc:subject 2")).to_have_count(0)
    expect(page.get_by_text("48.858222, 2.2945")).to_have_count(0)
    page.get_by_text("Show what tells of people").click()
    expect(page.get_by_test_id("stCode").get_by_text("48.858222, 2.2945")).to_be_visible()
    assert serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.get_by_role("tab", name="Look closer").click()
    frame = page.get_by_role("group", name="edit.jpg")
    expect(frame.locator("img")).to_be_visible()
    page.get_by_role("button", name="1:1").click()
    expect(page.get_by_role("status").filter(has_text="100 %")).to_be_visible()
    before = frame.locator("img").bounding_box()
    frame.press("ArrowRight")
    after = frame.locator("img").bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] < before["x"]
    assert serious_violations(page) == []


def test_a_report_with_a_map_prints_on_one_page(
    browser: Browser, golden_detector: Detector, photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    data = encode(thumbnail(photo, 64), "JPEG")
    report = golden_detector.analyze(data, name="picture.jpg")
    rgb = images.decode(data).rgb
    case = case_file.assemble(
        report,
        rgb,
        bundle=golden_detector.bundle_of(report),
        operating_point="balanced",
        time=datetime.now(UTC),
        explanation=explain(rgb, golden_detector),
    )
    (tmp_path / "report.html").write_text(html.report(case), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    printed = page.pdf(prefer_css_page_size=True, format="A4")
    page.close()
    assert len(report.evidence) == len(SOURCES)
    assert len(pypdf.PdfReader(io.BytesIO(printed)).pages) == 1


def test_a_picture_beyond_the_limit_is_refused_with_the_limit(page: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(101 * 1024 * 1024)
    open_page(page, "")
    page.locator("input[type=file]").first.set_input_files(large)
    expect(page.get_by_test_id("stFileUploader").get_by_text("100.0MB or smaller")).to_be_visible()


def test_files_that_lie_break_nothing(page: Page, photo: NDArray[np.uint8]) -> None:
    marked = "![](http://host.example/x.png) **bold**.png"
    picture = encode(thumbnail(photo), "PNG")
    open_page(page, "")
    upload(page, ("text.jpg", b"no picture at all"), (HOSTILE, picture), (marked, picture), ("script.svg", SVG))
    expect(heading(page, "This file could not be judged")).to_have_count(2)
    expect(page.get_by_test_id("stText").get_by_text("<img src=x onerror=alert(1)>.jpg")).to_be_visible()
    expect(page.get_by_test_id("stText").get_by_text(marked)).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("[onerror]").count() == 0


def test_a_picture_of_24_megapixels_is_shown_and_is_out_of_domain(page: Page, photo: NDArray[np.uint8]) -> None:
    large = encode(np.asarray(PIL.Image.fromarray(photo).resize((6000, 4000))), "JPEG", quality=95)
    assert len(large) > 1024 * 1024  # more than the web framework would keep in memory by itself
    open_page(page, "")
    upload(page, ("large.jpg", large))
    expect(heading(page, "Can't tell")).to_be_visible()
    picture = page.get_by_role("img", name="The picture as fauxto decoded it")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [640, 427]
    page.get_by_role("tab", name="File facts").click()
    expect(page.get_by_text("6,000 × 4,000 px")).to_be_visible()


def test_a_pasted_picture_is_judged(page: Page, photo: NDArray[np.uint8]) -> None:
    open_page(page, "")
    box = page.get_by_placeholder("paste a picture")
    box.evaluate(
        """(box, bytes) => {
            const clipboard = new DataTransfer();
            clipboard.items.add(new File([new Uint8Array(bytes)], "image.png", {type: "image/png"}));
            box.dispatchEvent(new ClipboardEvent("paste", {clipboardData: clipboard, bubbles: true, cancelable: true}));
        }""",
        list(encode(thumbnail(photo), "PNG")),
    )
    expect(page.get_by_text("image.png")).to_be_visible()
    page.get_by_test_id("stChatInputSubmitButton").click()
    expect(page.get_by_text("Probability that it was generated")).to_be_visible()


def cards(page: Page) -> Locator:
    return page.locator("[class*=st-key-card]")


def told(page: Page) -> Locator:
    """What a screen reader is told."""
    return page.locator("[role=status].fauxto-unseen")


def test_a_tab_keeps_pictures_and_choices_and_no_other_tab_has_them(page: Page, photo: NDArray[np.uint8]) -> None:
    open_page(page, "")
    upload(page, ("a.png", encode(thumbnail(photo), "PNG")), ("text.jpg", b"text"))
    expect(cards(page)).to_have_count(2)
    page.get_by_text("Catch more", exact=True).click()
    expect(page.get_by_role("radio", name="Catch more")).to_be_checked()
    page.get_by_role("link", name="Models", exact=True).locator("visible=true").click()
    expect(page.get_by_role("radio", name="Catch more")).to_be_checked()
    page.get_by_role("link", name="Check", exact=True).locator("visible=true").click()
    expect(cards(page)).to_have_count(2)

    page.reload()
    expect(cards(page)).to_have_count(2)
    expect(cards(page).get_by_text("a.png", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", name="Catch more")).to_be_checked()
    secret = page.evaluate("sessionStorage.getItem('fauxto-tab')")
    assert len(secret) >= 43
    assert secret not in page.url
    assert page.context.cookies() == [] or secret not in str(page.context.cookies())

    other = page.context.new_page()
    open_page(other, "")
    expect(other.get_by_role("heading", name="What it can't tell")).to_be_visible()
    assert cards(other).count() == 0
    assert other.evaluate("sessionStorage.getItem('fauxto-tab')") != secret
    other.close()
    duplicate = page.context.new_page()  # a browser copies the session storage
    kept = "sessionStorage.getItem('fauxto-tab')"
    duplicate.add_init_script(f"{kept} ?? sessionStorage.setItem('fauxto-tab', '{secret}')")
    open_page(duplicate, "")
    duplicate.wait_for_function(f"{kept} !== '{secret}'")
    upload(duplicate, ("b.png", encode(thumbnail(photo), "PNG")))
    expect(cards(duplicate)).to_have_count(1)
    duplicate.reload()
    expect(cards(duplicate)).to_have_count(1)
    duplicate.close()
    page.reload()
    expect(cards(page)).to_have_count(2)
    cards(page).first.get_by_role("button", name="Put away").click()
    expect(cards(page)).to_have_count(1)


@pytest.mark.parametrize(
    ("locale", "verdict", "file_facts"),
    [
        ("de-DE", "Wahrscheinlich KI-generiert", "Dateiangaben"),
        ("es-MX", "Probablemente generada por IA", "Datos del archivo"),
    ],
)
def test_a_browser_sees_its_language_and_may_change_it(
    browser: Browser, address: str, png: Callable[..., bytes], locale: str, verdict: str, file_facts: str
) -> None:
    context = browser.new_context(base_url=address, locale=locale, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(1000 * SECONDS)
    open_page(page, "")
    upload(page, ("a.png", png("generated")))
    expect(heading(page, verdict)).to_be_visible()
    expect(told(page)).to_contain_text(verdict)
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    page.get_by_role("tab", name=file_facts).click()
    expect(page.get_by_text("SHA-256", exact=True)).to_be_visible()
    assert serious_violations(page) == []
    for name in PAGES:
        open_page(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    open_page(page, "")
    page.get_by_text("English", exact=True).click()
    expect(heading(page, "Probably made by a generative model")).to_be_visible()
    page.reload()
    expect(heading(page, "Probably made by a generative model")).to_be_visible()
    expect(page.get_by_test_id("stPageLink-NavLink").get_by_text("Check many", exact=True)).to_be_visible()
    context.close()


def test_forty_pictures_are_all_there_and_a_batch_survives_a_reload(page: Page, photo: NDArray[np.uint8]) -> None:
    patches = [photo[row : row + 32, column : column + 32] for row in range(0, 256, 32) for column in range(0, 160, 32)]
    files = [(f"{number}.png", encode(patch, "PNG")) for number, patch in enumerate(patches)]
    open_page(page, "")
    upload(page, *files)
    expect(cards(page)).to_have_count(40)
    expect(told(page)).to_contain_text("40 pictures")
    page.get_by_text("Look closer").nth(39).click()
    expect(page.get_by_role("tab", name="What the file says")).to_be_visible()
    assert serious_violations(page) == []

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        for number, (name, data) in enumerate(files):
            made.writestr(f"set/{'a' if number % 2 else 'b'}/{name if number > 1 else 'equal.png'}", data)
    page.get_by_role("link", name="Check many", exact=True).locator("visible=true").click()
    upload(page, ("forty.zip", archive.getvalue()))
    expect(page.get_by_role("button", name="Check them")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Check them").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.reload()
    page.get_by_role("tab", name="Gallery").click()
    expect(page.locator("figure")).to_have_count(40)
    page.reload()
    expect(page.locator("figure")).to_have_count(40)
    names = [caption.split("\n")[0] for caption in page.locator("figcaption").all_inner_texts()]
    assert sorted(names) == sorted(["a/equal.png", "b/equal.png", *(name for name, _ in files[2:])])


def test_on_a_phone_the_verdict_is_in_view_above_the_picture(
    browser: Browser, address: str, photo: NDArray[np.uint8]
) -> None:
    context = browser.new_context(
        base_url=address, viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(1000 * SECONDS)
    open_page(page, "")
    for name in ("Check", "Check many", "Models", "Laboratory"):
        link = page.get_by_test_id("stPageLink-NavLink").get_by_text(name, exact=True)
        expect(link).to_be_in_viewport()  # in the bar, while the sidebar's own waits out of view
    expect(page.get_by_placeholder("paste a picture")).to_be_hidden()
    upload(page, ("IMG_1.jpg", encode(thumbnail(photo, 64), "JPEG")))
    expect(told(page)).to_contain_text("IMG_1.jpg: ")
    verdict = cards(page).get_by_role("heading", level=2)
    expect(verdict).to_be_in_viewport(ratio=1)
    picture = page.get_by_role("img", name="The picture as fauxto decoded it")
    expect(picture).to_be_visible()
    above, below = verdict.bounding_box(), picture.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]
    context.close()


RING = """() => {
    const focused = document.activeElement;
    const has = (element) => element && parseFloat(getComputedStyle(element).outlineWidth) >= 2
        && getComputedStyle(element).outlineStyle !== "none";
    return focused === document.body ? null : {
        ring: [focused, focused.closest("label"), focused.closest("[data-testid=stFileUploaderDropzone]")].some(has),
        what: focused.outerHTML.slice(0, 200),
        label: focused.tagName === "MAIN" ? "" : focused.ariaLabel || focused.innerText || "",
    };
}"""


def test_everything_is_reached_by_keyboard_and_shows_where_one_is(page: Page, photo: NDArray[np.uint8]) -> None:
    open_page(page, "")
    upload(page, ("a.png", encode(thumbnail(photo), "PNG")))
    expect(told(page)).to_contain_text("a.png: ")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        if (focus := page.evaluate(RING)) is None:
            break
        assert focus["ring"], focus["what"]
        reached.append(focus["label"])
    wanted = ["Check many", "Add files", "A photograph", "Put away", "What the file says", "Looked for"]
    order = [next(i for i, label in enumerate(reached) if want in label) for want in wanted]
    assert order == sorted(order), reached

    page.get_by_role("tab", name="What the file says").focus()
    for _ in page.get_by_role("tab").all():
        page.keyboard.press("ArrowRight")
        # Streamlit goes back to the tab of an answer that comes late, so each is waited for.
        expect(page.get_by_text("Working …").locator("visible=true")).to_have_count(0)
        if page.evaluate("document.activeElement.innerText") == "File facts":
            break
    expect(page.get_by_text("SHA-256", exact=True)).to_be_visible()
    page.get_by_role("button", name="Put away").focus()
    page.keyboard.press("Enter")
    expect(cards(page)).to_have_count(0)


def test_sixty_files_with_three_broken_ones_and_their_downloads(page: Page, photo: NDArray[np.uint8]) -> None:
    patches = [photo[row : row + 64, column : column + 64] for row in range(0, 448, 56) for column in range(0, 448, 56)]
    files = [(f"{number:02}.png", encode(patch, "PNG")) for number, patch in enumerate(patches[:55])]
    files += [(HOSTILE, files[0][1]), ("=1+1.png", files[1][1]), ("text.jpg", b"text"), ("cut.png", files[2][1][:99])]
    files.append(("script.svg", SVG))
    open_page(page, "many")
    upload(page, *files)
    page.get_by_role("button", name="Check them").click()
    expect(page.get_by_role("button", name="Not judged (3)")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    assert serious_violations(page) == []

    # The box in front of the first row; the table is drawn on a canvas.
    page.get_by_test_id("stDataFrame").click(position={"x": 20, "y": 60})
    expect(page.get_by_role("tab", name="What the file says")).to_be_visible()
    expect(page.locator("[data-testid=stAlert], [data-testid=stException]")).to_have_count(0)

    page.get_by_role("tab", name="Gallery").click()
    expect(page.locator("figure")).to_have_count(60)
    assert page.locator("[onerror], img[src='x']").count() == 0
    page.get_by_role("tab", name="Charts").click()
    expect(page.get_by_text("Files by verdict")).to_be_visible()
    assert serious_violations(page) == []

    page.get_by_role("tab", name="Downloads").click()
    reports = [Report.from_dict(json.loads(line)) for line in download(page, "JSON Lines").splitlines()]
    assert len(reports) == 60
    assert [report.status for report in reports[-3:]] == [
        Status.UNSUPPORTED_FORMAT,
        Status.TRUNCATED,
        Status.UNSUPPORTED_FORMAT,
    ]
    assert all(report.verdict in Verdict for report in reports[:-3])
    rows = list(csv.DictReader(io.StringIO(download(page, "CSV").decode("utf-8-sig"))))
    assert len(rows) == 60
    assert rows[56]["path"] == "'=1+1.png"
    table = pyarrow.parquet.read_table(io.BytesIO(download(page, "Parquet")))
    assert table["path"][56].as_py() == "=1+1.png"
    written = download(page, "HTML").decode()
    assert "<img src=x" not in written
    assert written.count("onerror=alert(1)") >= 1
    assert len(pypdf.PdfReader(io.BytesIO(download(page, "PDF"))).pages) > 1


def test_a_zip_is_opened_and_a_bomb_is_not(page: Page, photo: NDArray[np.uint8]) -> None:
    archive, bomb = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("inside.png", encode(thumbnail(photo), "PNG"))
        made.writestr("../outside.png", b"x")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(6):
            made.writestr(f"{number}.bmp", bytes(64 * 1024 * 1024))
    open_page(page, "many")
    upload(page, ("many.zip", archive.getvalue()), ("bomb.zip", bomb.getvalue()))
    page.get_by_role("button", name="Check them").click()
    expect(page.get_by_role("tab", name="Downloads")).to_be_visible()
    page.get_by_role("tab", name="Downloads").click()
    reports = [Report.from_dict(json.loads(line)) for line in download(page, "JSON Lines").splitlines()]
    assert [(report.path, report.status) for report in reports[:2]] == [
        ("many.zip!/inside.png", Status.OK),
        ("many.zip!/../outside.png", Status.UNREADABLE),
    ]
    assert reports[-1].reasons[0].word == "archive_bomb"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_phone(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    for name in PAGES:
        open_page(page, name)
        assert serious_violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


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
