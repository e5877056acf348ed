"""From a Keras model of a transformer encoder to an ONNX network that multiplies in 8 bits.

Keras's own exporter knows every layer, but spells normalisation and attention out in pieces that ONNX Runtime runs at
half the speed, and in 32 bits. Here each layer of `fauxto.lab.layers` becomes the few operators that ONNX Runtime has
for it. Large matrices take 63 whole values with a scale a column, few enough for the packed file to hold five bits a
weight; activations take 255 values with a scale a token, made anew for each: no picture's score depends on what else
is in its batch. The head stays in 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fauxto.lab.layers import ClassToken, EncoderBlock, Features, PatchTokens, TokenDropping

if TYPE_CHECKING:
    from fauxto.lab.families import FamilyHead

STEPS = 31
"""Of a weight, to either side of zero: few enough for processors without VNNI, which add two products up in 16 bits."""

_MIDDLE = helper.make_tensor("middle", TensorProto.UINT8, [1], [128])
_FORMAT_VERSION, _OPERATORS, _RUNTIME_OPERATORS = 10, 18, "com.microsoft"


def export(model: keras.Model, families: FamilyHead | None = None) -> bytes:
    """Return the ONNX file of an encoder, from float32 `pixels` [N, H, W, 3] to what the model gives, [N, D].

    With a head of F families there is a second output: their probabilities, [N, F].

    Raises:
        TypeError: A layer is of a kind that this module doesn't know.
    """
    graph = _Graph()
    names = {id(model.inputs[0]): "pixels"}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        write = _WRITERS.get(type(layer))
        if write is None:
            raise TypeError(f"layer {layer.name} is a {type(layer).__name__}, which no encoder may hold so far")
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        names[id(layer.output)] = write(graph, layer, *(names[id(tensor)] for tensor in inputs))
    outputs = {names[id(model.outputs[0])]: model.output_shape[1]}
    if families:
        features = names[id(model.get_layer("features").output)]
        logits = graph.add("MatMul", features, graph.keep(families.kernel))
        logits = graph.add("Add", logits, graph.keep(families.bias))
        outputs[graph.add("Softmax", logits, axis=1)] = len(families.names)
    return graph.finish(model.input_shape, outputs)


class _Graph:
    """An ONNX graph that grows node by node; values are known by name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._stored: list[onnx.TensorProto] = []
        self._in_steps: dict[str, tuple[str, str]] = {}

    def keep(self, array: object) -> str:
        """Store a constant; lists are whole numbers."""
        name = f"stored-{len(self._stored)}"
        values = np.ascontiguousarray(np.asarray(array, np.int64 if isinstance(array, list) else None))
        self._stored.append(numpy_helper.from_array(values, name))
        return name

    def keep_half(self, array: NDArray[Any]) -> str:
        """Store a constant in 16 bits and use it in 32."""
        return self.add("Cast", self.keep(array.astype(np.float16)), to=TensorProto.FLOAT)

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its value."""
        name = f"{operator}-{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], domain=domain, **attributes))
        return name

    def slice(self, tokens: str, start: int, end: int) -> str:
        """Take tokens from `start` to before `end` out of [N, T, C]."""
        return self.add("Slice", tokens, self.keep([start]), self.keep([end]), self.keep([1]))

    def in_steps(self, tokens: str, channels: int) -> tuple[str, str]:
        """Return tokens [N, T, C] as rows [N * T, C] of values in steps, 1 to 255 around 128, and each row's step.

        Made once for all that ask.
        """
        if tokens not in self._in_steps:
            largest = self.add("ReduceMax", self.add("Abs", tokens), self.keep([-1]), keepdims=0)
            step = self.add("Reshape", self.add("Mul", largest, self.keep(np.float32(1 / 127))), self.keep([-1]))
            rows = self.add("Reshape", tokens, self.keep([-1, channels]))
            middles = self.add("ConstantOfShape", self.add("Shape", step), value=_MIDDLE)
            self._in_steps[tokens] = self.add("QuantizeLinear", rows, step, middles, axis=0), step
        return self._in_steps[tokens]

    def finish(self, input_shape: tuple[Any, ...], outputs: Mapping[str, int]) -> bytes:
        """Return the file of the network from `pixels` to some values, each with its number of columns."""
        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", *input_shape[1:]])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size]) for name, size in outputs.items()],
            self._stored,
        )
        operators = [helper.make_opsetid("", _OPERATORS), helper.make_opsetid(_RUNTIME_OPERATORS, 1)]
        model = helper.make_model(graph, opset_imports=operators, ir_version=_FORMAT_VERSION)
        return bytes(model.SerializeToString())


def _rescaling(graph: _Graph, layer: keras.layers.Rescaling, pixels: str) -> str:
    scaled = graph.add("Mul", pixels, graph.keep(np.asarray(layer.scale, np.float32)))
    return graph.add("Add", scaled, graph.keep(np.asarray(layer.offset, np.float32)))


def _patches(graph: _Graph, layer: keras.layers.Conv2D, pixels: str) -> str:
    """Multiply patches that don't overlap: rows * columns of [N, H, W, 3] as [N, rows * columns, C]."""
    kernel, *bias = layer.get_weights()
    side, channels = kernel.shape[0], kernel.shape[-1]
    first = graph.add("Transpose", pixels, perm=[0, 3, 1, 2])
    weights = graph.keep_half(kernel.transpose(3, 2, 0, 1))
    grid = graph.add("Conv", first, weights, kernel_shape=[side, side], strides=[side, side])
    rows = graph.add("Reshape", grid, graph.keep([0, channels, -1]))
    patches = graph.add("Transpose", rows, perm=[0, 2, 1])
    return graph.add("Add", patches, graph.keep(bias[0])) if bias else patches


