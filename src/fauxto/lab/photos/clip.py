"""The front of CLIP's image tower as an ONNX network with 8-bit weights, with or without a head of our own.

CLIP ViT-B/16 is Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision"; that the
middle blocks tell more about generators than the last is Koutlis & Papadopoulos 2024, "Leveraging Representations from
Intermediate Encoder-blocks for Synthetic Image Detection". The weights come from the ONNX file of the image tower in a
package that carries it (NOTICE), whose own activations share one scale over a whole batch. Here every token has a scale
of its own, so that no picture's score depends on what else is in its batch. Weights are multiplied in 8 bits, but take
63 different values only: packed, the file has five bits a weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fauxto.errors import DatasetError

SIDE, PATCH, TOKENS, CHANNELS, ATTENTION_HEADS = 224, 16, 197, 768, 12
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the RGB values in [0, 1] that the tower was trained on."""

Array = NDArray[np.generic]
Weights = Mapping[str, Array]

_STEPS = 31
"""Of a weight, to either side of zero."""

_FORMAT_VERSION, _OPERATORS, _RUNTIME_OPERATORS = 10, 18, "com.microsoft"
_EMBEDDINGS, _BLOCK = "vision_model.embeddings", "vision_model.encoder.layers.{}"


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A linear head on the class token.

    Attributes:
        direction: float32 [768]; a picture's score is its class token times this, plus the bias.
        bias: In units of the score.
    """

    direction: NDArray[np.float32]
    bias: float


def read_weights(path: Path) -> Weights:
    """Read the image tower's weights from its ONNX file, 8-bit matrices as float32.

    Raises:
        DatasetError: It isn't the tower of CLIP ViT-B/16 in the form that is expected.
    """
    try:
        graph = onnx.load(path).graph
        stored = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
        weights = {name: array for name, array in stored.items() if name.startswith("vision_model.")}
        for node in graph.node:
            if node.op_type == "MatMulInteger":
                matrix, zero = (stored[node.input[i]].astype(np.float32) for i in (1, 3))
                scale = stored[node.input[1].replace("_quantized", "_scale")]
                name = node.name.strip("/").removesuffix("/MatMul_quant").replace("/", ".")
                weights[f"{name}.weight"] = (matrix - zero) * scale
        if weights[f"{_EMBEDDINGS}.patch_embedding.weight"].shape != (CHANNELS, 3, PATCH, PATCH):
            raise ValueError("its patches are of another size")
    except (OSError, KeyError, ValueError, DecodeError) as error:
        raise DatasetError(f"{path} isn't the ONNX file of CLIP ViT-B/16's image tower: {error}") from error
    return weights


def feature_network(weights: Weights, depth: int) -> bytes:
    """Write the network from float32 pixels [N, 224, 224, 3] to the class token after `depth` blocks, [N, 768]."""
    graph = _Graph()
    token, inside, name = _tower(graph, weights, depth)
    token = graph.add("Add", token, _projected(graph, inside, weights, f"{name}.mlp.fc2"))
    return graph.finish(graph.add("Squeeze", token, graph.keep([1])), CHANNELS)


def statistics_network(weights: Weights, depths: Sequence[int]) -> bytes:
    """Write the network from float32 pixels [N, 224, 224, 3] to float32 [N, depths * 3 * 768].

    After each of the depths: the class token, and the mean and the deviation of the patches' tokens.
    """
    graph = _Graph()
    x = _embedded(graph, weights)
    found = []
    for depth in range(1, max(depths) + 1):
        x = _block(graph, x, weights, _BLOCK.format(depth - 1))
        if depth in depths:
            patches = _slice(graph, x, 1, TOKENS)
            mean = graph.add("ReduceMean", patches, graph.keep([1]))
            off = graph.add("Sub", patches, mean)
            variance = graph.add("ReduceMean", graph.add("Mul", off, off), graph.keep([1]))
            found += [_slice(graph, x, 0, 1), mean, graph.add("Sqrt", variance)]
    return graph.finish(
        graph.add("Squeeze", graph.add("Concat", *found, axis=2), graph.keep([1])), len(found) * CHANNELS
    )


def detector_network(weights: Weights, depth: int, head: Head) -> bytes:
    """Write the network from float32 pixels [N, 224, 224, 3] to logits [N, 2].

    The last matrix of the tower and the head are both linear: their product, one vector, stands in for the matrix.
    """
    graph = _Graph()
    token, inside, name = _tower(graph, weights, depth)
    last = (weights[f"{name}.mlp.fc2.weight"] @ head.direction)[:, None]
    bias = weights[f"{name}.mlp.fc2.bias"] @ head.direction + head.bias
    scores = [
        graph.add("MatMul", part, graph.keep(np.float32(column)))
        for part, column in ((token, head.direction[:, None]), (inside, last))
    ]
    score = graph.add("Add", graph.add("Add", *scores), graph.keep(np.float32([bias])))
    score = graph.add("Squeeze", score, graph.keep([1]))
    return graph.finish(graph.add("Mul", score, graph.keep(np.float32([[-0.5, 0.5]]))), 2)


def parameters(weights: Weights, depth: int) -> int:
    """Count the tower's weights up to a block."""
    used = [f"{_BLOCK.format(number)}." for number in range(depth)]
    outside = (_EMBEDDINGS, "vision_model.pre_layrnorm")
    return sum(array.size for name, array in weights.items() if name.startswith((*used, *outside)))


