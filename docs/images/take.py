"""Takes the screenshots of this folder from a running page: `fauxto app --port 8600`, `python docs/images/take.py`.

Needs the extra `dev` and Chromium. Run the page in the repository's root, so that the laboratory finds `data/cifake`.
The pictures shown are scikit-image's "coffee" and "chelsea" (both CC0) and "astronaut" (NASA, public domain).
"""

from __future__ import annotations

import io
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import PIL.Image
from playwright.sync_api import Page, expect, sync_playwright

HERE = Path(__file__).parent
ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8600"
DESKTOP, PHONE = {"width": 1440, "height": 1100}, {"width": 390, "height": 844}
COLOURS = 192  # of a screenshot's palette, which keeps it small


def main() -> None:
    """Take all screenshots, light on a desktop and dark on a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme, size, suffix in (("light", DESKTOP, ""), ("dark", PHONE, "-phone")):
            context = browser.new_context(color_scheme=scheme, viewport=size, locale="en-GB")  # type: ignore[arg-type]
            page = context.new_page()
            page.set_default_timeout(120_000)
            for name, take in (("check", check), ("many", many), ("models", models), ("laboratory", laboratory)):
                take(page)
                page.wait_for_timeout(4_000)
                expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=120_000)
                page.wait_for_timeout(2_000)
                save(page.screenshot(), HERE / f"{name}{suffix}.png")
            context.close()
        browser.close()


def check(page: Page) -> None:
    """Show a sample's verdict."""
    page.goto(ADDRESS)
    page.get_by_text("A photograph", exact=True).click()
    page.get_by_role("tab", name="Where the score comes from").click()
    page.get_by_text("This map was tested").wait_for()
    page.get_by_role("img", name="The picture as fauxto decoded it").scroll_into_view_if_needed()


def many(page: Page) -> None:
    """Show the table of a batch."""
    page.goto(f"{ADDRESS}/many")
    files = [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in cuttings()]
    page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    page.get_by_role("button", name="Check them").click()
    page.get_by_role("tab", name="Downloads").wait_for(timeout=600_000)  # the batch has ended
    page.get_by_test_id("stDataFrame").scroll_into_view_if_needed()


def models(page: Page) -> None:
    """Show the choice of the operating point."""
    page.goto(f"{ADDRESS}/models")
    page.get_by_text("Photographs that score high").first.wait_for()


def laboratory(page: Page) -> None:
    """Show the audit of a data set."""
    page.goto(f"{ADDRESS}/laboratory")
    page.get_by_role("tab", name="Audit it for shortcuts").click()
    page.get_by_role("button", name="Audit", exact=True).click()
    page.get_by_text("Download the audit").wait_for()


def cuttings() -> list[tuple[str, bytes]]:
    """Cut pictures out of photographs, and add a file that is none."""
    spec = find_spec("skimage")
    assert spec is not None and spec.origin is not None  # noqa: S101, PT018
    random, made = np.random.default_rng(4), []
    for number in range(12):
        name = ("astronaut", "chelsea", "coffee")[number % 3]
        picture = PIL.Image.open(Path(spec.origin).parent / "data" / f"{name}.png").convert("RGB")
        side = int(random.integers(200, 300))
        left, top = (int(random.integers(0, length - side)) for length in picture.size)
        file = io.BytesIO()
        picture.crop((left, top, left + side, top + side)).save(file, "PNG")
        made.append((f"{name}-{number:02}.png", file.getvalue()))
    return [*made, ("notes.jpg", b"no picture")]


def save(data: bytes, path: Path) -> None:
    """Write a screenshot with few colours."""
    PIL.Image.open(io.BytesIO(data)).convert("RGB").quantize(COLOURS, dither=PIL.Image.Dither.NONE).save(
        path, optimize=True
    )
    print(f"wrote {path.name}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
