"""Damage done to files: to single bytes, and to the parts that a format consists of."""

from __future__ import annotations

import gzip
import random
import struct
from collections.abc import Callable, Sequence

from benchmarks.robustness import seeds
from benchmarks.robustness.structures import STRUCTURES, Structure, inside
from fauxto.images.formats import sniff

MAX_BYTES = 1 << 18
"""Of a mutated file."""

_STUMBLES = [
    b"\0" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\1\0\0\0",
]
_OCTAL = (b"0", b"77777777777", b"1", b"1000", b"-1", b"\x80\0\0\0\x7f\xff\xff\xff", b"\xff" * 8, b"")
_TAR_SIZE, _TAR_KIND = slice(124, 136), slice(156, 157)
_TAR_KINDS = b"0123567gxLKSDVM"
_MOST_NESTED = 4


def damaged(data: bytearray, rng: random.Random, files: Sequence[bytes]) -> None:
    """Damage some bytes of a file, in place; `files` are others that pieces may come from."""
    rng.choice(_OF_BYTES)(data, rng, files)


def _change(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place = _place(data, rng)
    data[place : place + 4] = rng.choice(_STUMBLES)


def _cut_out(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place = _place(data, rng)
    del data[place : place + rng.randrange(1, 200)]


def _cut_off(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    del data[_place(data, rng) :]


def _double(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place = _place(data, rng)
    data[place:place] = data[place : place + rng.randrange(1, 500)] * rng.choice((1, 2, 50))


def _splice(data: bytearray, rng: random.Random, files: Sequence[bytes]) -> None:
    other = rng.choice(files)
    place, start = _place(data, rng), rng.randrange(len(other))
    length = rng.randrange(1, 500)
    data[place : place + length] = other[start : start + length]


def _noise(data: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place = _place(data, rng)
    data[place : place + 8] = rng.randbytes(8)


_OF_BYTES: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    _change,
    _change,
    _overwrite,
    _cut_out,
    _cut_off,
    _double,
    _splice,
    _noise,
)


def _place(data: bytearray, rng: random.Random) -> int:
    """Choose a place, every other time among the headers."""
    return rng.randrange(min(len(data), 200) + 1) if rng.random() < 0.5 else rng.randrange(len(data) + 1)


def hostile(seed: int, number: int, kinds: seeds.Kinds) -> tuple[str, bytes]:
    """Return the kind and the bytes of input `number`: they depend on the two numbers and on the whole files alone."""
    rng = random.Random(f"{seed}:{number}")  # the same files again, not secrets
    kind = list(kinds)[number % len(kinds)]
    data = rng.choice(kinds[kind])
    if kind == "TAR.GZ":
        plain = _damage(gzip.decompress(data), STRUCTURES["TAR"], kinds[kind], rng)
        packed = bytearray(gzip.compress(plain, 1, mtime=0))
        if rng.random() < 0.3:
            damaged(packed, rng, kinds[kind])
        return kind, bytes(packed)
    others = kinds[kind] if rng.random() < 0.8 else kinds[rng.choice(list(kinds))]
    return kind, _damage(data, STRUCTURES.get(kind) or STRUCTURES[sniff(data).name], others, rng)


def mutator(kind: str, kinds: seeds.Kinds, usual: Callable[[bytes, int], bytes]) -> Callable[[bytes, int, int], bytes]:
    """Return what a coverage-guided fuzzer may change an input with: by turns its `usual` way, and by the parts.

    Args:
        kind: Of the inputs.
        kinds: Whole files, of which parts are taken.
        usual: Takes an input and the most bytes that the result may have.
    """

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.5 or kind not in STRUCTURES:
            return usual(data, most)
        return _damage_parts(data, STRUCTURES[kind], kinds[kind], rng, _MOST_NESTED)[:most]

    return mutate


def _damage(data: bytes, structure: Structure, others: Sequence[bytes], rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if rng.random() < 0.3:
            changed = bytearray(data)
            damaged(changed, rng, others)
            data = bytes(changed[:MAX_BYTES])
        else:
            data = _damage_parts(data, structure, others, rng, _MOST_NESTED)[:MAX_BYTES]
    return data


def _damage_parts(data: bytes, structure: Structure, others: Sequence[bytes], rng: random.Random, nested: int) -> bytes:
    """Change one part, or their order; mostly, lengths and checksums are made right again, so that it is read on."""
    parts = structure.parts(data)
    if not parts:
        return data
    number = rng.randrange(len(parts))
    action = rng.randrange(10)
    if action == 0:
        del parts[number]
    elif action == 1:
        parts.insert(rng.randrange(len(parts) + 1), parts[number])
    elif action == 2:
        parts[number] *= min(rng.choice((2, 10, 300, 20_000)), MAX_BYTES // len(parts[number]) + 1)
    elif action == 3:
        other = rng.randrange(len(parts))
        parts[number], parts[other] = parts[other], parts[number]
    elif action == 4:
        parts.insert(number, rng.choice(structure.parts(rng.choice(others)) or [b""]))
    elif action == 5:
        del parts[number + 1 :]
    else:
        parts[number] = _damage_part(parts[number], structure, others, rng, nested)
    changed = b"".join(parts)
    return structure.seal_all(changed) if rng.random() < 0.8 else changed


def _damage_part(part: bytes, structure: Structure, others: Sequence[bytes], rng: random.Random, nested: int) -> bytes:
    below = inside(part) if nested and rng.random() < 0.6 else None
    changed = bytearray(part)
    is_sealed = rng.random() < 0.8
    if below is not None:
        start, inner = below
        changed[start:] = _damage_parts(part[start:], inner, others, rng, nested - 1)
    elif part[257:262] == b"ustar" and rng.random() < 0.5:
        changed[_TAR_SIZE] = rng.choice(_OCTAL).ljust(12, b"\0")
    elif part[257:262] == b"ustar":
        changed[_TAR_KIND] = bytes((rng.choice(_TAR_KINDS),))
    elif rng.random() < 0.5:
        changed = _with_number(changed, rng)
        is_sealed = rng.random() < 0.5  # which undoes a changed length
    else:
        damaged(changed, rng, others)
    return structure.seal(bytes(changed)) if is_sealed else bytes(changed)


def _with_number(part: bytearray, rng: random.Random) -> bytearray:
    """Set a number near the start of a part: to the ends of its range, about what it was, or the part's length."""
    width = rng.choice((1, 2, 4, 4, 8))
    if len(part) < width:
        return part
    place = rng.randrange(min(32, len(part) - width + 1))
    order: str = rng.choice((">", "<"))
    code = order + {1: "B", 2: "H", 4: "I", 8: "Q"}[width]
    (before,) = struct.unpack_from(code, part, place)
    top = 1 << (8 * width)
    near = (
        before + 1,
        before - 1,
        before * 2,
        before // 2,
        len(part),
        len(part) - place,
        1 << rng.randrange(8 * width),
    )
    struct.pack_into(code, part, place, rng.choice((0, 1, top - 1, top // 2, top // 2 - 1, *near)) % top)
    return part
