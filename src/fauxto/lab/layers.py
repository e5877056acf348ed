"""Keras layers of our own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


@keras.saving.register_keras_serializable(package="fauxto")
class FusedBatchNorm(keras.layers.BatchNormalization):
    """Batch normalisation over the last axis (Ioffe & Szegedy 2015) that is fast on PyTorch's backend too.

    Keras computes the moments there with separate float32 operations; PyTorch's own fused kernel takes bfloat16 and
    doubles the training speed of a plain 3x3 network on a CPU. On other backends this is Keras's layer.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise float [N, H, W, C]; updates the moving statistics while training."""
        if keras.backend.backend() != "torch":
            return super().call(inputs, training=training, mask=mask)
        import torch

        normalised = torch.nn.functional.batch_norm(
            torch.movedim(inputs, -1, 1),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=bool(training) and self.trainable,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return torch.movedim(normalised, 1, -1)


@keras.saving.register_keras_serializable(package="fauxto")
class PatchTokens(keras.layers.Layer):
    """Turns a grid of patches [N, rows, columns, C] into tokens [N, 1 + rows * columns, C], the class token first."""

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the class token and the positions."""
        self.count = shape[1] * shape[2]
        self.class_embedding = self.add_weight(shape=(shape[-1],), initializer="zeros", name="class_embedding")
        self.positions = self.add_weight(
            shape=(1 + self.count, shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="positions",
        )

    def call(self, grid: Any) -> Any:
        """Flatten the grid and add the positions."""
        patches = keras.ops.reshape(grid, (-1, self.count, grid.shape[-1])) + self.positions[1:]
        first = keras.ops.zeros_like(patches[:, :1]) + (self.class_embedding + self.positions[0])
        return keras.ops.concatenate([first, patches], axis=1)


@keras.saving.register_keras_serializable(package="fauxto")
class TokenDropping(keras.layers.Layer):
    """Keeps the class token and a random share of the patches' while training; all of them otherwise.

    Dropping tokens halves a step's cost and keeps the network from relying on single patches (Liu et al. 2023,
    "PatchDropout: Economizing Vision Transformers Using Patch Dropout").
    """

    def __init__(self, kept: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.kept = kept
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, tokens: Any, training: bool | None = None) -> Any:
        """Drop tokens of [N, T, C]: the same places throughout a batch."""
        if not training or self.kept >= 1:
            return tokens
        count = tokens.shape[1] - 1
        places = keras.random.shuffle(keras.ops.arange(1, count + 1), seed=self.seeds)[: round(self.kept * count)]
        kept = keras.ops.concatenate([keras.ops.zeros((1,), places.dtype), places])
        return keras.ops.take(tokens, kept, axis=1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Leave the number of tokens open."""
        return (shape[0], None, shape[2])

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return {**super().get_config(), "kept": self.kept}


