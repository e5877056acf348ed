"""From JSON to dataclasses, strictly: every key known and there, every value of its type."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints


def parse(data: bytes) -> object:
    """Parse JSON that a stranger may have written.

    Raises:
        ValueError: It isn't JSON, or names a key twice.
        RecursionError: It is nested too deeply.
    """
    return json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!a} is there twice")
    return table


def build(kind: Any, plain: object, key: str) -> Any:
    """Turn parsed JSON into a value of the type `kind`.

    Args:
        kind: A dataclass, a `StrEnum`, `str`, `int`, `float`, `bool`, `Literal`, `Mapping[str, X]`, `tuple[X, ...]`,
            `tuple[X, Y, Z]` or `X | None`. A dataclass may check more and raise ValueError in its `__post_init__`.
        plain: What `json.loads` returned.
        key: Where `plain` stands, such as "input.mean[1]"; the empty string at the top.

    Raises:
        ValueError: A key is missing or unknown or a value is wrong; the message starts with the key.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, plain, key)
    if origin is Mapping:
        table = _object(plain, key)
        return {name: build(arguments[1], value, _join(key, name)) for name, value in table.items()}
    if origin is tuple:
        return _build_tuple(arguments, plain, key)
    if origin is UnionType:
        return None if plain is None else build(arguments[0], plain, key)
    if origin is Literal:
        return _choice(arguments, plain, key)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(str(_choice([member.value for member in kind], plain, key)))
    return _SCALARS[kind](plain, key)


_hints = cache(get_type_hints)
"""Of a dozen kinds; metrics.json has thousands of tables, and looking the hints up takes longer than all the rest."""


def _build_dataclass(kind: Any, plain: object, key: str) -> Any:
    table = _object(plain, key)
    hints = _hints(kind)
    for name in table.keys() - hints.keys():
        raise ValueError(f"{_join(key, name)} is unknown; known here: {', '.join(hints)}")
    for name in hints:
        if name not in table:
            raise ValueError(f"{_join(key, name)} is missing")
    values = {name: build(hint, table[name], _join(key, name)) for name, hint in hints.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(_join(key, str(error))) from error


def _build_tuple(arguments: tuple[Any, ...], plain: object, key: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise ValueError(f"{key} must be a list, not {_shown(plain)}")
    kinds = [arguments[0]] * len(plain) if arguments[-1] is ... else arguments
    if len(plain) != len(kinds):
        raise ValueError(f"{key} must have {len(kinds)} entries, not {len(plain)}")
    return tuple(build(kind, entry, f"{key}[{i}]") for i, (kind, entry) in enumerate(zip(kinds, plain, strict=True)))


def _choice(choices: Iterable[object], plain: object, key: str) -> object:
    if not any(plain == choice and type(plain) is type(choice) for choice in choices):
        raise ValueError(f"{key} must be {' or '.join(map(repr, choices))}, not {_shown(plain)}")
    return plain


def _text(plain: object, key: str) -> str:
    # Texts end up in terminals: nothing that a terminal would obey may come in.
    if not isinstance(plain, str) or not plain.isprintable():
        raise ValueError(f"{key} must be one line of printable text, not {_shown(plain)}")
    return plain


def _whole_number(plain: object, key: str) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise ValueError(f"{key} must be a whole number, not {_shown(plain)}")
    return plain


def _finite_number(plain: object, key: str) -> float:
    try:
        number = float(plain) if isinstance(plain, (int, float)) and not isinstance(plain, bool) else math.nan
    except OverflowError:  # a whole number beyond 1.8e308
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{key} must be a finite number, not {_shown(plain)}")
    return number


def _yes_or_no(plain: object, key: str) -> bool:
    if not isinstance(plain, bool):
        raise ValueError(f"{key} must be true or false, not {_shown(plain)}")
    return plain


_SCALARS: Mapping[type, Callable[[object, str], object]] = {
    str: _text,
    int: _whole_number,
    float: _finite_number,
    bool: _yes_or_no,
}


def _object(plain: object, key: str) -> dict[str, object]:
    if not isinstance(plain, dict):
        raise ValueError(f"{key or 'the document'} must be an object, not {_shown(plain)}")
    return plain


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _shown(plain: object) -> str:
    text = ascii(plain)
    return text if len(text) <= 60 else f"{text[:57]}..."
