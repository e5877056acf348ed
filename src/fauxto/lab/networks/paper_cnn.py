"""The network of the student paper that fauxto began with.

Three stages of convolution and max-pooling, then dense layers and a two-way softmax. The softmax is left to the loss
(`from_logits=True`), which is the same function and numerically steadier.
"""

from __future__ import annotations

import keras
from keras import layers


def build(image_size: int, width: float) -> keras.Model:
    """Build the network for float32 [N, image_size, image_size, 3] in [0, 1]; the paper resized to 224."""
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    x = pixels
    for filters in (32, 64, 128):
        x = layers.Conv2D(round(filters * width), 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(round(128 * width), activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    logits = layers.Dense(2, dtype="float32", name="logits")(x)
    return keras.Model(pixels, logits, name="paper-cnn")
