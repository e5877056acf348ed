"""The chain of manifests in a store: the actions, signer and ingredients of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fauxto.evidence import source_types
from fauxto.evidence.untrusted import text

Store = dict[str, Any]
"""A manifest store in c2pa's JSON form: "active_manifest", "manifests", "validation_results", ..."""

MAX_MANIFESTS = 32
MAX_ACTIONS = 64
MAX_INGREDIENTS = 32

METADATA = "metadata"
"""Name of the action for a metadata assertion's statement on how the whole picture was made."""

# Actions that add no content beyond the ingredients; any other needs a source type.
HARMLESS = {
    "created", "opened", "placed", "cropped", "resized", "orientation", "color_adjustments", "converted", "transcoded",
    "repackaged", "published",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Action:
    """One action; `source_type` is a term of the vocabulary, or the original text if it isn't one."""

    action: str
    source_type: str | None
    software: str | None
    when: str | None


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A source picture; `manifest` is the label of its own manifest in the store, if there is one."""

    relationship: str
    manifest: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest.

    Attributes:
        label: Its name in the store.
        signer: The organisation in the certificate, if there is one.
        signed_at: From the time stamp, if there is one.
        generator: The program that made the claim.
        vouched: Whether a trusted signer vouches for it.
        is_whole: Whether it describes the whole picture: the file's own manifest, its parent's, and so on.
        actions: Actions in order, without those in `hearsay`.
        hearsay: Actions that the signer took over from other sources ("gathered" assertions).
        ingredients: The source pictures.
        cut: Whether actions or ingredients were dropped because there were too many.
    """

    label: str
    signer: str | None
    signed_at: str | None
    generator: str | None
    vouched: bool
    is_whole: bool
    actions: tuple[Action, ...]
    hearsay: tuple[Action, ...]
    ingredients: tuple[Ingredient, ...]
    cut: bool


def read_chain(store: Store, *, is_trusted: bool) -> tuple[Manifest, ...]:
    """Return the active manifest and its ancestors, each once, at most `MAX_MANIFESTS`.

    Args:
        store: What c2pa read.
        is_trusted: Whether the active manifest is valid and its signer trusted. An ingredient counts as trusted if the
            manifest that names it is vouched for and recorded the ingredient's signer as trusted.
    """
    manifests = store["manifests"]
    chain: dict[str, Manifest] = {}
    waiting = [(str(store["active_manifest"]), is_trusted, True)]
    while waiting and len(chain) < MAX_MANIFESTS:
        label, vouched, is_whole = waiting.pop(0)
        if label in chain or not isinstance(manifests.get(label), dict):
            continue
        raw = manifests[label]
        chain[label] = _read_manifest(label, raw, vouched, is_whole)
        for ingredient in dicts(raw.get("ingredients")):
            if named := ingredient.get("active_manifest"):
                is_vouched = vouched and _is_signer_trusted(str(named), ingredient, store)
                waiting.append((str(named), is_vouched, is_whole and ingredient.get("relationship") == "parentOf"))
    return tuple(chain.values())


def _read_manifest(label: str, raw: Mapping[str, Any], vouched: bool, is_whole: bool) -> Manifest:
    signature = raw.get("signature_info") or {}
    actions: list[Action] = []
    hearsay: list[Action] = []
    for assertion in dicts(raw.get("assertions")):
        if str(assertion.get("label")).startswith("c2pa.actions") and isinstance(assertion.get("data"), dict):
            # Before claim version 2, the signer vouched for every assertion.
            own = raw.get("claim_version") == 1 or assertion.get("created") is True
            (actions if own else hearsay).extend(map(_read_action, dicts(assertion["data"].get("actions"))))
        elif isinstance(assertion.get("data"), dict):
            hearsay.extend(_declared_in_metadata(assertion["data"]))
    ingredients = [
        Ingredient(str(ingredient.get("relationship")), text(ingredient.get("active_manifest")))
        for ingredient in dicts(raw.get("ingredients"))
    ]
    return Manifest(
        label=label,
        signer=text(signature.get("issuer")),
        signed_at=text(signature.get("time")),
        generator=next(_names(raw.get("claim_generator_info")), None) or text(raw.get("claim_generator")),
        vouched=vouched,
        is_whole=is_whole,
        actions=tuple(actions[:MAX_ACTIONS]),
        hearsay=tuple(hearsay[:MAX_ACTIONS]),
        ingredients=tuple(ingredients[:MAX_INGREDIENTS]),
        cut=max(len(actions), len(hearsay)) > MAX_ACTIONS or len(ingredients) > MAX_INGREDIENTS,
    )


def _declared_in_metadata(data: Mapping[str, Any]) -> Iterator[Action]:
    """Yield IPTC's source type where a metadata assertion states it, as hearsay."""
    for name, value in data.items():
        if name.rpartition(":")[2] == "DigitalSourceType":
            for address in filter(None, map(text, value if isinstance(value, list) else [value])):
                yield Action(METADATA, source_types.term(address) or address, software=None, when=None)


def _read_action(raw: Mapping[str, Any]) -> Action:
    software = raw.get("softwareAgent")
    source_type = text(raw.get("digitalSourceType"))
    if source_type is None and isinstance(parameters := raw.get("parameters"), dict):
        source_type = text(parameters.get("com.adobe.digitalSourceType"))  # where another company's model was used
    return Action(
        action=str(raw.get("action")).removeprefix("c2pa."),
        source_type=source_type and (source_types.term(source_type) or source_type),
        software=next(_names(software), None) or text(software),
        when=text(raw.get("when")),
    )


def _is_signer_trusted(label: str, ingredient: Mapping[str, Any], store: Store) -> bool:
    """Tell whether an ingredient's signer is trusted, and the ingredient has no other failure.

    c2pa validates each manifest again, but omits results that the referring manifest has already recorded.
    """
    recorded = ingredient.get("validation_results") or {}
    records = (recorded, store.get("validation_results") or {})
    succeeded = [status for record in records for status in statuses(record, "success")]
    failed = [*statuses(recorded, "failure"), *dicts(ingredient.get("validation_status"))]
    is_trusted = any(
        status.get("code") == "signingCredential.trusted" and f"/{label}/" in str(status.get("url"))
        for status in succeeded
    )
    # The referring manifest may have used another trust list.
    return is_trusted and all(status.get("code") == "signingCredential.untrusted" for status in failed)


def statuses(results: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of one kind ("success", "informational", "failure") of c2pa's validation results."""
    for group in status_groups(results):
        yield from entries(group, kind)


def status_groups(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the groups of c2pa's validation results: of the active manifest, then of each ingredient."""
    deltas = (delta.get("validationDeltas") for delta in dicts(results.get("ingredientDeltas")))
    return (group for group in (results.get("activeManifest"), *deltas) if isinstance(group, dict))


def entries(group: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the entries of one kind in a group."""
    return list(dicts(group.get(kind)))


def _names(value: object) -> Iterator[str]:
    """Yield "name version" of a claim generator or a software agent: an object, or a list of them."""
    for program in dicts(value if isinstance(value, list) else [value]):
        if name := text(program.get("name")):
            version = text(program.get("version"))
            yield f"{name} {version}" if version else name


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON list; none of anything else."""
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()
