"""The page through many sessions, one after the other, in a real browser: the memory of its process stays flat.

python -m benchmarks.robustness.page_soak [--sessions 200] [--warm-up 20]

Each session is a browser's context of its own: it opens the page, has a picture judged, compares the verdict with that
of the first session, looks at the models and leaves. Needs Chromium and Linux. The page keeps a closed tab's file and
preview for half an hour on purpose, so that a reload finds them again; that much a session is taken off its memory.
Streamlit keeps sessions for two minutes, some thirty here: the warm-up is longer.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from skimage import data

from benchmarks import results
from benchmarks.robustness import goals
from benchmarks.running_service import RunningPage
from fauxto import Detector
from fauxto.web.judging import judge

PATIENCE = 300_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print and write results/page-soak.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=goals.SESSIONS)
    parser.add_argument("--warm-up", type=int, default=40, help="sessions that aren't compared")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        picture = Path(temporary) / "picture.jpg"
        Image.fromarray(data.coffee()).resize((400, 300)).save(picture, quality=88)
        kept = _kept_megabytes(picture.read_bytes())
        server_files = Path(temporary) / "server"
        server_files.mkdir()
        with RunningPage(TMPDIR=str(server_files)) as page:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            rows = []
            for number in range(options.sessions):
                began = time.monotonic()
                verdict = session(browser, page.address, picture)
                took = time.monotonic() - began
                megabytes = sum(page.megabytes().values()) - (number + 1) * kept
                rows.append((verdict, took, round(megabytes, 1), page.handles()))
                print(f"{number + 1} sessions, {rows[-1]}", file=sys.stderr)
            browser.close()
        left = len(list(server_files.rglob("*")))
    compared = rows[options.warm_up :]
    part = max(len(compared) // 4, 1)
    first, last = ([row[2] for row in each] for each in (compared[:part], compared[-part:]))
    growth = round(statistics.median(last) / statistics.median(first) - 1, 4)
    verdicts = {verdict for verdict, *_ in rows}
    figures = {
        "sessions": options.sessions,
        "verdicts": len(verdicts),
        "seconds_median": round(statistics.median(took for _, took, *_ in rows), 2),
        "kept_megabytes_a_session": round(kept, 3),
        "megabytes_first_quarter": statistics.median(first),
        "megabytes_last_quarter": statistics.median(last),
        "handles": [compared[0][3], compared[-1][3]],
        "growth": growth,
        "temporary_files_left": left,
        "passed": len(verdicts) == 1 and growth <= goals.PAGE_GROWTH and not left,
    }
    print(json.dumps(figures, indent=1))
    packages = ("fauxto", "streamlit", "playwright", "onnxruntime", "pillow")
    print(f"wrote {results.write('page-soak', figures, packages).name}")
    if not figures["passed"]:
        raise SystemExit("not as it should be")


def _kept_megabytes(file: bytes) -> float:
    """Return what the page keeps of one picture after its tab was closed."""
    preview = judge(Detector(), file, "picture.jpg").preview
    assert preview is not None
    return (preview.nbytes + len(file)) / 1e6


def session(browser: Browser, address: str, picture: Path) -> str:
    """Open the page, have the picture judged, look at the models, leave; return the verdict's words."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator("input[type=file]").first.wait_for(state="attached")
    page.locator("input[type=file]").first.set_input_files(picture)
    heading = page.locator("[class*=st-key-card] h2")
    heading.wait_for()
    verdict = heading.inner_text()
    page.get_by_role("link", name="Models", exact=True).click()
    page.get_by_role("heading", level=1, name="Models").wait_for()
    context.close()
    return verdict


if __name__ == "__main__":
    main()
