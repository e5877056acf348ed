"""Content credentials as timelines: who, what, when, with which tool, and from which pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fauxto
from fauxto.evidence.content_credentials import library, timeline
from fauxto.evidence.content_credentials.manifests import read_chain
from fauxto.evidence.content_credentials.timeline import Timeline
from fauxto.evidence.content_credentials.validation import Outcome

LINKED = "https://host.example/thumbnail.jpg"


@pytest.fixture(scope="module")
def signed(sign: Any, authority: Any, stranger: Any, photo: NDArray[np.uint8], encode: Any) -> bytes:
    """A photograph by a camera, into which a stranger placed a generated part."""
    small = encode(photo[:96, :128], "JPEG", quality=80)
    original = sign(small, "JPEG", authority.signer("Camera Maker"), ["digitalCapture"], thumbnails=64)
    ingredients = [("parentOf", original), ("componentOf", encode(photo[50:130, 50:150], "JPEG"))]
    edit = ["compositeWithTrainedAlgorithmicMedia"]
    edited: bytes = sign(small, "JPEG", authority.signer("Editing House"), edit, ingredients=ingredients, thumbnails=64)
    return edited


def credential(data: bytes, trust_file: Path | None) -> Timeline:
    found = fauxto.read_metadata(data, trust_list=trust_file).credential
    assert found is not None
    return found


def test_the_oldest_entry_comes_first_with_who_what_and_from_what(signed: bytes, trust_file: Path) -> None:
    shown = credential(signed, trust_file)
    assert shown.outcome is Outcome.TRUSTED
    camera, editor = shown.entries
    assert (camera.who, camera.is_vouched, camera.is_own) == ("Camera Maker", True, False)
    assert (editor.who, editor.is_vouched, editor.is_own) == ("Editing House", True, True)
    assert [(step.what, step.tool) for step in camera.steps] == [("Created by a camera", "Test Agent")]
    assert [step.what for step in editor.steps] == [
        "Opened to be edited",
        "Another picture placed in it",
        "Edited in part by a generative model",
    ]
    assert editor.tool == "fauxto tests 1.0"
    assert [(source.role, source.is_signed) for source in editor.sources] == [
        ("the picture that it started from", True),
        ("a picture placed in it", False),
    ]
    pictures = [camera.picture, editor.picture, *(source.picture for source in editor.sources)]
    assert all(picture is not None and max(picture.shape[:2]) == 64 for picture in pictures)
    plain = json.loads(json.dumps(shown.to_dict()))
    assert plain["entries"][1]["ingredients"][0]["has_thumbnail"] is True


def test_nobody_vouches_for_a_strangers_entry_and_a_changed_file_is_told(signed: bytes, trust_file: Path) -> None:
    strange = credential(signed, None)
    assert strange.outcome is Outcome.UNTRUSTED
    assert not any(entry.is_vouched for entry in strange.entries)
    changed = bytearray(signed)
    changed[-40] ^= 0x55
    tampered = credential(bytes(changed), trust_file)
    assert tampered.outcome is Outcome.TAMPERED
    assert not any(entry.is_vouched for entry in tampered.entries)


def store(**manifest: Any) -> dict[str, Any]:
    return {"active_manifest": "a", "manifests": {"a": {"label": "a", "claim_version": 2, **manifest}}}


def made(**manifest: Any) -> Timeline:
    raw = store(**manifest)
    return timeline.assemble(raw, read_chain(raw, is_trusted=False), Outcome.UNTRUSTED, {})


def test_what_a_manifest_states_cannot_steer_a_page_or_name_a_folder() -> None:
    hostile = "x\u202e\x1b[31m\n" * 500
    folder = "\\".join(("C:", "Users", "Jane", "holiday.jpg"))
    actions = {"actions": [{"action": f"org.example.{hostile}", "when": hostile, "softwareAgent": hostile}]}
    shown = made(
        claim_generator=hostile,
        signature_info={"issuer": hostile, "time": "2026-05-01T12:30:00+00:00"},
        assertions=[{"label": "c2pa.actions", "created": True, "data": actions}],
        ingredients=[{"title": folder, "relationship": "parentOf"}, {"title": 7, "relationship": hostile}],
    )
    [entry] = shown.entries
    assert entry.when == "2026-05-01 12:30:00 UTC"
    assert [source.title for source in entry.sources] == ["holiday.jpg", ""]
    for text in (entry.who, entry.tool, entry.steps[0].what, entry.steps[0].when, entry.sources[1].role):
        assert text.isprintable()
        assert len(text) <= 210


def test_no_thumbnail_is_taken_from_outside_of_the_credential() -> None:
    ingredients = [{"relationship": "parentOf", "thumbnail": {"identifier": LINKED}}]
    raw = store(thumbnail={"identifier": "self#jumbf=/c2pa/a/c2pa.assertions/x"}, ingredients=ingredients)
    assert timeline.addresses(raw, read_chain(raw, is_trusted=False)) == ["self#jumbf=/c2pa/a/c2pa.assertions/x"]


def test_too_many_thumbnails_and_broken_ones_are_left_out(signed: bytes) -> None:
    many = [{"thumbnail": {"identifier": f"self#jumbf={number}"}} for number in range(100)]
    raw = store(ingredients=many)
    chain = read_chain(raw, is_trusted=False)
    addresses = timeline.addresses(raw, chain)
    assert len(addresses) == timeline.MAX_PICTURES
    broken = timeline.assemble(raw, chain, Outcome.UNTRUSTED, dict.fromkeys(addresses, b"no picture"))
    assert all(source.picture is None for source in broken.entries[0].sources)
    assert library.read_resources(signed, "JPEG", addresses) == {}


def test_a_file_without_a_credential_has_no_timeline(with_metadata: Any) -> None:
    assert fauxto.read_metadata(with_metadata()).credential is None