class _Graph:
    """An ONNX graph that grows node by node; values are known by name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._stored: list[onnx.TensorProto] = []
        self.in_steps: dict[str, tuple[str, str]] = {}

    def keep(self, array: object) -> str:
        """Store a constant; lists are whole numbers."""
        name = f"stored-{len(self._stored)}"
        values = np.ascontiguousarray(np.asarray(array, np.int64 if isinstance(array, list) else None))
        self._stored.append(numpy_helper.from_array(values, name))
        return name

    def keep_half(self, array: Array) -> str:
        """Store a constant in 16 bits and use it in 32."""
        return self.add("Cast", self.keep(array.astype(np.float16)), to=TensorProto.FLOAT)

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """Add a node and return the name of its value."""
        name = f"{operator}-{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], domain=domain, **attributes))
        return name

    def finish(self, result: str, columns: int) -> bytes:
        """Return the file of the network from `pixels` to `result` [N, columns]."""
        last = helper.make_node("Identity", [result], ["result"])
        graph = helper.make_graph(
            [*self._nodes, last],
            "photos",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", SIDE, SIDE, 3])],
            [helper.make_tensor_value_info("result", TensorProto.FLOAT, ["N", columns])],
            self._stored,
        )
        operators = [helper.make_opsetid("", _OPERATORS), helper.make_opsetid(_RUNTIME_OPERATORS, 1)]
        return helper.make_model(graph, opset_imports=operators, ir_version=_FORMAT_VERSION).SerializeToString()


def _tower(graph: _Graph, weights: Weights, depth: int) -> tuple[str, str, str]:
    """Add all but the last matrix of the tower.

    Returns:
        The class token [N, 1, 768] in front of the last perceptron, what stands before that one's last matrix
        [N, 1, 3072], and the name of the last block.
    """
    x = _embedded(graph, weights)
    for number in range(depth - 1):
        x = _block(graph, x, weights, _BLOCK.format(number))
    name = _BLOCK.format(depth - 1)
    token = _attended(graph, _slice(graph, x, 0, 1), x, weights, name)
    return token, _inside(graph, token, weights, name), name


def _embedded(graph: _Graph, weights: Weights) -> str:
    """Turn pixels into tokens [N, 197, 768], the class token first."""
    places = weights[f"{_EMBEDDINGS}.position_embedding.weight"]
    pixels = graph.add("Transpose", "pixels", perm=[0, 3, 1, 2])
    kernel = graph.keep_half(weights[f"{_EMBEDDINGS}.patch_embedding.weight"])
    grid = graph.add("Conv", pixels, kernel, kernel_shape=[PATCH, PATCH], strides=[PATCH, PATCH])
    rows = graph.add("Reshape", grid, graph.keep([0, CHANNELS, TOKENS - 1]))
    patches = graph.add("Add", graph.add("Transpose", rows, perm=[0, 2, 1]), graph.keep_half(places[1:]))
    first = (weights[f"{_EMBEDDINGS}.class_embedding"] + places[0])[None, None]
    nothing = graph.add("Mul", _slice(graph, patches, 0, 1), graph.keep(np.float32([0])))  # of the batch's size
    tokens = graph.add("Concat", graph.add("Add", nothing, graph.keep(first)), patches, axis=1)
    return _normalised(graph, tokens, weights, "vision_model.pre_layrnorm")


def _block(graph: _Graph, x: str, weights: Weights, name: str) -> str:
    x = _attended(graph, x, x, weights, name)
    return graph.add("Add", x, _projected(graph, _inside(graph, x, weights, name), weights, f"{name}.mlp.fc2"))


def _attended(graph: _Graph, asking: str, asked: str, weights: Weights, name: str) -> str:
    """Add to some tokens [N, T, 768] what they attend to among all of them [N, 197, 768]."""
    queries = _normalised(graph, asking, weights, f"{name}.layer_norm1")
    others = queries if asking == asked else _normalised(graph, asked, weights, f"{name}.layer_norm1")
    parts = [
        _projected(graph, of, weights, f"{name}.self_attn.{part}_proj")
        for part, of in (("q", queries), ("k", others), ("v", others))
    ]
    inside = graph.add("MultiHeadAttention", *parts, domain=_RUNTIME_OPERATORS, num_heads=ATTENTION_HEADS)
    return graph.add("Add", asking, _projected(graph, inside, weights, f"{name}.self_attn.out_proj"))


def _inside(graph: _Graph, x: str, weights: Weights, name: str) -> str:
    """Return what stands before the second matrix of a block's perceptron."""
    x = _normalised(graph, x, weights, f"{name}.layer_norm2")
    return graph.add(
        "QuickGelu", _projected(graph, x, weights, f"{name}.mlp.fc1"), domain=_RUNTIME_OPERATORS, alpha=1.702
    )


