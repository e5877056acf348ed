"""Reports on a picture as HTML and PDF, and the gallery: opened again, with every text of a stranger's harmless."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pypdf
import pytest
from numpy.typing import NDArray

from fauxto import (
    Basis,
    Bundle,
    Evidence,
    ImageSummary,
    Lean,
    ModelSummary,
    Reason,
    Report,
    Says,
    Status,
    Trust,
    Verdict,
    bundles,
    palette,
)
from fauxto.explain import Deletion, Explanation
from fauxto.export import case_file, groups, html, pdf
from fauxto.export.record import Case
from fauxto.export.right_to_left import joined, reordered
from fauxto.export.thumbnails import fit, thumbnail
from fauxto.inside import marked

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"
TIME = datetime(2026, 11, 22, 19, 22, 5, tzinfo=timezone(timedelta(hours=1)))
SHA256 = "ab" * 32
MAP = Explanation(
    np.linspace(-1, 1, 25, dtype=np.float32).reshape(5, 5), Deletion(0.28, 1.0, 0.0, 2.0, (0.9, 1.1, 1.0))
)
HOSTILE = (
    "\"><script>alert(1)</script><img src=x onerror=alert(1)>' onload=x</title></style>&lt;--"
    "\u202egnp.exe\x1b[31m\x00\n\r\t\u2066\x9b写真 🙂 é العربية \udcff ]]>"
)

ACTIVE_IN_PDF = re.compile(rb"/(JS|JavaScript|URI|Launch|OpenAction\s*<<|EmbeddedFile)\b")


@pytest.fixture(scope="module")
def bundle(measured_bundle: Path) -> Bundle:
    return bundles.load(measured_bundle)


@pytest.fixture
def full(full_report: Report, bundle: Bundle) -> Report:
    """A report in which everything has a place, and nothing is hostile."""
    return dataclasses.replace(
        full_report, model=ModelSummary(bundle.name, bundle.version, bundle.model_sha256), path="album/2026/holiday.jpg"
    )


@pytest.fixture
def hostile(full: Report) -> Report:
    """The same with a stranger's words wherever they can get in."""
    return dataclasses.replace(
        full,
        path=HOSTILE,
        reasons=(Reason("note", HOSTILE),) * 3,
        evidence=(
            Evidence(HOSTILE, Says.AI, Trust.DECLARED, HOSTILE, {HOSTILE: [HOSTILE]}),
            Evidence("long", Says.NOTHING, Trust.INFERRED, "x" * 1_000_000, {"x": "y" * 1_000_000}),
        ),
        image=ImageSummary(1, 1, HOSTILE, SHA256),
    )


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.style = ""
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "style":
            self.style += data
        else:
            self.words += f" {data}"

    def pictures(self) -> Iterator[PIL.Image.Image]:
        for tag, attributes in self.tags:
            if tag == "img":
                source = attributes["src"] or ""
                yield PIL.Image.open(io.BytesIO(base64.b64decode(source.partition(";base64,")[2])))


def assert_harmless(text: str) -> Page:
    page = Page(text)
    assert all(one.isprintable() or one == "\n" for one in text)
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "header", "section", "details", "summary"}
    allowed |= {"h1", "h2", "h3", "p", "span", "strong", "ul", "li", "dl", "dt", "dd", "div", "pre", "img", "figure"}
    allowed |= {"svg", "defs", "pattern", "g", "rect", "line", "table", "thead", "tbody", "tr", "th", "td"}
    assert {tag for tag, _ in page.tags} <= allowed
    attributes = [(name, value) for _, all_of_one in page.tags for name, value in all_of_one.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in ("style", "href", "action")]
    assert all(re.match(r"data:image/(png|jpeg);base64,", value or "") for name, value in attributes if name == "src")
    assert "url(" not in page.style.replace("url(#hatch)", "")
    assert "@import" not in page.style
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    [policy] = [one["content"] for _, one in page.tags if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}';")
    return page


def words_of(document: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages).split())


