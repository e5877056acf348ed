"""What one field of a file declares of how the picture was made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_DIGITS = 20


class Kind(StrEnum):
    """How a picture was made, by its own declaration."""

    GENERATED = "generated"
    """By a generative model as a whole."""
    COMPOSITE = "composite"
    """At least in part: a generative model edited the picture, or had some part in it that isn't told."""
    OTHER = "other"
    """Something else that is worth telling, such as a camera; no generative model is declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One declaration, in one place of the file; what it doesn't state is None.

    Attributes:
        where: Container and field.
        kind: What is declared.
        generator: The program or service; None where the field doesn't name one.
        statement: The words or the code that make the declaration, where they aren't a generator's settings.
        model: As the generator calls it.
        prompt: What was asked for.
        negative_prompt: What was not to be seen.
        seed: Of the random numbers.
        sampler: Or scheduler, as the generator calls it.
        steps: Of the sampler.
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
        """Return what is stated, as texts and numbers that are still as the file has them."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


def text(value: object) -> str | None:
    """Return a value from JSON if it is a text, else None."""
    return value if isinstance(value, str) and value else None


def number(value: object) -> int | str | None:
    """Return a whole number, also from its digits; another text as it is; else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else text(value)
