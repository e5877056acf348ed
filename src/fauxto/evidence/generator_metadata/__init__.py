"""What the metadata declares about a generator: settings, program names in their standard fields, and labels.

Anyone can write or remove such a declaration. Each reader here knows the format of one program or standard, in its own
container, and ignores everything else.

    fields.py         the metadata of a file, parsed once for all readers
    declaration.py    what a reader returns
    webui.py ...      one file per format
    makers.py         a row for each program that names itself in a standard field
    json_settings.py  a row for each program that writes its settings as keys and values
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fauxto.evidence.generator_metadata import (
    comfyui,
    dgenerate,
    invokeai,
    json_settings,
    labels,
    makers,
    midjourney,
    novelai,
    webui,
)
from fauxto.evidence.generator_metadata.declaration import Declaration, Kind
from fauxto.evidence.generator_metadata.fields import Fields, parse
from fauxto.evidence.untrusted import UnreadableError, bounded, one_line
from fauxto.images import Image
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

SOURCE = "generator_metadata"

MAX_DECLARATIONS = 16

_READERS: tuple[Callable[[Fields], Iterator[Declaration]], ...] = (
    webui.read,
    comfyui.read,
    invokeai.read,
    novelai.read,
    json_settings.read,
    dgenerate.read,
    midjourney.read,
    makers.read,
    labels.read,
)


def read(data: bytes, image: Image, limits: Limits) -> Evidence:
    """Read what the metadata declares about the generator that made a picture.

    Args:
        data: The whole file.
        image: The decoded picture.
        limits: Limits on the file.

    Returns:
        `says` is `ai` where a generative model is declared, for the whole picture or for a part of it (`details`
        has "kind": "generated" or "composite"), else `nothing`. docs/reference/evidence-metadata.md has the rest.
    """
    fields = parse(data, image, limits)
    unreadable = list(fields.unreadable)
    declarations: list[Declaration] = []
    for reader in _READERS:
        try:
            declarations += reader(fields)
        except UnreadableError as error:
            unreadable.append(str(error))
    declarations = list(dict.fromkeys(declarations))[:MAX_DECLARATIONS]
    made_by_ai = [declaration for declaration in declarations if declaration.kind is not Kind.OTHER]
    kinds = {declaration.kind for declaration in declarations}
    details = {
        "kind": next((kind.value for kind in Kind if kind in kinds), None),
        "generator": next((declaration.generator for declaration in made_by_ai if declaration.generator), None),
        "declarations": [declaration.to_dict() for declaration in declarations] or None,
        "unreadable": "; ".join(dict.fromkeys(unreadable)) or None,
    }
    return Evidence(
        source=SOURCE,
        says=Says.AI if made_by_ai else Says.NOTHING,
        trust=Trust.DECLARED,
        summary=_summary(declarations, made_by_ai, is_whole=not unreadable),
        details=bounded(details),
    )


def _summary(declarations: Sequence[Declaration], made_by_ai: Sequence[Declaration], *, is_whole: bool) -> str:
    if not declarations and not is_whole:
        return "A part of the metadata can't be read and may name a generator; what can be read names none."
    if not declarations:
        return "The metadata names no generator. That means nothing: metadata is easily lost or removed."
    if not made_by_ai:
        stated = ", ".join(
            f"{one_line(declaration.statement or '')} in {declaration.where}" for declaration in declarations
        )
        return f"The metadata states how the picture was made, but declares no generative model: {stated}."
    generated = [declaration for declaration in made_by_ai if declaration.kind is Kind.GENERATED]
    strongest = generated or made_by_ai
    first = next((declaration for declaration in strongest if declaration.generator), strongest[0])
    in_part = "at least parts of it were made or edited with AI"
    claim, joint = ("it was generated", " with ") if generated else (in_part, ", by ")
    program = joint + one_line(first.generator) if first.generator else ""
    others = f" and {len(made_by_ai) - 1} more" if len(made_by_ai) > 1 else ""
    return f"The metadata declares that {claim}{program} ({first.where}{others}); anyone can write or remove that."