def test_both_say_what_a_case_file_needs(full: Report, bundle: Bundle, photo: NDArray[np.uint8]) -> None:
    case = case_file.assemble(full, photo, bundle=bundle, operating_point="balanced", time=TIME, explanation=MAP)
    page, document = html.report(case), pdf.report(case)
    point = bundle.operating_points["balanced"]
    for words in (" ".join(assert_harmless(page).words.split()), words_of(document)):
        for said in (
            "holiday.jpg",
            "Probably made by a generative model",
            "97 %",
            "Of 331 photographs from 6 sources that the model had never seen, about 2 scored this high.",
            "The verdict stayed the same after we shrank and re-saved the picture.",
            "The file declares it.",
            "declared",
            "No trace of an earlier compression.",
            "This map was tested and is faithful",
            f"{bundle.name} {bundle.version}",
            f"From {100 * point.ai_above:.3g} % a picture counts as generated",
            "This verdict is based on: declared metadata.",
            "A verdict is likelihood, not proof",
            SHA256,
            bundle.model_sha256,
            "operating point 'balanced'",
            "fauxto 0.",
            "2026-11-22 18:22:05 UTC",
        ):
            assert said in words, said
        assert "album" not in words  # the folders that a file lay in are nobody's business
    assert len(pypdf.PdfReader(io.BytesIO(document)).pages) == 1
    assert page.index("The file declares it.") < page.index("No trace of an earlier compression.")


def test_pictures_are_made_anew(full: Report, bundle: Bundle, photo: NDArray[np.uint8]) -> None:
    case = case_file.assemble(full, photo, bundle=bundle, operating_point="balanced", time=TIME, explanation=MAP)
    page = html.report(case)
    picture, overlay = Page(page).pictures()
    assert picture.size == (512, 512)
    assert overlay.size == (800, 600)  # of the part that was judged, 400 x 300, each pixel twice
    assert not picture.getexif()
    assert not {"exif", "comment", "icc_profile", "photoshop", "xmp"} & set(picture.info)
    assert np.abs(np.asarray(picture).astype(int) - marked(photo, full)).mean() < 3
    document = pdf.report(case)
    assert [one.image.size for one in pypdf.PdfReader(io.BytesIO(document)).pages[0].images if one.image] == [
        (512, 512),
        (800, 600),
    ]


def test_no_text_of_a_stranger_steers_a_report(hostile: Report, bundle: Bundle, photo: NDArray[np.uint8]) -> None:
    case = case_file.assemble(hostile, photo, bundle=bundle, operating_point="balanced", time=TIME)
    text = html.report(case)
    page = assert_harmless(text)
    assert len(text) < 400_000
    assert page.words.count("<img src=x onerror=alert(1)>") >= 6
    assert "写真" in page.words
    assert "[cut: 1,000,000 characters]" in page.words
    assert "\\u202egnp.exe\\x1b[31m\\x00\\n" in page.words
    document = pdf.report(case)
    words = words_of(document)
    assert "写真 \\U0001f642 é" in words
    assert "stands as its code" in words
    assert not ACTIVE_IN_PDF.search(document)
    assert len(pypdf.PdfReader(io.BytesIO(document)).pages) <= 2


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zürich.jpg", "Zürich.jpg"),
        ("Łódź Київ Αθήνα Tiếng.jpg", "Łódź Київ Αθήνα Tiếng.jpg"),
        ("写真 が 한글.jpg", "写真 が 한글.jpg"),
        (unicodedata.normalize("NFD", "Zürich が 한글.jpg"), "Zürich が 한글.jpg"),  # as macOS writes names
        ("שלום (2).jpg", "שלום"),
        ("سلام لا.jpg", "\ufeb3\ufefc\ufee1"),  # joined
        ("ไทย.jpg", "\\u0e44\\u0e17\\u0e22.jpg"),
    ],
)
def test_a_pdf_has_the_letters_of_many_scripts_and_says_what_it_lacks(
    full: Report, bundle: Bundle, name: str, shown: str
) -> None:
    report = dataclasses.replace(full, path=name)
    words = words_of(pdf.report(case_file.assemble(report, None, bundle=bundle, operating_point="balanced", time=TIME)))
    assert shown in words or shown[::-1] in words  # readers differ in which way they turn what runs to the left
    assert ("stands as its code" in words) == ("\\u" in shown)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("a.jpg", "a.jpg"),
        ("שלום.jpg", "םולש.jpg"),
        ("a (שלום [1]) b", "a ([1] םולש) b"),
        ("סוף 12", "12 ףוס"),
    ],
)
def test_a_line_is_reordered_as_it_is_seen(line: str, seen: str) -> None:
    assert reordered(line) == seen


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("سلام", "\ufeb3\ufefc\ufee1"),  # lam and alef are one
        ("عليكم", "\ufecb\ufee0\ufef4\ufedc\ufee2"),
        ("دار", "\ufea9\ufe8d\ufead"),  # none of them joins what follows
        ("پـب", "\ufb58\u0640\ufe90"),
        ("بِب", "\ufe91\u0650\ufe90"),  # a mark doesn't part them
        ("a 写", "a 写"),
    ],
)
def test_arabic_letters_take_the_forms_that_join(text: str, forms: str) -> None:
    assert joined(text, forms) == forms
    assert joined(text, "") == text  # of a font that has none


