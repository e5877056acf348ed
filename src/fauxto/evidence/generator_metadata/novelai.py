"""NovelAI: "Software" names it, "Comment" has JSON settings; in PNG text, alpha channel or UserComment."""

from __future__ import annotations

from collections.abc import Iterator

from fauxto.evidence.generator_metadata.declaration import Declaration, Kind, number
from fauxto.evidence.generator_metadata.fields import Fields
from fauxto.evidence.untrusted import text


def read(fields: Fields) -> Iterator[Declaration]:
    """Yield a declaration for each container with NovelAI's texts."""
    for container, texts in fields.groups.items():
        settings = fields.json.parse(texts.get("Comment", "")) if texts.get("Software") == "NovelAI" else None
        if settings is None or not settings.keys() >= {"steps", "sampler", "seed"}:
            continue
        yield Declaration(
            where=f"{container} 'Comment'",
            kind=Kind.COMPOSITE if settings.get("request_type") == "NativeInfillingRequest" else Kind.GENERATED,
            generator="NovelAI",
            model=texts.get("Source"),
            prompt=text(settings.get("prompt")) or texts.get("Description"),
            negative_prompt=text(settings.get("uc")),
            seed=number(settings["seed"]),
            sampler=text(settings["sampler"]),
            steps=number(settings["steps"]),
        )
