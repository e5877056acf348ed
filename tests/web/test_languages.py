"""The page in other languages: no text without a translation, and none that says less than the English one."""

from __future__ import annotations

import ast
import gettext
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
from streamlit.testing.v1 import AppTest

from fauxto import error_rates, palette, wording
from fauxto.bundles import Bundle
from fauxto.bundles.bundle import read as read_bundle
from fauxto.choices import PointName
from fauxto.detector import Detector
from fauxto.evidence import SOURCES, listing
from fauxto.evidence.content_credentials import timeline
from fauxto.export import case_file, groups, metadata_section
from fauxto.lab.datasets import audit
from fauxto.report import Report, Status
from fauxto.web import charts, language, looking, metadata_tab, samples, sentences, session
from fauxto.web.language import LANGUAGES, LOCALE, translated
from fauxto.web.look import LOOKS
from fauxto.wording import printable

Png = Callable[..., bytes]
Texts = tuple[str, ...]  # one, or singular and plural

WEB = Path(language.__file__).parent
CASES = Path(__file__).parents[1] / "public_cases"
TRANSLATED = [code for code in LANGUAGES if code != "en"]
FUNCTIONS = {"_": 1, "say": 1, "ngettext": 2}
"""What takes a text to translate, and how many forms of it."""


def literals() -> Iterator[Texts]:
    for path in (*sorted(WEB.rglob("*.py")), WEB.parent / "export/metadata_section.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
                forms = node.args[: FUNCTIONS[node.func.id]]
                if all(isinstance(form, ast.Constant) for form in forms):
                    yield tuple(form.value for form in forms if isinstance(form, ast.Constant))


def texts_of_tables() -> Iterator[str]:
    """What reaches `_` by way of a table."""
    for finding in wording._FINDINGS.values():
        yield from (finding.headline, finding.meaning)
    yield from (*wording._OTHER_MEANINGS.values(), *wording._UNDECIDED.values())
    yield from (words for words, _ in wording._LEANING.values())
    yield from (*wording.SAYS.values(), *wording.TRUST.values(), *wording.Group)
    yield from (error_rates.NOT_MEASURED, error_rates.INTERVALS, metadata_section.WORTH, metadata_section.NO_FIELDS)
    yield from (source.title for source in SOURCES.values())
    yield from (*timeline._ACTIONS.values(), *timeline._ROLES.values(), *metadata_section.VOUCHED.values())
    yield from (status.replace("_", " ") for status in Status if status is not Status.OK)
    yield from (*charts._PROTOCOLS.values(), *palette.CHANNELS, *palette.SHORTCUT)
    for name, (words, _) in looking._VIEWS.items():
        yield from (name, words)
    for sample in samples.samples().values():
        yield from (sample.title, sample.origin)
    yield from (*session.POINTS.values(), *(name.lower() for name in session.POINTS.values()))
    yield from (look.english for look in LOOKS.values())
    yield from sentences.SENTENCES
    yield from (text for texts in sentences.CHOICES.values() for text in texts)
    yield from (*audit._ADVICE, *audit._ADVICE.values())
    yield from ("pictures", "accuracy", "balanced accuracy", "AUROC", "average precision", "ECE")  # of an overview
    for view in ("check", "many"):  # which can't be imported: they are pages
        tree = ast.parse((WEB / f"views/{view}.py").read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value.value  # type: ignore[attr-defined]
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        }
        yield from (text for name, text in constants.items() if name.endswith(("_HERE", "_ADDRESS")))
    yield metadata_tab.PERSONAL


def wanted() -> set[Texts]:
    return {*literals(), *((text,) for text in texts_of_tables())}


def catalogue(code: str) -> dict[Texts, Texts]:
    """Read a catalogue's source: each text with its translation, in both forms where it has a plural."""
    entries: dict[Texts, Texts] = {}
    for block in (LOCALE / code / "LC_MESSAGES/page.po").read_text(encoding="utf-8").split("\n\n"):
        assert "fuzzy" not in block
        pieces = re.findall(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', block, re.MULTILINE)
        texts = [
            (kind, "".join(ast.literal_eval(line) for line in lines.strip().split("\n"))) for kind, lines in pieces
        ]
        own = tuple(text for kind, text in texts if kind.startswith("msgid"))
        assert own not in entries, own
        entries[own] = tuple(text for kind, text in texts if kind.startswith("msgstr"))
    del entries[("",)]
    return entries


def names_in(text: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_of_the_page_is_translated_and_no_other(code: str) -> None:
    entries = catalogue(code)
    assert sorted(wanted() - entries.keys()) == [], "add them to page.po and run `make texts`"
    assert sorted(entries.keys() - wanted()) == [], "nothing on the page says so any more"
    for texts, translations in entries.items():
        assert len(texts) == len(translations)
        for text, translation in zip(texts, translations, strict=True):
            assert translation.strip(), text
            assert names_in(translation) == names_in(text), text
            assert translation.count("**") == text.count("**"), text
            assert not re.search(r'[<>"]|\s$', translation) or re.search(r'[<>"]', text), translation


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_catalogues_are_compiled(code: str) -> None:
    compiled = gettext.translation("page", LOCALE, [code])
    for texts, translations in catalogue(code).items():
        if len(texts) == 1:
            assert (compiled.gettext(texts[0]),) == translations, "run `make texts`"
        else:
            assert (compiled.ngettext(*texts, 1), compiled.ngettext(*texts, 2)) == translations, "run `make texts`"


NOT_OF_THE_PAGE = {"launch.py", "sentences.py", "batch.py", "samples.py"}
"""The terminal's words, those that the page recognises, faults of ours, and what stands in the files of samples."""

PROSE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")


def test_no_words_of_the_page_go_past_the_catalogues() -> None:
    known = {text for texts in wanted() for text in texts}
    for path in sorted(WEB.rglob("*.py")):
        if path.name in NOT_OF_THE_PAGE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # documentation
        apart |= {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
                is_style = re.search(r"[<>]|[a-z-]+:[^ ]|[a-z-]\(", node.value)
                assert not PROSE.search(node.value) or is_style or node.value in known, f"{path.name}: {node.value}"


def composed(measured: Bundle, golden: Bundle, reports: list[Report]) -> Iterator[str]:
    """What fauxto composes in English of models and of pictures."""
    for bundle in (measured, golden):
        yield error_rates.measured_on(bundle)
        yield bundle.domain.short_sides
        for point in PointName:
            yield from filter(None, (error_rates.costs(bundle, point), error_rates.left_open(bundle, point)))
        for report in reports:
            yield from case_file.probability(report, bundle)
            yield from (error_rates.scored_this_high(bundle, score) for score in (-9.0, 0.0, 99.0))
            if (scale := case_file.scale(report, bundle, "balanced")) is not None:
                yield from filter(None, (scale.words, *(text for part in scale.parts for text in part)))
    for report in reports:
        yield from wording.telling_reasons(report)
        yield from (piece.summary for piece in report.evidence)
        finding = wording.finding(report)
        yield from filter(None, (finding.headline, finding.meaning, finding.lean))
        yield groups.reading(report)
    yield from map(wording.passed_over, (1, 2, 1_000))


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_fauxto_says_of_a_picture_is_translated(
    code: str, golden_detector: Detector, measured_bundle: Path, golden_bundle: Path, png: Png
) -> None:
    pictures = [png(kind, size, size) for kind in ("generated", "photograph", "between") for size in (8, 32, 300)]
    pictures += [path.read_bytes() for path in sorted(CASES.iterdir()) if path.suffix != ".pem"]
    pictures += [sample.data for sample in samples.samples().values()]
    pictures += [
        b"",
        b"no picture",
        pictures[0][:60],
        png("generated", 100, 20),
        png("generated") + b"\xff\xd8\xff behind",
    ]
    reports = [golden_detector.analyze(data, name=f"{number}.jpg") for number, data in enumerate(pictures)]
    spoken = set(composed(read_bundle(measured_bundle), read_bundle(golden_bundle), reports))
    assert len(spoken) > 60
    same = sorted(text for text in spoken if translated(text, code) == text and re.search("[a-z]{3}", text))
    assert same == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_metadata_and_timelines_say_is_translated(code: str) -> None:
    metadata = listing.read_metadata(CASES / "s01_signed_edit.jpg")
    say = lambda text, **values: translated(text, code, **values)  # noqa: E731
    assert metadata.credential is not None
    english, own = (metadata_section.timeline(metadata.credential, *function) for function in ((), (say,)))
    assert "Edited in part by a generative model, with Test Agent" in english
    for part in ("Signed ", "Not stated", "by a generative model", "with Test Agent", "trusted", "The result"):
        assert part not in own
    withheld = metadata_section.what_is_withheld(metadata)
    assert translated(withheld, code) != withheld
    assert "left out" not in translated("1 field is left out because the file has too many.", code)
    both = metadata_section.what_is_withheld(replace(metadata, withheld=7, unlisted=1))
    assert "left out" not in translated(both, code)
    for label, _ in metadata_section.glance_rows(metadata):
        assert translated(label, code) != label


def test_numbers_have_the_marks_of_the_language() -> None:
    rate = "6.0 % (2.1 to 10.3 %)"
    assert translated(rate, "de") == "6,0 % (2,1 bis 10,3 %)"
    assert translated(rate, "es") == "6,0 % (2,1 a 10,3 %)"
    words = "{count:,} of {total:,} judged"
    assert translated(words, "de", count=1_234, total=12_345) == "1.234 von 12.345 beurteilt"
    assert translated(words, "es", count=1_234, total=12_345) == "1234 de 12.345 evaluadas"
    assert translated(words, "en", count=1_234, total=12_345) == "1,234 of 12,345 judged"
    assert translated("over 99.9 %", "de") == "über 99,9 %"


def test_strangers_words_stay_what_they_are() -> None:
    summary = "Signed by {0} a photograph {x!r} %s as AI-generated, but the certificate has expired."
    assert translated(summary, "de") == (
        "Signiert von {0} a photograph {x!r} %s als KI-generiert, aber das Zertifikat ist abgelaufen."
    )
    for stranger in ("", "{", "{0}", "%s", "a" * 100_000, 'Project-Id-Version"'):
        assert translated(stranger, "de") == stranger


def test_a_sentence_made_to_be_searched_for_long_is_not() -> None:
    began = time.monotonic()
    for piece in (" (a and 1 more", "Signed by ", ", but ", " % (1 to "):
        translated("The metadata declares that it was generated with " + piece * 200, "de")
        translated(("Signed by " + piece * 200)[:1_500], "es")
    assert time.monotonic() - began < 20


def speak(page: AppTest, code: str) -> None:
    page.session_state[language.KEY] = code
    page.run()
    assert not page.exception


def test_a_verdict_in_german_and_its_report_in_english(open_page: Callable[[str], AppTest], png: Png) -> None:
    page = open_page("check")
    assert page.title[0].value == "Photograph, or made by a generative model?"
    speak(page, "de")
    page.file_uploader[0].set_value([("a.png", png("generated"), "image/png")]).run()
    assert page.title[0].value == "Foto oder von einem generativen Modell?"
    assert "Wahrscheinlich KI-generiert" in page.header[0].value
    assert "87 %. Wie viele Fotos" in page.caption[0].value
    assert page.radio[0].options == ["Weniger Fehlalarme", "Ausgewogen", "Mehr erkennen"]
    [(_, judged)] = page.session_state["judged"].items()
    as_data = json.dumps(judged.report.to_dict())
    assert "the probability of AI is" in as_data
    assert "The metadata names no generator" in as_data
    [choice] = [control for control in page.segmented_control if control.key == "language-widget"]
    choice.set_value("es").run()
    assert not page.exception
    assert "Probablemente generada por IA" in page.header[0].value


@pytest.mark.parametrize("name", ["check", "many", "models", "laboratory"])
@pytest.mark.parametrize("code", TRANSLATED)
def test_no_page_speaks_two_languages(open_page: Callable[[str], AppTest], name: str, code: str) -> None:
    page = open_page(name)
    speak(page, code)
    english = {text for texts in wanted() for text in texts if translated(text, code) != text}
    shown = [*page.title, *page.header, *page.markdown, *page.caption, *page.info, *page.error, *page.button]
    visible = {getattr(element, "value", None) or getattr(element, "label", "") for element in shown}
    visible |= {tab.label for tab in page.tabs} | {radio.label for radio in page.radio}
    assert {str(text) for text in visible} & english == set()


def test_an_unknown_language_is_english(open_page: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("check")
    for code in ("fr", "de; rm", "../de", ""):
        speak(page, code)
        assert page.title[0].value == "Photograph, or made by a generative model?"


def test_printable_comes_last() -> None:
    assert printable(translated("The name ends in .\u202egpj, but the file is a PNG.", "de")) == (
        "Der Name endet auf .\\u202egpj, aber die Datei ist ein PNG."
    )
