"""What one field of a file declares about how the picture was made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fauxto.evidence.untrusted import text

MAX_DIGITS = 20


class Kind(StrEnum):
    """How a picture was made, as declared."""

    GENERATED = "generated"
    """A generative model made the whole picture."""
    COMPOSITE = "composite"
    """A generative model made or edited at least part of the picture."""
    OTHER = "other"
    """Something else worth reporting, such as a camera; no generative model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One declaration in one field; what it doesn't state is None.

    Attributes:
        where: Container and field.
        kind: What is declared.
        generator: The program or service; None where the field doesn't name one.
        statement: The text or code of the declaration, unless it is generator settings.
        model: The model, as the generator calls it.
        prompt: The prompt.
        negative_prompt: The negative prompt.
        seed: The random seed.
        sampler: Sampler or scheduler, as the generator calls it.
        steps: Number of sampling steps.
    """

    where: str
    kind: Kind = Kind.GENERATED
    generator: str | None = None
    statement: str | None = None
    model: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | str | None = None
    sampler: str | None = None
    steps: int | str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the stated values, unescaped as in the file."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


def number(value: object) -> int | str | None:
    """Return an int, also parsed from digits; other text unchanged; else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else text(value)
