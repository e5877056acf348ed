"""A residual network for 32-pixel pictures: wide from the first layer, first shrunk after two convolutions.

Residual blocks after He et al. 2016, "Deep Residual Learning for Image Recognition"; average pooling, because the
trace of a generator at this size is a texture and not a peak.
"""

from __future__ import annotations

import keras
from keras import layers

from fauxto.lab.layers import FusedBatchNorm

CHANNELS = (48, 96, 192)


def build(image_size: int, width: float) -> keras.Model:
    """Build the network for float32 [N, image_size, image_size, 3] in [0, 1]; 1.1 M parameters at width 1."""
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    x = layers.Rescaling(4.0, offset=-2.0)(pixels)
    x = _convolution(x, round(CHANNELS[0] * width))
    for stage, channels in enumerate(round(full * width) for full in CHANNELS):
        if stage:
            x = layers.AveragePooling2D(2)(x)
        x = _convolution(x, channels)
        if stage:
            x = layers.Add()([x, _convolution(_convolution(x, channels), channels)])
    x = layers.GlobalAveragePooling2D()(x)
    logits = layers.Dense(2, dtype="float32", name="logits")(x)
    return keras.Model(pixels, logits, name="cifake-resnet")


def _convolution(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.ReLU()(FusedBatchNorm(momentum=0.9)(x))
