"""Content credentials on the page: a card for each, also where they say nothing or lie elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fauxto.detector import Detector
from fauxto.report import Evidence, Report, Says, Status, Trust

CASES = Path(__file__).parents[1] / "public_cases"
SHOWN = {
    "c02_pixel_xmp_excluded.jpg": ("signed by a trusted signer", "the signer is on the trust list"),
    "c05_truepic_from_start.jpg": ("declared, not proven", "but validation failed"),
    "c06_multi_asset.jpg": ("signed by a trusted signer", "the signer is on the trust list"),
    "r01_remote_manifest.jpg": ("declared, not proven", "https://cai-manifests.example.org/manifests/"),
}


def cards(report: str) -> None:
    import json

    from fauxto.report import Report
    from fauxto.web.evidence_cards import show_evidence

    show_evidence(Report.from_dict(json.loads(report)).evidence)


@pytest.fixture(scope="module")
def detector(golden_bundle: Path) -> Detector:
    return Detector(golden_bundle, trust_list=CASES / "ca-root.pem")


@pytest.mark.parametrize("name", SHOWN)
def test_a_credential_has_a_card(detector: Detector, name: str) -> None:
    report = json.dumps(detector.analyze(CASES / name).to_dict())
    page = AppTest.from_function(cards, args=(report,)).run()
    assert not page.exception
    trust, words = SHOWN[name]
    assert page.markdown[0].value == "**Content credentials**"
    assert trust in page.markdown[2].value
    assert words in page.text[0].value
    assert "changed" not in page.text[0].value


def test_a_tampered_credential_stands_among_what_was_found_in_red() -> None:
    silent = (Says.NOTHING, Trust.DECLARED)
    evidence = (
        Evidence("camera_metadata", *silent, "The metadata names no camera.", {}),
        Evidence("plug_in", *silent, "A stamp.", {"found": True}),
        Evidence("content_credentials", *silent, "They don't match the file.", {"outcome": "tampered"}),
    )
    report = json.dumps(Report("x", Status.OK, evidence=evidence).to_dict())
    page = AppTest.from_function(cards, args=(report,)).run()
    assert not page.exception
    assert [shown.value for shown in page.subheader] == ["Found, and worth knowing"]
    assert [shown.value for shown in page.text[:2]] == ["They don't match the file.", "Plug in"]
    assert any(shown.value.startswith(":red-badge[") and "doesn't match" in shown.value for shown in page.markdown)
    [silent_ones] = [shown for shown in page.expander if shown.label == "Looked for, nothing found (1)"]
    assert [shown.value for shown in silent_ones.text] == ["The metadata names no camera."]
