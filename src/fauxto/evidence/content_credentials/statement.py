"""What a chain of manifests states about the picture, and whether a trusted signer states it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from fauxto.evidence.content_credentials.manifests import HARMLESS, METADATA, Action, Manifest
from fauxto.evidence.source_types import CAPTURED, EDITED, GENERATED, GENERATED_IN_PART


class Kind(StrEnum):
    """How the picture was made."""

    GENERATED = "generated"
    """A generative model made it."""
    COMPOSITE = "composite"
    """A generative model made or edited part of it."""
    CAPTURED = "captured"
    """A camera took it, and no later action is generative."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`kind` is None if nothing is stated; `is_signed` if a trusted signer states it first-hand."""

    kind: Kind | None
    is_signed: bool


def find(chain: Sequence[Manifest]) -> Statement:
    """Find the statement of a chain: any generative step counts; a capture only if everything goes back to a camera.

    Args:
        chain: Starts with the file's own manifest.
    """
    statements = sorted(
        _generative(chain), key=lambda statement: (not statement.is_signed, statement.kind is not Kind.GENERATED)
    )
    if statements:
        return statements[0]
    for vouched_only in (True, False):
        if _goes_back_to_a_camera(chain, vouched_only):
            return Statement(Kind.CAPTURED, vouched_only)
    return Statement(None, is_signed=False)


def _generative(chain: Sequence[Manifest]) -> Iterator[Statement]:
    for manifest in chain:
        for actions, is_own in ((manifest.actions, True), (manifest.hearsay, False)):
            for step in actions:
                if step.source_type in GENERATED | GENERATED_IN_PART:
                    kind = Kind.GENERATED if _made_all_of_it(step, manifest) else Kind.COMPOSITE
                    yield Statement(kind, manifest.vouched and is_own)


def _made_all_of_it(step: Action, manifest: Manifest) -> bool:
    """Tell whether a generative step made the whole picture, rather than change or add to an existing one."""
    if step.source_type in GENERATED_IN_PART or not manifest.is_whole or step.action in ("opened", "placed"):
        return False
    if step.action in ("created", METADATA):
        return True
    origins = {other.source_type for other in (*manifest.actions, *manifest.hearsay) if other.action == "created"}
    has_parent = any(ingredient.relationship == "parentOf" for ingredient in manifest.ingredients)
    return not has_parent and origins <= GENERATED | {None}


def _goes_back_to_a_camera(chain: Sequence[Manifest], vouched_only: bool) -> bool:
    captured: set[str | None] = set()
    for _ in chain:  # each round reaches one manifest further from the camera; cycles never are
        captured |= {
            manifest.label
            for manifest in chain
            if (manifest.vouched or not vouched_only) and _is_capture(manifest, captured)
        }
    return chain[0].label in captured


def _is_capture(manifest: Manifest, captured: Set[str | None]) -> bool:
    """Tell whether a manifest states a capture or starts from captured pictures, and adds only edits."""
    steps = (*manifest.actions, *manifest.hearsay)
    terms = {step.source_type for step in steps} - {None}
    untyped = {step.action for step in steps if step.source_type is None}
    is_source = any(step.action == "created" and step.source_type in CAPTURED for step in manifest.actions)
    started_from = {ingredient.manifest for ingredient in manifest.ingredients}
    return (
        not manifest.cut
        and terms <= CAPTURED | EDITED
        and untyped <= HARMLESS
        and bool(is_source or started_from)
        and started_from <= captured
    )