def words_in_both(full: Report, bundle: Bundle, photo: NDArray[np.uint8], **more: Any) -> tuple[str, str]:
    """A report's words in HTML and in PDF, without the data that only HTML has, and the foot of the PDF's pages."""
    case = case_file.assemble(full, photo, bundle=bundle, operating_point="balanced", time=TIME, **more)
    page = html.report(case)
    page = page.replace(page[page.index("<details>") : page.index("</details>")], "").partition("</head>")[2]
    footer = r"fauxto \S+ · 2026-11-22 18:22:05 UTC · page \d of \d"
    return Page(page).words, re.sub(footer, "", words_of(pdf.report(case)))


@pytest.mark.parametrize("explanation", [MAP, Explanation(MAP.map, None), None], ids=["shown", "untested", "none"])
def test_html_and_pdf_say_the_same(
    full: Report, bundle: Bundle, photo: NDArray[np.uint8], explanation: Explanation | None
) -> None:
    case = Case("2026-17", "Ann Ó Brien", "Came by post.\nNo envelope.")
    for report in (
        full,
        dataclasses.replace(full, path="https://example.org/a/写真.jpg?size=2"),
        dataclasses.replace(full, verdict=Verdict.INCONCLUSIVE, basis=Basis.PIXELS, lean=Lean.AI),
        Report.unjudged("half.jpg", Status.TRUNCATED, "the JPEG ends too early."),
    ):
        both = words_in_both(report, bundle, photo, explanation=explanation, data=b"a file", case=case)
        on_page, on_paper = (Counter(re.findall(r"\w+", words)) for words in both)
        assert on_page - on_paper == Counter()
        assert on_paper - on_page == Counter()


def test_a_case_file_names_the_case_and_tells_the_file_from_every_other(
    full: Report, bundle: Bundle, photo: NDArray[np.uint8]
) -> None:
    data = b"the bytes of a file"
    case = Case("2026-17", "Ann <b>Ó Brien</b>", "Came by post.\n\u202eNo envelope." + "x" * 5_000)
    for words in words_in_both(full, bundle, photo, data=data, case=case):
        for told in (
            "2026-17",
            "Ann <b>Ó Brien</b>",
            "Came by post.",
            "\\u202eNo envelope.",
            "19 bytes",
            hashlib.sha256(data).hexdigest(),
            hashlib.sha1(data).hexdigest(),
            hashlib.md5(data).hexdigest(),
            "All bytes of the file, not its pixels",
            "about 80 in 100 should be generated",
        ):
            assert told in " ".join(words.split()), told
        assert "x" * 4_001 not in re.sub(r"\s", "", words)
        assert "[cut: 5,027 characters]" in words
    for words in words_in_both(full, bundle, photo):
        assert "Case number" not in words
        assert "Notes" not in words
        assert "MD5" not in words


def test_a_report_on_a_fetched_picture_says_from_where(full: Report, bundle: Bundle, photo: NDArray[np.uint8]) -> None:
    report = dataclasses.replace(full, path="https://example.org/album/a.jpg?size=2")
    case = case_file.assemble(report, photo, bundle=bundle, operating_point="balanced", time=TIME)
    assert case.name == "a.jpg"
    assert ("Fetched from", "https://example.org/album/a.jpg?size=2") in case.facts


def test_what_found_nothing_boasts_of_no_trust(full: Report, bundle: Bundle) -> None:
    silent = dataclasses.replace(full, evidence=full.evidence[:1])
    page = html.report(case_file.assemble(silent, None, bundle=bundle, operating_point="balanced", time=TIME))
    assert "No trace of an earlier compression." in page
    assert 'class="trust' not in page


