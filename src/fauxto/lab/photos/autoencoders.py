"""Small autoencoders of image generators, in ONNX Runtime: a picture through its latent space and back.

TAEF2 (madebyollin/taesd, MIT) stands for the latent space of FLUX.2, VAElight (Graphnull/VAElight, Apache-2.0) for
Stable Diffusion's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fauxto.lab.photos import state_dicts

Pixels = NDArray[np.uint8]
Copier = Callable[[Pixels], Pixels]
"""From uint8 [H, W, 3], both sides divisible by 64, to the same."""

_FORMAT_VERSION, _OPERATORS = 10, 21


def taef2(encoder: Path, decoder: Path) -> Copier:
    """Return the round trip through TAEF2, from its two files of PyTorch weights."""
    sessions = [_session(_network(state_dicts.read(path))) for path in (encoder, decoder)]

    def copy(window: Pixels) -> Pixels:
        x = np.moveaxis(window, -1, 0)[np.newaxis].astype(np.float32) / 255
        for session in sessions:
            (x,) = session.run(None, {"x": x})
        return _picture(x[0])

    return copy


def vaelight(encoder: Path, decoder: Path) -> Copier:
    """Return the round trip through VAElight, from its two ONNX files."""
    encode, decode = (_session(path.read_bytes()) for path in (encoder, decoder))

    def copy(window: Pixels) -> Pixels:
        x = np.moveaxis(window, -1, 0)[np.newaxis].astype(np.float32) / 127.5 - 1
        (latent,) = encode.run(None, {"input": x})
        scales = decode.run(None, {"latent": latent})
        whole = sum(_resized(one[0], *window.shape[:2]) for one in scales)
        return _picture((whole + 1) / 2)

    return copy


def _picture(x: NDArray[np.float32]) -> Pixels:
    """Turn [3, H, W] in [0, 1] into uint8 [H, W, 3]."""
    return np.rint(np.clip(np.moveaxis(x, 0, -1), 0, 1) * 255).astype(np.uint8)


def _resized(x: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    planes = [Image.fromarray(one).resize((width, height), Image.Resampling.BILINEAR) for one in x]
    return np.stack([np.asarray(one) for one in planes])


def _network(weights: state_dicts.Weights) -> bytes:
    """Write one half of TAEF2 as an ONNX network from `x` to `result`, both float32 [N, C, H, W].

    The state dict's keys tell the layers: `3.weight` is a convolution, `3.conv.0.weight` the first of a residual block,
    `3.pool.0.weight` that of the branch in front of one. Missing numbers are layers without weights. In the encoder
    a convolution without bias halves the size; in the decoder it follows a doubling.
    """
    nodes: list[onnx.NodeProto] = []
    stored: list[onnx.TensorProto] = []

    def keep(name: str, array: state_dicts.Array) -> str:
        stored.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(operator: str, *inputs: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operator, inputs, [f"value-{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def convolved(x: str, name: str, strides: int = 1) -> str:
        kernel = weights[f"{name}.weight"].astype(np.float32)
        names = [keep(f"{name}.weight", kernel)]
        if f"{name}.bias" in weights:
            names.append(keep(f"{name}.bias", weights[f"{name}.bias"].astype(np.float32)))
        return add("Conv", x, *names, pads=[kernel.shape[-1] // 2] * 4, strides=[strides] * 2)

    def block(x: str, name: str) -> str:
        if f"{name}.pool.0.weight" in weights:
            inner = convolved(x, f"{name}.pool.0")
            names = (f"{name}.pool.1.{part}" for part in ("weight", "bias"))
            scale, shift = (keep(one, weights[one].astype(np.float32)) for one in names)
            inner = add("Relu", add("GroupNormalization", inner, scale, shift, num_groups=4, epsilon=1e-5))
            x = add("Add", x, convolved(inner, f"{name}.pool.3"))
        inner = x
        for number in (0, 2, 4):
            inner = convolved(inner, f"{name}.conv.{number}")
            inner = add("Relu", inner) if number < 4 else inner
        return add("Relu", add("Add", x, inner))

    decodes = "0.weight" not in weights
    x = "x"
    if decodes:
        three = keep("three", np.float32(3))
        x = add("Mul", add("Tanh", add("Div", x, three)), three)
    doubled = keep("doubled", np.array([1, 1, 2, 2], np.float32))
    for number in sorted({int(name.split(".")[0]) for name in weights}):
        if f"{number}.conv.0.weight" in weights:
            x = block(x, str(number))
        elif f"{number}.bias" in weights:
            x = convolved(x, str(number))
            x = add("Relu", x) if decodes and number == 1 else x
        elif decodes:
            x = convolved(add("Resize", x, "", doubled, mode="nearest"), str(number))
        else:
            x = convolved(x, str(number), strides=2)
    nodes.append(helper.make_node("Identity", [x], ["result"]))
    free = ["N", None, "H", "W"]
    graph = helper.make_graph(
        nodes,
        "taef2",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, free)],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, ["N", None, "h", "w"])],
        stored,
    )
    opset = [helper.make_opsetid("", _OPERATORS)]
    return helper.make_model(graph, opset_imports=opset, ir_version=_FORMAT_VERSION).SerializeToString()


def _session(network: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the workers run side by side
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