def _tokens(graph: _Graph, layer: PatchTokens, patches: str) -> str:
    class_embedding, positions = layer.get_weights()
    placed = graph.add("Add", patches, graph.keep_half(positions[1:]))
    nothing = graph.add("Mul", graph.slice(placed, 0, 1), graph.keep(np.zeros(1, np.float32)))  # of the batch's size
    first = graph.add("Add", nothing, graph.keep((class_embedding + positions[0])[None, None]))
    return graph.add("Concat", first, placed, axis=1)


def _normalisation(graph: _Graph, layer: keras.layers.LayerNormalization, tokens: str) -> str:
    scale, shift = (graph.keep(weight) for weight in layer.get_weights())
    return graph.add("LayerNormalization", tokens, scale, shift, epsilon=float(layer.epsilon))


def _block(graph: _Graph, block: EncoderBlock, tokens: str) -> str:
    normalised = _normalisation(graph, block.norm_1, tokens)
    asking = normalised
    if block.class_token_only:
        asking, tokens = graph.slice(normalised, 0, 1), graph.slice(tokens, 0, 1)
    parts = (
        _product(graph, block.query, asking),
        *(_product(graph, part, normalised) for part in (block.key, block.value)),
    )
    biases = graph.keep(np.concatenate([part.get_weights()[1] for part in (block.query, block.key, block.value)]))
    attended = graph.add("MultiHeadAttention", *parts, biases, domain=_RUNTIME_OPERATORS, num_heads=block.heads)
    tokens = graph.add("Add", tokens, _with_bias(graph, block.out, attended))
    inner = _with_bias(graph, block.widen, _normalisation(graph, block.norm_2, tokens))
    inner = graph.add("QuickGelu", inner, domain=_RUNTIME_OPERATORS, alpha=1.702)
    return graph.add("Add", tokens, _with_bias(graph, block.narrow, inner))


def _with_bias(graph: _Graph, layer: keras.layers.Dense, tokens: str) -> str:
    return graph.add("Add", _product(graph, layer, tokens), graph.keep(layer.get_weights()[1]))


def _product(graph: _Graph, layer: keras.layers.Dense, tokens: str) -> str:
    """Multiply, without the bias, in 8 bits: weights with a scale a column, activations with one a token."""
    matrix = layer.get_weights()[0]
    rounded, scales = round_columns(matrix)
    rows, step = graph.in_steps(tokens, len(matrix))
    factors = [graph.keep(rounded), graph.keep(np.float32(1)), graph.keep(scales), graph.keep(np.uint8(128))]
    product = graph.add("MatMulIntegerToFloat", rows, *factors, domain=_RUNTIME_OPERATORS)
    product = graph.add("Mul", product, graph.add("Unsqueeze", step, graph.keep([1])))
    lead = graph.add("Shape", tokens, start=0, end=2)
    return graph.add("Reshape", product, graph.add("Concat", lead, graph.keep([matrix.shape[1]]), axis=0))


def round_columns(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix [K, N] in whole numbers from -31 to 31, and the scale of each column [N].

    Of nine scales, each column has the one that loses least: cutting few large weights serves the many small ones.
    """
    largest = np.abs(matrix).max(axis=0)
    scales, rounded, least = np.ones_like(largest), np.zeros(matrix.shape, np.int8), np.full(len(largest), np.inf)
    for share in np.linspace(0.6, 1, 9):
        scale = np.maximum(largest * share / STEPS, np.finfo(np.float32).tiny).astype(np.float32)
        candidate = np.clip(np.rint(matrix / scale), -STEPS, STEPS).astype(np.int8)
        loss = np.square(candidate * scale - matrix).sum(axis=0)
        better = loss < least
        scales[better], rounded[:, better], least[better] = scale[better], candidate[:, better], loss[better]
    return rounded, scales


def _class_token(graph: _Graph, layer: ClassToken, tokens: str) -> str:
    token = graph.add("Squeeze", graph.slice(tokens, 0, 1), graph.keep([1]))
    channels = layer.input.shape[-1]
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    return graph.add("LayerNormalization", token, graph.keep(ones), graph.keep(zeros), epsilon=ClassToken.EPSILON)


def _features(graph: _Graph, layer: Features, *parts: str) -> str:
    return graph.add("Concat", *parts, axis=1)


def _head(graph: _Graph, layer: keras.layers.Dense, features: str) -> str:
    matrix, bias = (graph.keep(weight) for weight in layer.get_weights())
    return graph.add("Add", graph.add("MatMul", features, matrix), bias)


def _nothing(graph: _Graph, layer: keras.layers.Layer, tokens: str) -> str:
    """Leave out what only training needs."""
    return tokens


_WRITERS: Mapping[type, Callable[..., str]] = {
    keras.layers.Rescaling: _rescaling,
    keras.layers.Conv2D: _patches,
    PatchTokens: _tokens,
    keras.layers.LayerNormalization: _normalisation,
    TokenDropping: _nothing,
    EncoderBlock: _block,
    ClassToken: _class_token,
    Features: _features,
    keras.layers.Dense: _head,
}
