"""What is in an ONNX file, read without the `onnx` package, before ONNX Runtime may see it.

An ONNX file is one protobuf message (onnx/onnx.proto, ModelProto). This walks its wire format, visits every
stored tensor, nested subgraphs and functions included, and the declared inputs and outputs, and refuses what a bundle
may not hold. The walk keeps its own stack, so that no nesting can exhaust Python's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from fauxto.errors import BundleFormatError

# Which fields of which message lead to stored tensors: the numbers of onnx.proto.
_LEADS_TO = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse tensor",
        23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
_IR_VERSION, _GRAPH = 1, 7
_INPUT, _OUTPUT = 11, 12  # of a graph, each a ValueInfoProto
_TYPE, _TENSOR_TYPE, _ELEMENT_TYPE, _SHAPE, _DIM, _DIM_VALUE = 2, 1, 1, 2, 1, 1  # the way down to its sizes
_FLOAT = 1
_DATA_TYPE, _NAME, _EXTERNAL_DATA, _DATA_LOCATION = 2, 8, 13, 14
_DATA = _FLOAT_DATA, _INT32_DATA, _RAW_DATA, _DOUBLE_DATA = 4, 5, 9, 10

# The element types (TensorProto.DataType) that a bundle may hold: floats; whole numbers and truth values.
_FLOAT16 = 10
_FLOATS = {1: "<f4", _FLOAT16: "<f2", 11: "<f8"}
_WHOLE = {2, 3, 4, 5, 6, 7, 9, 12, 13}

# Protobuf's wire types; the fixed sizes are in bytes.
_VARINT, _BYTES = 0, 2
_FIXED_SIZE = {1: 8, 5: 4}


class _Field(NamedTuple):
    number: int
    value: int
    """The number that a varint holds; 0 for the other wire types."""
    content: memoryview
    """The bytes of a length-delimited or fixed-size field; empty for a varint."""


def check(model: bytes, where: str, size: tuple[int, int], outputs: Sequence[int] = (2,)) -> None:
    """Refuse a file that isn't ONNX, holds weights outside itself or not finite, or has other inputs or outputs.

    Args:
        model: The whole file.
        where: What to call it in an error.
        size: Height and width of its input, as bundle.json has them.
        outputs: How many columns each of its outputs has, by bundle.json.

    Raises:
        BundleFormatError: It is refused; the message says why.
    """
    try:
        top = {field.number for field in _fields(memoryview(model))}
        if not {_IR_VERSION, _GRAPH} <= top:
            raise ValueError("it isn't an ONNX network, and fauxto runs nothing else")
        for tensor in _tensors(model):
            _check_tensor(tensor)
        graph = _joined(memoryview(model), _GRAPH)
        _check_shapes(graph, _INPUT, "input", [[*size, 3]])
        _check_shapes(graph, _OUTPUT, "output", [[columns] for columns in outputs])
    except ValueError as error:
        raise BundleFormatError(f"{where} is refused: {error}") from error


def _tensors(model: bytes) -> Iterator[memoryview]:
    waiting = [("model", memoryview(model))]
    while waiting:
        kind, message = waiting.pop()
        if kind == "tensor":
            yield message
            continue
        leads_to = _LEADS_TO[kind]
        waiting += [(leads_to[field.number], field.content) for field in _fields(message) if field.number in leads_to]


def _check_tensor(tensor: memoryview) -> None:
    data_type, name, stored = 0, "", defaultdict[int, list[memoryview]](list)
    for field in _fields(tensor):
        if field.number == _EXTERNAL_DATA or (field.number == _DATA_LOCATION and field.value != 0):
            raise ValueError("it keeps weights in another file (external data); store them inside model.onnx")
        if field.number == _DATA_TYPE:
            data_type = field.value
        elif field.number == _NAME:
            name = bytes(field.content).decode("utf-8", errors="replace")
        elif field.number in _DATA:
            stored[field.number].append(field.content)
    if data_type in _WHOLE:
        return
    if data_type not in _FLOATS or (data_type == _FLOAT16 and _INT32_DATA in stored):
        raise ValueError(f"its tensor {name!r} is stored in a way (type {data_type}) that a bundle may not use")
    for number, element in {_RAW_DATA: _FLOATS[data_type], _FLOAT_DATA: "<f4", _DOUBLE_DATA: "<f8"}.items():
        if not np.isfinite(np.frombuffer(b"".join(stored[number]), element)).all():
            raise ValueError(f"its tensor {name!r} holds weights that aren't finite")


def _check_shapes(graph: memoryview, number: int, role: str, expected: list[list[int]]) -> None:
    declared = [field.content for field in _fields(graph) if field.number == number]
    if len(declared) != len(expected):
        raise ValueError(f"it has {len(declared)} {role}s; by bundle.json it has {len(expected)}")
    for value, sizes in zip(declared, expected, strict=True):
        tensor = _joined(_joined(value, _TYPE), _TENSOR_TYPE)
        element = next((field.value for field in _fields(tensor) if field.number == _ELEMENT_TYPE), 0)
        dims = [field.content for field in _fields(_joined(tensor, _SHAPE)) if field.number == _DIM]
        shape = [next((field.value for field in _fields(dim) if field.number == _DIM_VALUE), "free") for dim in dims]
        if element != _FLOAT or shape != ["free", *sizes]:
            raise ValueError(
                f"its {role} is of type {element} and shape {shape}; bundle.json asks for {_FLOAT} (float32) and "
                f"{['free', *sizes]}"
            )


def _joined(message: memoryview, number: int) -> memoryview:
    """Return a message that is a field of another; protobuf has one that is there in several parts joined."""
    parts = [field.content for field in _fields(message) if field.number == number]
    return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))


def _fields(message: memoryview) -> Iterator[_Field]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        wire_type = tag & 7
        if wire_type == _VARINT:
            value, position = _varint(message, position)
            yield _Field(tag >> 3, value, message[:0])
            continue
        if wire_type == _BYTES:
            size, position = _varint(message, position)
        elif wire_type in _FIXED_SIZE:
            size = _FIXED_SIZE[wire_type]
        else:
            raise ValueError(f"it isn't an ONNX network, and fauxto runs nothing else (wire type {wire_type})")
        if size > len(message) - position:
            raise ValueError("it is cut off, or isn't an ONNX network")
        yield _Field(tag >> 3, 0, message[position : position + size])
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return the number that starts at `position`, seven bits a byte, lowest first, and the position behind it."""
    number = 0
    for shift, byte in zip(range(0, 70, 7), message[position : position + 10], strict=False):
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position + shift // 7 + 1
    raise ValueError("it is cut off, or isn't an ONNX network")
