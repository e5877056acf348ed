"""Machine-readable labels on how a picture was made: IPTC's digital source type, and China's AIGC label.

IPTC photo metadata 2025.1 (and the NewsCodes vocabulary "digitalsourcetype"); GB 45438-2025, annex E.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fauxto.evidence import source_types, xmp
from fauxto.evidence.generator_metadata.declaration import Declaration, Kind
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.untrusted import text

_AIGC_KEYS = {"ContentProducer", "ProduceID", "ContentPropagator", "PropagateID"}
_AIGC_LABELS = {
    # The same code for generated pictures and for those synthesised from others, such as an edited photograph.
    "1": (Kind.COMPOSITE, "1 (AI-generated or AI-edited)"),
    "AIGC": (Kind.COMPOSITE, "AIGC"),  # written by MiniMax, against the standard
    "2": (Kind.OTHER, "2 (possibly AI-generated)"),
    "3": (Kind.OTHER, "3 (suspected to be AI-generated)"),
}
_SOURCE_TYPES = ("DigitalSourceType", "DigitalSourceFileType")
"""IPTC's name of the property, and its first one."""


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each label."""
    yield from _digital_source_type(fields)
    for where, value in fields.objects():
        yield from _aigc(where, value)


def _digital_source_type(fields: Fields) -> Iterator[Declaration]:
    properties = fields.xmp
    system = properties.text(xmp.IPTC_EXTENSION, "AISystemUsed")
    model = properties.text(xmp.IPTC_EXTENSION, "AISystemVersionUsed")
    prompt = properties.text(xmp.IPTC_EXTENSION, "AIPromptInformation")
    stated = ((source_types.term(field.value), field.where) for field in fields.named(*_SOURCE_TYPES))
    terms = [(term, where) for term, where in stated if term is not None]
    if terms:
        term, where = min(terms, key=lambda statement: list(Kind).index(_kind(statement[0])))  # the strongest
        yield Declaration(
            where=where,
            kind=_kind(term),
            generator=system,
            statement=term,
            model=model,
            prompt=prompt,
        )
    elif system is not None:
        # Free text, which may state that no AI was used.
        yield Declaration(
            where="XMP Iptc4xmpExt:AISystemUsed",
            kind=Kind.OTHER,
            statement=f"AI system used: {system}",
            model=model,
            prompt=prompt,
        )


def _kind(term: str) -> Kind:
    if term in source_types.GENERATED:
        return Kind.GENERATED
    return Kind.COMPOSITE if term in source_types.GENERATED_IN_PART else Kind.OTHER


def _aigc(where: str, label: Mapping[str, Any]) -> Iterator[Declaration]:
    """Read a label, which some writers wrap in an object with the single key "AIGC"."""
    if isinstance(label.get("AIGC"), dict):
        label = label["AIGC"]
    code = str(label.get("Label"))
    if code in _AIGC_LABELS and label.keys() & _AIGC_KEYS:
        kind, statement = _AIGC_LABELS[code]
        producer = text(label.get("ContentProducer"))
        by = f", producer {producer}" if producer else ""
        yield Declaration(where=where, kind=kind, statement=f"AIGC label {statement}{by}")