@keras.saving.register_keras_serializable(package="fauxto")
class EncoderBlock(keras.layers.Layer):
    """A block of a vision transformer: attention, then a perceptron, each on normalised tokens and added to them.

    Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale".
    """

    def __init__(self, heads: int, class_token_only: bool = False, **options: Any) -> None:
        """Make the block.

        Args:
            heads: Attention heads, among which the channels are divided.
            class_token_only: Whether to compute the class token alone, [N, 1, C]: all that a last block is asked for.
            options: Keras's own.
        """
        super().__init__(**options)
        self.heads, self.class_token_only = heads, class_token_only

    def build(self, shape: tuple[Any, ...]) -> None:
        """Make the weights: in the order of use, as starting weights name them."""
        channels, dense = shape[-1], keras.layers.Dense
        self.norm_1 = keras.layers.LayerNormalization(epsilon=1e-5, name="norm_1")
        self.query, self.key, self.value, self.out = (
            dense(channels, name=name) for name in ("query", "key", "value", "out")
        )
        self.norm_2 = keras.layers.LayerNormalization(epsilon=1e-5, name="norm_2")
        self.widen, self.narrow = dense(4 * channels, name="widen"), dense(channels, name="narrow")
        for layer in (self.norm_1, self.query, self.key, self.value, self.out, self.norm_2, self.widen):
            layer.build(shape)
        self.narrow.build((*shape[:-1], 4 * channels))

    def call(self, tokens: Any) -> Any:
        """Turn tokens [N, T, C] into as many, or into the class token alone."""
        normalised = self.norm_1(tokens)
        asking = normalised[:, :1] if self.class_token_only else normalised
        tokens = tokens[:, :1] if self.class_token_only else tokens
        attended = self._attend(self.query(asking), self.key(normalised), self.value(normalised))
        tokens = tokens + self.out(attended)
        inner = self.widen(self.norm_2(tokens))
        inner = inner * keras.ops.sigmoid(1.702 * inner)  # CLIP's stand-in for the GELU
        return tokens + self.narrow(inner)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the tokens that it gives."""
        return (shape[0], 1, shape[2]) if self.class_token_only else shape

    def _attend(self, query: Any, key: Any, value: Any) -> Any:
        """Return the values [N, Q, C] that each query attends to, head by head."""
        channels = query.shape[-1]
        size = channels // self.heads

        def by_head(x: Any) -> Any:
            tokens = x.shape[1] if x.shape[1] is not None else -1
            return keras.ops.transpose(keras.ops.reshape(x, (-1, tokens, self.heads, size)), (0, 2, 1, 3))

        query, key, value = by_head(query), by_head(key), by_head(value)
        if keras.backend.backend() == "torch":
            import torch

            attended = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        else:
            weights = keras.ops.softmax(keras.ops.matmul(query * size**-0.5, keras.ops.transpose(key, (0, 1, 3, 2))))
            attended = keras.ops.matmul(weights, value)
        attended = keras.ops.transpose(attended, (0, 2, 1, 3))
        return keras.ops.reshape(attended, (-1, attended.shape[1] if attended.shape[1] is not None else -1, channels))

    def get_config(self) -> dict[str, Any]:
        """Return what the block is made from."""
        return {**super().get_config(), "heads": self.heads, "class_token_only": self.class_token_only}


@keras.saving.register_keras_serializable(package="fauxto")
class ClassToken(keras.layers.Layer):
    """Takes the class token [N, C] out of tokens [N, T, C] and normalises it."""

    EPSILON = 1e-5

    def call(self, tokens: Any) -> Any:
        """Scale each token to mean 0 and deviation 1, in float32."""
        token = keras.ops.cast(tokens[:, 0], "float32")
        token = token - keras.ops.mean(token, axis=-1, keepdims=True)
        return token / keras.ops.sqrt(keras.ops.mean(token * token, axis=-1, keepdims=True) + self.EPSILON)


@keras.saving.register_keras_serializable(package="fauxto")
class Features(keras.layers.Concatenate):
    """Joins what the head sees; the laboratory finds the end of a backbone by this class."""


def resized_positions(positions: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Interpolate the grid of positions [1 + side * side, C] to another input size, bilinearly."""
    side, wanted = round((len(positions) - 1) ** 0.5), round((count - 1) ** 0.5)
    if side == wanted:
        return positions
    places = np.clip((np.arange(wanted) + 0.5) * side / wanted - 0.5, 0, side - 1)
    low = np.minimum(np.floor(places).astype(int), side - 2)
    share = (places - low).astype(np.float32)
    mix = np.zeros((wanted, side), np.float32)
    mix[np.arange(wanted), low], mix[np.arange(wanted), low + 1] = 1 - share, share
    grid = np.einsum("ai,bj,ijc->abc", mix, mix, positions[1:].reshape(side, side, -1))
    return np.concatenate([positions[:1], grid.reshape(wanted * wanted, -1)])