def _slice(graph: _Graph, x: str, start: int, end: int) -> str:
    return graph.add("Slice", x, graph.keep([start]), graph.keep([end]), graph.keep([1]))


def _normalised(graph: _Graph, x: str, weights: Weights, name: str) -> str:
    scale, shift = graph.keep(weights[f"{name}.weight"]), graph.keep(weights[f"{name}.bias"])
    return graph.add("LayerNormalization", x, scale, shift, epsilon=1e-5)


def _projected(graph: _Graph, x: str, weights: Weights, name: str) -> str:
    """Multiply in 8 bits: weights with a scale a column, activations with one a token, made anew for each."""
    rounded, scales = _rounded(weights[f"{name}.weight"])
    step, whole = _in_steps(graph, x)
    product = graph.add("MatMulInteger", whole, graph.keep(rounded), graph.keep(np.uint8(128)))
    product = graph.add("Mul", graph.add("Cast", product, to=TensorProto.FLOAT), step)
    scaled = graph.add("Mul", product, graph.keep(scales))
    return graph.add("Add", scaled, graph.keep(weights[f"{name}.bias"]))


def _rounded(weight: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix [K, N] in whole numbers from -31 to 31, and the scale of each column [N].

    Of nine scales, each column has the one that loses least: cutting few large weights serves the many small ones.
    """
    largest = np.abs(weight).max(axis=0)
    scales, rounded, least = np.ones_like(largest), np.zeros(weight.shape, np.int8), np.full(len(largest), np.inf)
    for share in np.linspace(0.6, 1, 9):
        scale = np.maximum(largest * share / _STEPS, np.finfo(np.float32).tiny).astype(np.float32)
        candidate = np.clip(np.rint(weight / scale), -_STEPS, _STEPS).astype(np.int8)
        loss = np.square(candidate * scale - weight).sum(axis=0)
        better = loss < least
        scales[better], rounded[:, better], least[better] = scale[better], candidate[:, better], loss[better]
    return rounded, scales


def _in_steps(graph: _Graph, x: str) -> tuple[str, str]:
    """Return each token's step and its values in steps, from 1 to 255 around 128; once for all that ask."""
    if x not in graph.in_steps:
        largest = graph.add("ReduceMax", graph.add("Abs", x), graph.keep([-1]), keepdims=1)
        step = graph.add("Mul", largest, graph.keep(np.float32(1 / 127)))
        steps = graph.add("Add", graph.add("Round", graph.add("Div", x, step)), graph.keep(np.float32(128)))
        graph.in_steps[x] = step, graph.add("Cast", steps, to=TensorProto.UINT8)
    return graph.in_steps[x]
