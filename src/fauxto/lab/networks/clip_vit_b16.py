"""CLIP ViT-B/16's image encoder as a backbone, with a linear head over the class tokens of several blocks.

The encoder is Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision". Its middle
blocks tell more of how a picture was made than its last (Koutlis & Papadopoulos 2024, "Leveraging Representations from
Intermediate Encoder-blocks for Synthetic Image Detection"). The starting weights come from the ONNX file of the image
encoder in a package that carries it (NOTICE).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from google.protobuf.message import DecodeError
from keras import layers
from numpy.typing import NDArray
from onnx import numpy_helper

from fauxto.errors import DatasetError
from fauxto.lab.layers import ClassToken, EncoderBlock, Features, PatchTokens, TokenDropping, resized_positions

PATCH, CHANNELS, HEAD_CHANNELS, BLOCKS = 16, 768, 64, 12
DEPTHS = (7, 8, 9, 10)
"""The blocks after which the head sees the class token."""

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the RGB values in [0, 1] that the encoder was trained on."""

_EMBEDDINGS, _BLOCK = "vision_model.embeddings", "vision_model.encoder.layers.{}"


def build(image_size: int, width: float) -> keras.Model:
    """Build the network for float32 [N, image_size, image_size, 3] in [0, 1]; 72 M parameters at width 1."""
    heads = max(1, round(CHANNELS * width / HEAD_CHANNELS))
    channels = heads * HEAD_CHANNELS
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    x = layers.Rescaling([1 / std for std in STD], offset=[-m / s for m, s in zip(MEAN, STD, strict=True)])(pixels)
    x = layers.Conv2D(channels, PATCH, strides=PATCH, use_bias=False, name="patches")(x)
    x = PatchTokens(name="tokens")(x)
    x = layers.LayerNormalization(epsilon=1e-5, name="norm")(x)
    x = TokenDropping(name="token_dropping")(x)
    tokens = []
    for number in range(1, max(DEPTHS) + 1):
        last = number == max(DEPTHS)
        x = EncoderBlock(heads, class_token_only=last, name=f"block_{number}")(x)
        if number in DEPTHS:
            tokens.append(ClassToken(name=f"class_token_{number}")(x))
    features = Features(name="features")(tokens)
    logits = layers.Dense(2, dtype="float32", name="logits")(features)
    return keras.Model(pixels, logits, name="clip-vit-b16")


def load_starting_weights(model: keras.Model, path: Path) -> None:
    """Give a model of `build` at width 1 the pretrained weights.

    Args:
        model: The model; its head stays as it is.
        path: The ONNX file of CLIP ViT-B/16's image encoder (8-bit).

    Raises:
        DatasetError: It isn't that file.
    """
    try:
        stored = _read(path)
        for layer, names in _layers(model):
            layer.set_weights(
                [_fitting(stored, name, weight.shape) for name, weight in zip(names, layer.weights, strict=True)]
            )
    except (OSError, KeyError, ValueError, DecodeError) as error:
        raise DatasetError(f"{path} isn't the ONNX file of CLIP ViT-B/16's image encoder: {error}") from error


def _read(path: Path) -> Mapping[str, NDArray[Any]]:
    """Read the image encoder's weights, 8-bit matrices as float32."""
    graph = onnx.load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {name: array for name, array in stored.items() if name.startswith("vision_model.")}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            matrix, zero = (stored[node.input[place]].astype(np.float32) for place in (1, 3))
            scale = stored[node.input[1].replace("_quantized", "_scale")]
            name = node.name.strip("/").removesuffix("/MatMul_quant").replace("/", ".")
            weights[f"{name}.weight"] = (matrix - zero) * scale
    return weights


def _layers(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, list[str]]]:
    """Yield each layer that has pretrained weights, with the stored name of each of them."""
    yield model.get_layer("patches"), [f"{_EMBEDDINGS}.patch_embedding.weight"]
    yield model.get_layer("tokens"), [f"{_EMBEDDINGS}.class_embedding", f"{_EMBEDDINGS}.position_embedding.weight"]
    yield model.get_layer("norm"), ["vision_model.pre_layrnorm.weight", "vision_model.pre_layrnorm.bias"]
    parts = (
        "layer_norm1",
        *(f"self_attn.{part}_proj" for part in ("q", "k", "v", "out")),
        "layer_norm2",
        "mlp.fc1",
        "mlp.fc2",
    )
    for number in range(1, max(DEPTHS) + 1):
        stored = [f"{_BLOCK.format(number - 1)}.{part}" for part in parts]
        yield model.get_layer(f"block_{number}"), [f"{name}.{kind}" for name in stored for kind in ("weight", "bias")]


def _fitting(stored: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    array = stored[name]
    if name == f"{_EMBEDDINGS}.patch_embedding.weight":
        array = array.transpose(2, 3, 1, 0)  # Keras keeps the channels last
    if name == f"{_EMBEDDINGS}.position_embedding.weight":
        array = resized_positions(array, shape[0])
    return array.reshape(shape)