def test_a_gallery_counts_all_shows_some_and_is_harmless(
    full: Report, hostile: Report, photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST", 3)
    unjudged = Report.unjudged(HOSTILE, Status.TRUNCATED, HOSTILE)
    real = dataclasses.replace(full, path="real.jpg", verdict=Verdict.REAL, probability=0.02)
    doubtful = dataclasses.replace(
        full, path="big.jpg", verdict=Verdict.INCONCLUSIVE, reasons=(Reason("out_of_domain", "big."),)
    )
    small = thumbnail(photo)
    members = [(full, small), (hostile, small), (real, small), (doubtful, None), (unjudged, None), *[(real, small)] * 9]
    text = html.gallery(iter(members), time=TIME, title=HOSTILE)
    page = assert_harmless(text)
    words = " ".join(page.words.split())
    for said in ("14 pictures", "Probably generated (2)", "Can't tell (1)", "out of domain"):
        assert said in words
    assert "Probably photographs (10, the first 3 shown)" in words
    assert "truncated" in words
    assert words.count("real.jpg") == 6  # three tiles and three rows
    assert len(list(page.pictures())) == 5
    assert "0 pictures" in html.gallery([], time=TIME)
    document = pdf.gallery(iter(members), time=TIME, title=HOSTILE)
    assert document == pdf.gallery(members, time=TIME, title=HOSTILE)
    assert not ACTIVE_IN_PDF.search(document)
    words = words_of(document)
    for said in ("14 pictures", "Probably generated: 2", "Probably photographs: 10", "no picture", "out of domain"):
        assert said in words
    assert words.count("real.jpg") == 3
    many = pypdf.PdfReader(io.BytesIO(pdf.gallery([(real, small)] * 200, time=TIME))).pages
    monkeypatch.undo()
    assert len(many) == 1
    many = pypdf.PdfReader(io.BytesIO(pdf.gallery([(real, small)] * 200, time=TIME))).pages
    assert sum(page.extract_text().count("real.jpg") for page in many) == 200
    assert "0 pictures" in words_of(pdf.gallery([], time=TIME))


@pytest.mark.parametrize("write", [html.report, pdf.report])
def test_a_file_that_could_not_be_judged_has_a_report_too(write: object, bundle: Bundle) -> None:
    bad = Report.unjudged("half.jpg", Status.TRUNCATED, "the JPEG ends too early.")
    made = write(case_file.assemble(bad, None, bundle=bundle, operating_point="balanced", time=TIME))  # type: ignore[operator]
    words = words_of(made) if isinstance(made, bytes) else assert_harmless(made).words
    for said in ("This file could not be judged", "The JPEG ends too early.", "truncated", "half.jpg"):
        assert said in words
    assert "%" not in words


def carried(words: str) -> list[str]:
    """The words of a report's three groups of evidence."""
    _, says, found, nothing = re.split(
        "Says how the picture was made|Found, and worth knowing|Looked for, nothing", words
    )
    return [says, found, nothing.partition("How it was judged")[0]]


@pytest.mark.parametrize("write", [html.report, pdf.report])
def test_a_tampered_credential_is_found_and_red(write: object, full: Report, bundle: Bundle) -> None:
    silent = (Says.NOTHING, Trust.DECLARED)
    evidence = (
        *full.evidence,
        Evidence("plug_in", *silent, "A stamp was there.", {"found": True}),
        Evidence("content_credentials", *silent, "They don't match the file.", {"outcome": "tampered"}),
    )
    report = dataclasses.replace(full, evidence=evidence)
    case = case_file.assemble(report, None, bundle=bundle, operating_point="balanced", time=TIME)
    made = write(case)  # type: ignore[operator]
    says, found, nothing = carried(words_of(made) if isinstance(made, bytes) else assert_harmless(made).words)
    assert "The file declares it." in says
    assert found.index("They don't match the file.") < found.index("A stamp was there.")
    assert "No trace of an earlier compression." in nothing
    if isinstance(made, bytes):
        [page] = pypdf.PdfReader(io.BytesIO(made)).pages
        red = " ".join(f"{part / 255:.4g}" for part in palette.rgb(palette.TEXT[None].light))
        contents = page.get_contents()
        assert contents is not None
        assert f"{red} rg" in contents.get_data().decode("latin-1")
    else:
        assert made.count('class="card alarm"') == 1


@pytest.mark.parametrize("write", [html.report, pdf.report])
@pytest.mark.parametrize("lean", Lean)
def test_a_lean_stands_beside_cant_tell(write: object, lean: Lean, full: Report, bundle: Bundle) -> None:
    report = dataclasses.replace(full, verdict=Verdict.INCONCLUSIVE, basis=Basis.PIXELS, lean=lean)
    made = write(case_file.assemble(report, None, bundle=bundle, operating_point="balanced", time=TIME))  # type: ignore[operator]
    words = " ".join((words_of(made) if isinstance(made, bytes) else assert_harmless(made).words).split())
    beside = {Lean.AI: "leans generated", Lean.REAL: "leans photograph"}
    assert "Can't tell" in words
    assert [side for side in beside if f"Can't tell {beside[side]}; not enough to say so" in words] == [lean] * (
        lean is not Lean.NONE
    )


@pytest.mark.parametrize("write", [html.report, pdf.report])
@pytest.mark.parametrize("deletion", [Deletion(0.28, 1.0, 0.95, 2.0, (0.9,)), None], ids=["failed", "untested"])
def test_a_map_without_a_passed_test_is_in_no_report(
    write: object, deletion: Deletion | None, full: Report, bundle: Bundle, photo: NDArray[np.uint8]
) -> None:
    explanation = Explanation(MAP.map, deletion)
    case = case_file.assemble(
        full, photo, bundle=bundle, operating_point="balanced", time=TIME, explanation=explanation
    )
    made = write(case)  # type: ignore[operator]
    if isinstance(made, bytes):
        words = words_of(made)
        assert len(pypdf.PdfReader(io.BytesIO(made)).pages[0].images) == 1
    else:
        words = assert_harmless(made).words
        assert len(list(Page(made).pictures())) == 1
    assert "Where the score comes from" in words
    assert ("no part of the picture explains the score" if deletion else "too narrow to test") in words
    assert "blue to a photograph" not in words


@pytest.mark.parametrize("write", [html.report, pdf.report])
def test_a_reading_outside_the_domain_is_no_finding(write: object, full: Report, bundle: Bundle) -> None:
    reasons = (Reason("out_of_domain", "too large."),)
    outside = dataclasses.replace(full, verdict=Verdict.INCONCLUSIVE, reasons=reasons)
    made = write(case_file.assemble(outside, None, bundle=bundle, operating_point="balanced", time=TIME))  # type: ignore[operator]
    words = words_of(made) if isinstance(made, bytes) else assert_harmless(made).words
    assert "means nothing here" in words
    assert "score this high" not in words


def test_the_same_input_makes_the_same_file(full: Report, bundle: Bundle, photo: NDArray[np.uint8]) -> None:
    cases = [
        case_file.assemble(full, photo, bundle=bundle, operating_point="balanced", time=time, explanation=MAP)
        for time in (TIME, TIME.astimezone(UTC), TIME + timedelta(seconds=1))
    ]
    for write in (html.report, pdf.report):
        first, again, later = map(write, cases)
        assert first == again
        assert first != later
    with pytest.raises(ValueError, match="time zone"):
        case_file.assemble(full, photo, bundle=bundle, operating_point="balanced", time=TIME.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("shape", "side", "size", "media_type"),
    [
        ((3000, 4000), 240, (240, 180), "image/jpeg"),
        ((32, 32), 240, (224, 224), "image/png"),
        ((200, 240), 240, (240, 200), "image/jpeg"),
        ((1, 5000), 240, (240, 1), "image/jpeg"),
        ((1, 1), 240, (240, 240), "image/png"),
    ],
)
def test_thumbnails(shape: tuple[int, int], side: int, size: tuple[int, int], media_type: str) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    made = thumbnail(rgb, side)
    assert (made.width, made.height) == size == PIL.Image.open(io.BytesIO(made.data)).size
    assert made.media_type == media_type
    if media_type == "image/png":
        assert (np.asarray(PIL.Image.open(io.BytesIO(made.data))) == fit(rgb, side)).all()


def test_without_fpdf_the_extra_is_named_and_html_goes_on(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['fpdf'] = None\n"
        "from datetime import UTC, datetime\n"
        "from fauxto import Report, Status, MissingExtraError, bundles\n"
        "from fauxto.export import case_file, html, pdf\n"
        f"words = dict(bundle=bundles.load({str(GOLDEN)!r}), operating_point='balanced', time=datetime.now(UTC))\n"
        "bad = case_file.assemble(Report('x', Status.TRUNCATED), None, **words)\n"
        "assert 'could not be judged' in html.report(bad)\n"
        "try: pdf.report(bad)\n"
        "except MissingExtraError as error: print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "'.[export]'" in ended.stdout
